import { bigIntToBytes, equalBytes } from '@polyvisor/bytes/bytes';
import { BLOB_GAS, blobSchedule } from '@polyvisor/evm/blob-schedule';
import { type Hardfork, isAtLeast } from '@polyvisor/evm/hardfork';
import { nextBaseFee, nextExcessBlobGas } from './fees.ts';
import { EMPTY_OMMERS_HASH, type Header } from './header.ts';

/** How far a block's gas limit may be from its parent's: less than this part of it. @see Yellow Paper, equation 56 */
const GAS_LIMIT_DIVISOR = 1024n;
const GAS_LIMIT_MIN = 5000n;
const EXTRA_DATA_MAX = 32;
/** @see EIP-1559, INITIAL_BASE_FEE */
const FIRST_BASE_FEE = 1_000_000_000n;

/**
 * Why a header can't follow its parent, in a few words; undefined when it can. Proof of work is not checked.
 * @see execution-specs, src/ethereum/forks/osaka/fork.py, validate_header
 */
export function headerError(header: Header, parent: Header, fork: Hardfork): string | undefined {
  const isParis = isAtLeast(fork, 'paris');
  const isCancun = isAtLeast(fork, 'cancun');
  if (header.number !== parent.number + 1n) return 'number';
  if (header.timestamp <= parent.timestamp) return 'timestamp';
  if (header.extraData.length > EXTRA_DATA_MAX) return 'extra data';
  if (header.gasUsed > header.gasLimit) return 'gas used';
  if (!isGasLimitNear(header, parent)) return 'gas limit';
  if (header.baseFee !== undefined && header.baseFee !== baseFeeBehind(parent)) return 'base fee';
  if (isParis && header.difficulty !== 0n) return 'difficulty';
  if (isParis && !equalBytes(header.nonce, new Uint8Array(8))) return 'nonce';
  if (isParis && !equalBytes(header.ommersHash, EMPTY_OMMERS_HASH)) return 'ommers';
  if (isCancun && header.excessBlobGas !== excessBlobGasBehind(parent, fork)) {
    return 'excess blob gas';
  }
  if (isCancun && header.blobGasUsed! > BigInt(blobSchedule(fork)!.max) * BLOB_GAS) {
    return 'blob gas used';
  }
  return undefined;
}

function isGasLimitNear({ gasLimit, baseFee }: Header, parent: Header): boolean {
  // The first block with a base fee has twice the gas, half of which is its target.
  const isFirst = baseFee !== undefined && parent.baseFee === undefined;
  const before = isFirst ? parent.gasLimit * 2n : parent.gasLimit;
  const distance = gasLimit > before ? gasLimit - before : before - gasLimit;
  return distance < before / GAS_LIMIT_DIVISOR && gasLimit >= GAS_LIMIT_MIN;
}

function baseFeeBehind(parent: Header): bigint {
  if (parent.baseFee === undefined) return FIRST_BASE_FEE;
  return nextBaseFee(parent.baseFee, parent.gasUsed, parent.gasLimit);
}

function excessBlobGasBehind(parent: Header, fork: Hardfork): bigint {
  const { excessBlobGas = 0n, blobGasUsed = 0n, baseFee = 0n } = parent;
  return nextExcessBlobGas({ excessBlobGas, blobGasUsed, baseFee }, fork);
}

/** The fields that follow from a block's execution. */
const computed = [
  'stateRoot',
  'transactionsRoot',
  'receiptsRoot',
  'logsBloom',
  'gasUsed',
  'withdrawalsRoot',
  'blobGasUsed',
  'requestsHash',
] as const satisfies readonly (keyof Header)[];

/** The first field in which a header is not what its block's execution gives; undefined: none. */
export function differingField(header: Header, executed: Header): keyof Header | undefined {
  return computed.find((name) => !isEqual(header[name], executed[name]));
}

type Field = bigint | Uint8Array | undefined;

function isEqual(a: Field, b: Field): boolean {
  if (a === undefined || b === undefined) return a === b;
  const bytes = (value: bigint | Uint8Array): Uint8Array =>
    typeof value === 'bigint' ? bigIntToBytes(value, 32) : value;
  return equalBytes(bytes(a), bytes(b));
}
