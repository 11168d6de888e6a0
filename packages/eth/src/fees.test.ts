import { describe, expect, test } from 'vitest';
import { blobBaseFee, nextBaseFee, nextExcessBlobGas } from './fees.ts';

const GAS_LIMIT = 30_000_000n;
const BLOB = 131_072n;

describe('base fee', () => {
  test.each([
    ['at the target', 1000n, 15_000_000n, 1000n],
    ['of a full block', 1000n, 30_000_000n, 1125n],
    ['of an empty block', 1000n, 0n, 875n],
    ['rises by one wei at least', 7n, 15_000_001n, 8n],
    ['stays where an eighth is less than a wei', 7n, 0n, 7n],
    ['of a mainnet block', 15_265_332_111n, 11_000_000n, 14_756_487_708n],
  ])('%s', (_, baseFee, gasUsed, expected) => {
    expect(nextBaseFee(baseFee, gasUsed, GAS_LIMIT)).toBe(expected);
  });
});

describe('blob base fee', () => {
  test.each([
    ['cancun', 0n, 1n],
    ['cancun', 2_314_057n, 1n],
    ['cancun', 2_314_058n, 2n],
    ['cancun', 10n * 1024n * 1024n, 23n],
    ['prague', 10n * 1024n * 1024n, 8n],
    ['shanghai', 10n * 1024n * 1024n, 0n],
  ] as const)('on %s with an excess of %d', (fork, excess, expected) => {
    expect(blobBaseFee(excess, fork)).toBe(expected);
  });

  test('the excess counts what is above the target', () => {
    const next = (excessBlobGas: bigint, blobs: bigint): bigint =>
      nextExcessBlobGas({ excessBlobGas, blobGasUsed: blobs * BLOB, baseFee: 1n }, 'cancun');
    expect(next(0n, 3n)).toBe(0n);
    expect(next(0n, 4n)).toBe(BLOB);
    expect(next(BLOB, 3n)).toBe(BLOB);
    expect(next(BLOB, 0n)).toBe(0n);
  });

  test('since Osaka it does not fall while blobs are cheap beside their execution (EIP-7918)', () => {
    const parent = { excessBlobGas: 10n * BLOB, blobGasUsed: 3n * BLOB, baseFee: 17n };
    // 8192 * 17 wei are more than 131072 * 1: of 9 blobs at most and 6 aimed at, a third of those used is added.
    expect(nextExcessBlobGas(parent, 'osaka')).toBe(11n * BLOB);
    expect(nextExcessBlobGas({ ...parent, baseFee: 16n }, 'osaka')).toBe(7n * BLOB);
    expect(nextExcessBlobGas(parent, 'prague')).toBe(7n * BLOB);
  });
});
