import { bytesToHex } from '@polyvisor/bytes/hex';
import type { KeyedAccount } from '@polyvisor/crypto/mnemonic';
import { EthMachine, defaultEthMachineOptions } from '@polyvisor/eth/machine';
import { changesBetween } from '@polyvisor/eth/rows';
import type { EthState } from '@polyvisor/eth/state';
import { connectInProcess } from '@polyvisor/rpc/in-process';
import type { InProcessProvider } from '@polyvisor/rpc/in-process';
import type { RpcServer } from '@polyvisor/rpc/server';
import { createEthService } from '@polyvisor/rpc-eth/eth-service';
import type { EthService } from '@polyvisor/rpc-eth/eth-service';
import type { Change } from '@polyvisor/store/rows';
import type { Endpoint, Fact, GuestContext, Instance, ListenOptions } from '../instance.ts';
import { VERSION } from '../version.ts';
import type { ResolvedEvmOptions } from './evm-types.ts';
import { LazyEvm } from './lazy-evm.ts';

/** An Ethereum chain as a guest: the machine, its JSON-RPC, and the servers that carry that. */
export class EvmInstance implements Instance<EthState> {
  readonly machine: EthMachine;
  readonly loader: LazyEvm;
  readonly accounts: readonly KeyedAccount[];
  /** The JSON-RPC without a network between. */
  readonly provider: InProcessProvider;
  /** For `exec`: looking into a guest must not fill the log of what its clients asked. */
  readonly #shell: InProcessProvider;
  readonly #options: ResolvedEvmOptions;
  readonly #context: GuestContext;
  readonly #service: EthService;
  readonly #endListening: () => void;
  #servers: RpcServer[] = [];
  /** Bytes of servers that are closed. */
  #pastNetworkBytes = 0;

  constructor(
    options: ResolvedEvmOptions,
    state: EthState,
    accounts: readonly KeyedAccount[],
    context: GuestContext,
  ) {
    this.#options = options;
    this.#context = context;
    this.accounts = accounts;
    this.loader = new LazyEvm(options.hardfork, executionMemoryFor(context.limits.memoryBytesMax));
    this.machine = new EthMachine(state, this.loader, {
      ...defaultEthMachineOptions,
      historyBlocks: options.historyBlocks,
    });
    this.machine.onWork = () => context.wake();
    this.#service = createEthService({
      machine: this.machine,
      accounts,
      clientVersion: `Polyvisor/v${VERSION}/${process.platform}-${process.arch}/node${process.version}`,
      instanceId: context.id,
      settle: (task) => context.settle(task),
      committed: () => context.committed(),
      checkOpen: () => context.checkOpen(),
      nowMs: () => context.clock.unixMs(),
      entropy: (length) => context.entropy(length),
    });
    this.provider = connectInProcess(this.#service, {
      onRequest: (request) => context.requests.write(request),
      onBug: (error) => this.#logBug(error),
    });
    this.#shell = connectInProcess(this.#service, { onBug: (error) => this.#logBug(error) });
    this.#endListening = this.machine.on((event) => {
      if (event.kind !== 'transaction') context.headMoved(this.head());
    });
  }

  state(): EthState {
    return this.machine.state;
  }

  restore(state: EthState): void {
    this.machine.restore(state);
  }

  setNow(unixMs: number): void {
    this.machine.setNow(unixMs);
  }

  wakesAtMs(): number | undefined {
    return this.machine.wakesAtMs;
  }

  head(): string {
    return this.machine.state.head.header.number.toString();
  }

  facts(): readonly Fact[] {
    const { accounts, balance, hardfork } = this.#options;
    return [
      ['chain', this.machine.state.settings.chainId.toString()],
      ['block', this.head()],
      ['hardfork', hardfork],
      ['accounts', `${accounts} × ${balance} ETH`],
    ];
  }

  changesSince(before: EthState | undefined): Iterable<Change> {
    return changesBetween(before, this.machine.state);
  }

  /** Whether it gets to execute: a call of nothing. */
  async isReady(): Promise<boolean> {
    await this.#context.settle(this.machine.call({ to: new Uint8Array(20) }, 'latest'));
    return true;
  }

  async listen(options: ListenOptions = {}): Promise<readonly Endpoint[]> {
    const port = options.port ?? this.#options.port;
    if (port === undefined) return [];
    const { openRpcServer } = await import('@polyvisor/rpc/server');
    const { id, name, requests } = this.#context;
    const server = await openRpcServer({
      service: this.#service,
      host: options.host ?? this.#options.host,
      port,
      allowOrigins: this.#options.allowOrigins,
      instanceId: id,
      name,
      kind: 'evm',
      isReady: () => this.#context.isReady(),
      onRequest: (request) => requests.write(request),
      onBug: (error) => this.#logBug(error),
    });
    this.#servers.push(server);
    return [
      { protocol: 'http', url: server.url },
      { protocol: 'ws', url: server.wsUrl },
    ];
  }

  async unlisten(): Promise<void> {
    const servers = this.#servers;
    this.#servers = [];
    await Promise.all(servers.map((server) => server.close()));
    for (const server of servers) this.#pastNetworkBytes += server.networkBytes;
  }

  async exec(command: string, parameters: readonly unknown[]): Promise<unknown> {
    return await this.#shell.request({ method: command, params: parameters });
  }

  async mine(count: number, intervalSeconds?: number): Promise<string> {
    await this.#context.settle(this.machine.mine(count, intervalSeconds));
    await this.#context.committed();
    return this.head();
  }

  async warp(seconds: number): Promise<number> {
    await this.#context.settle(this.machine.change((state) => ahead(state, seconds)));
    await this.mine(1);
    return Number(this.machine.state.head.header.timestamp);
  }

  networkBytes(): number {
    return this.#servers.reduce((sum, server) => sum + server.networkBytes, this.#pastNetworkBytes);
  }

  dispose(): void {
    this.#endListening();
    this.provider[Symbol.dispose]();
    this.#shell[Symbol.dispose]();
    this.#service.dispose();
  }

  /** What anybody may know of the development accounts: all. */
  developmentAccounts(): { address: string; privateKey: string }[] {
    return this.accounts.map(({ address, privateKey }) => ({
      address: bytesToHex(address),
      privateKey: bytesToHex(privateKey),
    }));
  }

  #logBug(error: unknown): void {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#context.log('error', message);
  }
}

/** Most memory that the frames of one execution may use together. */
const EXECUTION_MEMORY_BYTES_MAX = 256 * 1024 * 1024;

/** A power of two, so that there are few kinds of engines: machines share them. */
function executionMemoryFor(memoryBytesMax: number): number {
  const atMost = Math.min(memoryBytesMax, EXECUTION_MEMORY_BYTES_MAX);
  return 2 ** Math.floor(Math.log2(atMost));
}

function ahead(state: EthState, seconds: number): EthState {
  const { settings } = state;
  return { ...state, settings: { ...settings, clockOffset: settings.clockOffset + seconds } };
}
