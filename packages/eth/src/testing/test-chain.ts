import { bigIntToBytes } from '@polyvisor/bytes/bytes';
import { privateKeyToAddress } from '@polyvisor/crypto/secp256k1';
import { type Genesis, type GenesisAccount, genesisState } from '../genesis.ts';
import { sharedEvm } from '@polyvisor/evm/shared-engines';
import { EthMachine, type EthMachineOptions, defaultEthMachineOptions } from '../machine.ts';
import type { Task } from '@polyvisor/machine/tasks';
import { type UnsignedTransaction, signTransaction } from '../transaction.ts';
import type { Block } from '../block.ts';

/** A chain for tests: some rich accounts, a clock that stands, blocks on demand or at once. */

const ETHER = 10n ** 18n;
export const GWEI = 10n ** 9n;
/** Where its clock stands, in seconds since 1970. */
export const TEST_NOW = 1_800_000_000;

export interface Person {
  readonly key: Uint8Array;
  readonly address: Uint8Array;
}

/** Accounts with 1000 ether each. */
export const people: readonly Person[] = [1n, 2n, 3n, 4n].map((seed) => {
  const key = bigIntToBytes(seed << 200n, 32);
  return { key, address: privateKeyToAddress(key) };
});
export const [alice, bob, carol] = people as [Person, Person, Person, Person];

export function testGenesis(genesis: Partial<Genesis> = {}): Genesis {
  const { accounts = [], ...others } = genesis;
  const rich = people.map((person): GenesisAccount => ({
    address: person.address,
    balance: 1000n * ETHER,
  }));
  return {
    chainId: 31337n,
    hardfork: 'osaka',
    gasLimit: 30_000_000n,
    baseFee: GWEI,
    timestamp: TEST_NOW - 1000,
    coinbase: address(0xc0),
    mining: { mode: 'instant' },
    ...others,
    accounts: [...rich, ...accounts],
  };
}

export function testChain(
  genesis: Partial<Genesis> = {},
  { memoryBytesMax, ...options }: Partial<EthMachineOptions> & { memoryBytesMax?: number } = {},
): EthMachine {
  const whole = testGenesis(genesis);
  const { hardfork } = whole;
  const evm = sharedEvm({ hardfork, ...(memoryBytesMax === undefined ? {} : { memoryBytesMax }) });
  const machine = new EthMachine(genesisState(whole), evm, {
    ...defaultEthMachineOptions,
    ...options,
  });
  machine.setNow(1000 * TEST_NOW);
  return machine;
}

/** An address that ends with these bytes. */
export function address(low: number | bigint): Uint8Array {
  return bigIntToBytes(BigInt(low), 20);
}

export function word(value: number | bigint): Uint8Array {
  return bigIntToBytes(BigInt(value), 32);
}

/** A transaction with what most tests do not care about filled in. */
export function unsigned(fields: Partial<UnsignedTransaction> = {}): UnsignedTransaction {
  return {
    type: 2,
    chainId: 31337n,
    nonce: 0n,
    maxFeePerGas: 10n * GWEI,
    maxPriorityFeePerGas: GWEI,
    gasLimit: 100_000n,
    to: address(0x70),
    value: 0n,
    data: new Uint8Array(0),
    accessList: [],
    maxFeePerBlobGas: 0n,
    blobVersionedHashes: [],
    authorizationList: [],
    ...fields,
  };
}

/** Submits a signed transaction with the sender's next nonce, and works until nothing is left. @returns its hash */
export function send(
  machine: EthMachine,
  from: Person,
  fields: Partial<UnsignedTransaction> = {},
): Uint8Array {
  const nonce = machine.pendingNonce(from.address);
  const { raw } = signTransaction(unsigned({ nonce, ...fields }), from.key);
  const { hash } = machine.submit(raw);
  work(machine);
  return hash;
}

/** Runs the machine until it is idle, in slices of `budget` gas. */
export function work(machine: EthMachine, budget = Number.MAX_SAFE_INTEGER): void {
  while (machine.run(budget).reason === 'budget') continue;
}

/** The result of a task, the machine run until then. */
export function settle<T>(machine: EthMachine, task: Task<T>): T {
  work(machine);
  return task.result;
}

export function mine(machine: EthMachine, count = 1, interval?: number): Block {
  return settle(machine, machine.mine(count, interval));
}
