import { bigIntToBytes, equalBytes } from '@polyvisor/bytes/bytes';
import { bytesToHex, hexToBytes } from '@polyvisor/bytes/hex';
import { BlockAssembly, type BlockPlan } from '@polyvisor/eth/assembly';
import { Overlay } from '@polyvisor/eth/overlay';
import {
  type Transaction,
  type UnsignedTransaction,
  decodeTransaction,
  encodeTransaction,
} from '@polyvisor/eth/transaction';
import { World } from '@polyvisor/eth/world';
import { type Hardfork, isAtLeast } from '@polyvisor/evm/hardfork';
import { runToEnd } from '@polyvisor/machine/steps';
import type { Tier } from '@polyvisor/evm/compiler/code-cache';
import { engineOf } from './engines.ts';

type Fields = Readonly<Record<string, string>>;

/** A block as JSON-RPC has it, and those parts of the state before it that it reads. */
export interface MainnetBlock {
  readonly 'block.json': {
    readonly transactions: readonly RpcTransaction[];
    readonly withdrawals?: readonly Fields[];
  };
  readonly 'pre_state.json': Readonly<Record<string, PreAccount>>;
  readonly 'bytecodes.json': Readonly<
    Record<string, { readonly bytecode: string; readonly original_len: number }>
  >;
  readonly 'block_hashes.json'?: Fields;
}

interface RpcTransaction {
  readonly accessList?: readonly { readonly address: string; readonly storageKeys: string[] }[];
  readonly blobVersionedHashes?: readonly string[];
}

interface PreAccount {
  readonly basic: { readonly balance: string; readonly nonce: number };
  readonly code_hash: string | null;
  readonly storage: Fields;
}

/** The first block of each fork. @see go-ethereum, params/config.go, MainnetChainConfig; execution-specs, README */
const forkBlocks: readonly (readonly [first: number, fork: Hardfork])[] = [
  [0, 'frontier'],
  [1_150_000, 'homestead'],
  [2_463_000, 'tangerineWhistle'],
  [2_675_000, 'spuriousDragon'],
  [4_370_000, 'byzantium'],
  [7_280_000, 'petersburg'],
  [9_069_000, 'istanbul'],
  [12_244_000, 'berlin'],
  [12_965_000, 'london'],
  [15_537_394, 'paris'],
  [17_034_870, 'shanghai'],
  [19_426_587, 'cancun'],
];

/** What of the block came out differently; undefined: nothing. */
export function runMainnetBlock(files: MainnetBlock, tier: Tier): string | undefined {
  const block = files['block.json'];
  const fields = block as unknown as Fields;
  const fork = forkBlocks.findLast(([first]) => first <= Number(fields['number']))![1];
  const world = worldOf(files);
  const hashes = files['block_hashes.json'] ?? {};
  const blockHash = (number: bigint): Uint8Array =>
    hexToBytes(hashes[String(number)] ?? `0x${'0'.repeat(64)}`);
  const transactions = block.transactions.map(transactionOf);
  const wrong = transactions.findIndex(
    (tx, i) => bytesToHex(tx.hash) !== (block.transactions[i] as unknown as Fields)['hash'],
  );
  if (wrong >= 0) return `hash of transaction ${wrong}`;

  const plan = planOf(fields, block.withdrawals ?? []);
  const result = runToEnd(function* (slice) {
    const assembly = new BlockAssembly(engineOf(fork, tier), world, plan, blockHash, slice);
    yield* assembly.start();
    for (const [i, tx] of transactions.entries()) {
      const refusal = yield* assembly.add(tx);
      if (refusal !== undefined) return `transaction ${i}: ${refusal}`;
    }
    return (yield* assembly.finish()).block.header;
  });
  if (typeof result === 'string') return result;
  if (result.gasUsed !== BigInt(fields['gasUsed']!)) return `gas used ${result.gasUsed}`;
  for (const name of ['transactionsRoot', 'receiptsRoot', 'logsBloom'] as const) {
    // Before Byzantium receipts hold roots of the whole state, which is not here.
    if (name === 'receiptsRoot' && !isAtLeast(fork, 'byzantium')) continue;
    if (!equalBytes(result[name], hexToBytes(fields[name]!))) return name;
  }
  return undefined;
}

function planOf(fields: Fields, withdrawals: readonly Fields[]): BlockPlan {
  const number = (name: string): bigint => BigInt(fields[name] ?? 0);
  const bytes = (name: string): Uint8Array => hexToBytes(fields[name] ?? `0x${'0'.repeat(64)}`);
  const isProofOfWork = number('difficulty') > 0n;
  return {
    chainId: 1n,
    parentHash: bytes('parentHash'),
    number: number('number'),
    timestamp: number('timestamp'),
    coinbase: bytes('miner'),
    gasLimit: number('gasLimit'),
    baseFee: number('baseFeePerGas'),
    prevRandao: isProofOfWork ? bigIntToBytes(number('difficulty'), 32) : bytes('mixHash'),
    difficulty: number('difficulty'),
    extraData: bytes('extraData'),
    excessBlobGas: number('excessBlobGas'),
    parentBeaconBlockRoot: bytes('parentBeaconBlockRoot'),
    withdrawals: withdrawals.map((entry) => ({
      index: BigInt(entry['index']!),
      validatorIndex: BigInt(entry['validatorIndex']!),
      address: hexToBytes(entry['address']!),
      amount: BigInt(entry['amount']!),
    })),
  };
}

function transactionOf(rpc: RpcTransaction): Transaction {
  const fields = rpc as unknown as Fields;
  const number = (name: string): bigint => BigInt(fields[name] ?? 0);
  const type = Number(fields['type'] ?? 0) as UnsignedTransaction['type'];
  const v = number('v');
  const isProtected = v >= 35n;
  const tx: UnsignedTransaction = {
    type,
    chainId: type === 0 && !isProtected ? undefined : 1n,
    nonce: number('nonce'),
    maxFeePerGas: number(type < 2 ? 'gasPrice' : 'maxFeePerGas'),
    maxPriorityFeePerGas: number(type < 2 ? 'gasPrice' : 'maxPriorityFeePerGas'),
    gasLimit: number('gas'),
    to: fields['to'] ? hexToBytes(fields['to']) : undefined,
    value: number('value'),
    data: hexToBytes(fields['input']!),
    accessList: (rpc.accessList ?? []).map(({ address, storageKeys }) => ({
      address: hexToBytes(address),
      storageKeys: storageKeys.map(hexToBytes),
    })),
    maxFeePerBlobGas: number('maxFeePerBlobGas'),
    blobVersionedHashes: (rpc.blobVersionedHashes ?? []).map(hexToBytes),
    authorizationList: [],
  };
  const parity = type !== 0 ? v : isProtected ? (v - 35n) % 2n : v - 27n;
  return decodeTransaction(encodeTransaction(tx, parity === 1n ? 1 : 0, number('r'), number('s')));
}

function worldOf(files: MainnetBlock): World {
  const overlay = new Overlay(World.empty, () => new Uint8Array(32));
  for (const [key, account] of Object.entries(files['pre_state.json'])) {
    const address = hexToBytes(key);
    overlay.setBalance(address, BigInt(account.basic.balance));
    overlay.setNonce(address, BigInt(account.basic.nonce));
    const code = account.code_hash && files['bytecodes.json'][account.code_hash];
    if (code) overlay.setCode(address, hexToBytes(code.bytecode).subarray(0, code.original_len));
    for (const [slot, value] of Object.entries(account.storage)) {
      overlay.setStorage(address, bigIntToBytes(BigInt(slot), 32), BigInt(value));
    }
  }
  return overlay.commit();
}
