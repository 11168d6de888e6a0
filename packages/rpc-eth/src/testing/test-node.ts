import { randomBytes } from 'node:crypto';
import { type KeyedAccount, mnemonicToAccounts } from '@polyvisor/crypto/mnemonic';
import { type Genesis, genesisState } from '@polyvisor/eth/genesis';
import {
  EthMachine,
  type EthMachineOptions,
  defaultEthMachineOptions,
} from '@polyvisor/eth/machine';
import { sharedEvm } from '@polyvisor/evm/shared-engines';
import { hexToBytes } from '@polyvisor/bytes/hex';
import type { Task } from '@polyvisor/machine/tasks';
import type { RpcSession } from '@polyvisor/rpc/service';
import type { EthServiceLimits } from '../limits.ts';
import { type EthService, type EthServiceContext, createEthService } from '../eth-service.ts';

export const MNEMONIC = 'test test test test test test test test test test test junk';

export const testAccounts: readonly KeyedAccount[] = mnemonicToAccounts(MNEMONIC, 10);
export const GENESIS_TIME = 1_700_000_000;
export const ETHER = 10n ** 18n;

export interface TestNodeOptions {
  readonly genesis?: Partial<Genesis>;
  readonly machine?: Partial<EthMachineOptions>;
  readonly limits?: Partial<EthServiceLimits>;
}

/** A machine with its interface, run by whoever waits; its clock moves when a test says so. */
export class TestNode {
  readonly machine: EthMachine;
  readonly context: EthServiceContext;
  readonly service: EthService;
  /** What was told over the connection, in order. */
  readonly notifications: { method: string; params: unknown }[] = [];
  readonly session: RpcSession = {
    notify: (method, params) => this.notifications.push({ method, params }),
    onClose: (listener) => this.#onClose.push(listener),
  };
  nowMs = GENESIS_TIME * 1000;
  readonly #onClose: (() => void)[] = [];

  constructor(options: TestNodeOptions = {}) {
    const genesis: Genesis = {
      chainId: 31337n,
      hardfork: 'osaka',
      accounts: testAccounts.map(({ address }) => ({ address, balance: 10_000n * ETHER })),
      gasLimit: 30_000_000n,
      baseFee: 1_000_000_000n,
      timestamp: GENESIS_TIME,
      coinbase: hexToBytes('0x00000000000000000000000000000000000000c0'),
      mining: { mode: 'instant' },
      ...options.genesis,
    };
    const evm = sharedEvm({ hardfork: genesis.hardfork });
    this.machine = new EthMachine(genesisState(genesis), evm, {
      ...defaultEthMachineOptions,
      ...options.machine,
    });
    this.machine.setNow(this.nowMs);
    this.context = {
      machine: this.machine,
      accounts: testAccounts,
      clientVersion: 'Polyvisor/test',
      instanceId: 'instance-1',
      settle: async <T>(task: Task<T>): Promise<T> => {
        this.run();
        return task.result;
      },
      committed: () => Promise.resolve(),
      checkOpen: () => {},
      nowMs: () => this.nowMs,
      entropy: (length) => randomBytes(length),
      limits: options.limits ?? {},
    };
    this.service = createEthService(this.context);
  }

  run(): void {
    while (this.machine.run(1e9).reason === 'budget');
  }

  /** Moves the host's clock. */
  pass(seconds: number): void {
    this.nowMs += 1000 * seconds;
    this.machine.setNow(this.nowMs);
    this.run();
  }

  close(): void {
    for (const listener of this.#onClose.splice(0)) listener();
  }

  call(method: string, ...params: unknown[]): unknown {
    return this.service.call(method, params, this.session);
  }

  /**
   * As programs in the same process call it.
   * @see EIP-1193; answers go through JSON, as a client sees them
   */
  readonly provider = {
    request: async ({ method, params }: { method: string; params?: unknown }): Promise<unknown> => {
      const answer = await this.service.call(method, params, this.session);
      return answer === undefined ? null : JSON.parse(JSON.stringify(answer));
    },
  };
}
