import { describe, expect, test } from 'vitest';
import { feeHistory } from './fee-history.ts';
import { GWEI, alice, bob, mine, send, testChain } from './testing/test-chain.ts';

function chain(): ReturnType<typeof testChain> {
  const machine = testChain({ mining: { mode: 'manual' }, gasLimit: 84_000n });
  send(machine, alice, { maxPriorityFeePerGas: 3n * GWEI, gasLimit: 21_000n });
  send(machine, bob, { maxPriorityFeePerGas: GWEI, gasLimit: 21_000n });
  mine(machine, 2);
  return machine;
}

describe('fee history', () => {
  test('has a base fee more than blocks: the next one’s', () => {
    const { state } = chain();
    const history = feeHistory(state, 'osaka', 3, 'latest', undefined)!;
    expect(history.oldestBlock).toBe(0n);
    // Half full keeps the price, empty lowers it by an eighth.
    expect(history.baseFeePerGas).toEqual([GWEI, 875_000_000n, 875_000_000n, 765_625_000n]);
    expect(history.gasUsedRatio).toEqual([0, 0.5, 0]);
    expect(history.baseFeePerBlobGas).toEqual([1n, 1n, 1n, 1n]);
    expect(history.reward).toBeUndefined();
  });

  test('rewards are the tips at percentiles of a block’s gas', () => {
    const { state } = chain();
    const { reward } = feeHistory(state, 'osaka', 2, 'latest', [0, 50, 51, 100])!;
    expect(reward).toEqual([
      [GWEI, GWEI, 3n * GWEI, 3n * GWEI],
      [0n, 0n, 0n, 0n],
    ]);
  });

  test('covers no more blocks than there are, and 1024 at most', () => {
    const { state } = chain();
    expect(feeHistory(state, 'osaka', 50, 1n, undefined)!.gasUsedRatio.length).toBe(2);
    expect(feeHistory(state, 'osaka', 50, 99n, undefined)).toBeUndefined();
    const long = testChain({ mining: { mode: 'manual' } });
    mine(long, 1030);
    for (const [count, expected] of [
      [1023, 1023],
      [1024, 1024],
      [1025, 1024],
    ] as const) {
      const { gasUsedRatio } = feeHistory(long.state, 'osaka', count, 'latest', undefined)!;
      expect(gasUsedRatio.length).toBe(expected);
    }
  });
});
