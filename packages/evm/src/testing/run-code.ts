import { bytesToLatin1 } from '@polyvisor/bytes/latin1';
import { keccak256 } from '@polyvisor/crypto/keccak';
import { createEvm } from '../engine.ts';
import type { Hardfork } from '../hardfork.ts';
import type { Account, BlockEnvironment, Evm, Outcome, Tracer, WorldState } from '../world.ts';

export type Executed = Extract<Outcome, { kind: 'executed' }>;

export const CONTRACT: Uint8Array = new Uint8Array(20).fill(0xc0);
export const SENDER: Uint8Array = new Uint8Array(20).fill(0x5e);

export interface RunOptions {
  readonly fork?: Hardfork;
  readonly gas?: bigint;
  readonly data?: Uint8Array;
  /** Contracts beside the one that is called, by address. */
  readonly others?: Iterable<readonly [address: Uint8Array, code: Uint8Array]>;
  /** Gas of each slice. Default: all at once. */
  readonly slice?: number;
  readonly evm?: Evm;
  readonly tracer?: Tracer;
}

/** Calls a contract with this code in an otherwise empty world. */
export function runCode(code: Uint8Array, options: RunOptions = {}): Executed {
  const outcome = runToOutcome(code, options);
  if (outcome.kind !== 'executed') throw new Error(`not executed: ${outcome.kind}`);
  return outcome;
}

export function runToOutcome(code: Uint8Array, options: RunOptions = {}): Outcome {
  const execution = startCode(code, options);
  while (!execution.run(options.slice ?? Number.MAX_SAFE_INTEGER)) continue;
  return execution.outcome!;
}

export function startCode(code: Uint8Array, options: RunOptions = {}) {
  const evm = options.evm ?? engineOf(options.fork ?? 'osaka');
  return evm.execute({
    message: {
      type: 0,
      sender: SENDER,
      to: CONTRACT,
      nonce: 0n,
      gasLimit: options.gas ?? 10_000_000n,
      maxFeePerGas: 0n,
      maxPriorityFeePerGas: 0n,
      value: 0n,
      data: options.data ?? new Uint8Array(0),
      accessList: [],
      blobVersionedHashes: [],
      maxFeePerBlobGas: 0n,
      authorizationList: [],
    },
    block: testBlock,
    state: worldOf([[CONTRACT, code], ...(options.others ?? [])]),
    rules: 'call',
    keepsEffects: true,
    ...(options.tracer ? { tracer: options.tracer } : {}),
  });
}

/** A word pushed with PUSH32. */
export function push(value: bigint): Uint8Array {
  const code = new Uint8Array(33);
  code[0] = 0x7f;
  for (let i = 32, rest = value; i > 0; i--, rest >>= 8n) code[i] = Number(rest & 255n);
  return code;
}

/** Returns the word on top of the stack: PUSH0 MSTORE PUSH1 32 PUSH0 RETURN. */
export const returnTop: Uint8Array = Uint8Array.of(0x5f, 0x52, 0x60, 32, 0x5f, 0xf3);

export const testBlock: BlockEnvironment = {
  chainId: 31337n,
  number: 7n,
  timestamp: 1_700_000_000n,
  coinbase: new Uint8Array(20).fill(0xcb),
  gasLimit: 30_000_000n,
  baseFee: 7n,
  prevRandao: new Uint8Array(32).fill(0x9a),
  blobBaseFee: 1n,
};

export function testBlockHash(number: bigint): Uint8Array {
  return keccak256(Uint8Array.of(Number(number)));
}

const engines = new Map<Hardfork, Evm>();

function engineOf(fork: Hardfork): Evm {
  let evm = engines.get(fork);
  if (!evm) engines.set(fork, (evm = createEvm({ hardfork: fork })));
  return evm;
}

function worldOf(contracts: Iterable<readonly [Uint8Array, Uint8Array]>): WorldState {
  const accounts = new Map<string, Account>();
  const codes = new Map<string, Uint8Array>();
  for (const [address, code] of contracts) {
    const codeHash = keccak256(code);
    codes.set(bytesToLatin1(codeHash), code);
    const account = { nonce: 1n, balance: 0n, codeHash, hasStorage: false };
    accounts.set(bytesToLatin1(address), account);
  }
  return {
    account: (address) => accounts.get(bytesToLatin1(address)),
    code: (hash) => codes.get(bytesToLatin1(hash)) ?? new Uint8Array(0),
    storage: () => new Uint8Array(32),
    blockHash: testBlockHash,
  };
}
