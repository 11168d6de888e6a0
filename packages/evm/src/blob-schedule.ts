import type { Hardfork } from './hardfork.ts';

/**
 * How many blobs a block aims at and may hold, and how fast their price moves; forks that change nothing inherit.
 * @see EIP-4844, EIP-7691, EIP-7892 (blob-parameter-only forks), EIP-7594 (blobs a transaction)
 */
export interface BlobSchedule {
  readonly target: number;
  readonly max: number;
  /** Blobs that one transaction may carry. */
  readonly maxPerTransaction: number;
  readonly updateFraction: bigint;
}

/** Gas of one blob. */
export const BLOB_GAS = 131_072n;

// oxfmt-ignore
const schedules: Partial<Record<Hardfork, BlobSchedule>> = {
  cancun: { target: 3,  max: 6,  maxPerTransaction: 6, updateFraction: 3_338_477n },
  prague: { target: 6,  max: 9,  maxPerTransaction: 9, updateFraction: 5_007_716n },
  osaka:  { target: 6,  max: 9,  maxPerTransaction: 6, updateFraction: 5_007_716n },
  bpo1:   { target: 10, max: 15, maxPerTransaction: 6, updateFraction: 8_346_193n },
  bpo2:   { target: 14, max: 21, maxPerTransaction: 6, updateFraction: 11_684_671n },
  bpo3:   { target: 21, max: 32, maxPerTransaction: 6, updateFraction: 20_609_697n },
  bpo4:   { target: 14, max: 21, maxPerTransaction: 6, updateFraction: 13_739_630n },
};

/** The schedule of a fork; undefined before Cancun. */
export function blobSchedule(fork: Hardfork): BlobSchedule | undefined {
  return schedules[fork];
}
