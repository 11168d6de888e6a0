import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RateLimiter, TokenBucket } from './token-bucket.ts';

const SEED = 20_261_125;

describe('a token bucket', () => {
  test('is full at first, and fills in its time', () => {
    const bucket = new TokenBucket({ size: 100, refillTimeMs: 1000 }, 0);
    expect(bucket.take(100, 0)).toBe(true);
    expect([bucket.take(1, 9), bucket.take(1, 10)]).toEqual([false, true]);
    expect([bucket.take(100, 1009), bucket.take(100, 1010)]).toEqual([false, true]);
  });

  test('the burst goes first, and only once', () => {
    const bucket = new TokenBucket({ size: 10, oneTimeBurst: 50, refillTimeMs: 1000 }, 0);
    expect([bucket.take(55, 0), bucket.take(6, 0), bucket.take(5, 0)]).toEqual([true, false, true]);
    expect(bucket.waitMs(10, 0)).toBe(1000);
  });

  test('more than it holds passes when it is full, and is owed', () => {
    const bucket = new TokenBucket({ size: 10, refillTimeMs: 1000 }, 0);
    expect(bucket.take(30, 0)).toBe(true);
    expect(bucket.waitMs(1, 0)).toBe(2100);
  });

  test('lets no more through than its size each refill time, and its first content', () => {
    const steps = fc.array(fc.tuple(fc.nat(500), fc.nat(300)), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (taken) => {
        const bucket = new TokenBucket({ size: 100, oneTimeBurst: 30, refillTimeMs: 1000 }, 0);
        let now = 0;
        let passed = 0;
        let lastCount = 0;
        for (const [waitedMs, count] of taken) {
          now += waitedMs;
          if (!bucket.take(count, now)) continue;
          passed += count;
          lastCount = count;
        }
        expect(passed - lastCount).toBeLessThanOrEqual(130 + now / 10 + 1e-3);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test.each([
    { size: 0, refillTimeMs: 1 },
    { size: 1, refillTimeMs: 0 },
    { size: 1, refillTimeMs: 1, oneTimeBurst: -1 },
    { size: NaN, refillTimeMs: 1 },
    { size: 1, refillTimeMs: Infinity },
  ])('%j is none', (limits) => {
    expect(() => new TokenBucket(limits, 0)).toThrow(
      expect.objectContaining({ code: 'net-option' }),
    );
  });
});

test('where one limit says no, the other loses nothing', () => {
  const limits = { size: 10, refillTimeMs: 1000 };
  const limiter = new RateLimiter(
    { bandwidth: limits, operations: { size: 1, refillTimeMs: 100 } },
    0,
  );
  expect([limiter.take(5, 0), limiter.take(5, 0), limiter.take(5, 100)]).toEqual([
    true,
    false,
    true,
  ]);
});
