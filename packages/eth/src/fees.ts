import { BLOB_GAS, blobSchedule } from '@polyvisor/evm/blob-schedule';
import { type Hardfork, isAtLeast } from '@polyvisor/evm/hardfork';

const ELASTICITY = 2n;
const BASE_FEE_CHANGE_DENOMINATOR = 8n;
const MIN_BLOB_BASE_FEE = 1n;
/** What the execution of a blob's data must cost at least. @see EIP-7918 */
const BLOB_BASE_COST = 8192n;

/** The base fee of the block after one that used so much gas. @see EIP-1559 */
export function nextBaseFee(baseFee: bigint, gasUsed: bigint, gasLimit: bigint): bigint {
  const target = gasLimit / ELASTICITY;
  if (gasUsed === target || target === 0n) return baseFee;
  if (gasUsed > target) {
    const step = (baseFee * (gasUsed - target)) / target / BASE_FEE_CHANGE_DENOMINATOR;
    return baseFee + (step > 1n ? step : 1n);
  }
  return baseFee - (baseFee * (target - gasUsed)) / target / BASE_FEE_CHANGE_DENOMINATOR;
}

/** Price of a unit of blob gas; 0 before Cancun. @see EIP-4844, get_base_fee_per_blob_gas */
export function blobBaseFee(excessBlobGas: bigint, fork: Hardfork): bigint {
  const schedule = blobSchedule(fork);
  if (!schedule) return 0n;
  let sum = 0n;
  let term = MIN_BLOB_BASE_FEE * schedule.updateFraction;
  for (let i = 1n; term > 0n; i++) {
    sum += term;
    term = (term * excessBlobGas) / (schedule.updateFraction * i);
  }
  return sum / schedule.updateFraction;
}

export interface BlobParent {
  readonly excessBlobGas: bigint;
  readonly blobGasUsed: bigint;
  readonly baseFee: bigint;
}

/** Blob gas above the target, as the next block counts it. @see EIP-4844, EIP-7918 (since Osaka) */
export function nextExcessBlobGas(parent: BlobParent, fork: Hardfork): bigint {
  const schedule = blobSchedule(fork);
  if (!schedule) return 0n;
  const target = BigInt(schedule.target) * BLOB_GAS;
  const total = parent.excessBlobGas + parent.blobGasUsed;
  if (total < target) return 0n;
  const price = blobBaseFee(parent.excessBlobGas, fork);
  if (isAtLeast(fork, 'osaka') && BLOB_BASE_COST * parent.baseFee > BLOB_GAS * price) {
    const max = BigInt(schedule.max);
    return parent.excessBlobGas + (parent.blobGasUsed * (max - BigInt(schedule.target))) / max;
  }
  return total - target;
}
