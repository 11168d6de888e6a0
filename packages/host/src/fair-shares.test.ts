import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FairShares } from './fair-shares.ts';
import type { CpuShare, Member } from './fair-shares.ts';

/** Runs saturating members for `totalMs` of a fake clock; what each slice costs is up to `sliceCost`. */
function saturate(
  shares: FairShares,
  members: readonly Member[],
  totalMs: number,
  sliceCost: (sliceMs: number) => number = (sliceMs) => sliceMs,
): number[] {
  const used = members.map(() => 0);
  for (const member of members) shares.wake(member);
  let nowMs = 0;
  while (nowMs < totalMs) {
    const pick = shares.pick(nowMs);
    if (pick.kind === 'idle') break;
    if (pick.kind === 'wait') {
      nowMs = pick.untilMs;
      continue;
    }
    const costMs = sliceCost(pick.sliceMs);
    nowMs += costMs;
    shares.charge(pick.member, costMs, nowMs);
    const index = members.indexOf(pick.member);
    used[index] = (used[index] ?? 0) + costMs;
  }
  return used.map((ms) => ms / nowMs);
}

function join(shares: FairShares, ...list: Partial<CpuShare>[]): Member[] {
  return list.map((share) => shares.join({ weight: 1, cap: undefined, ...share }, 0));
}

describe('weights', () => {
  test('three members 1:2:4 get 1/7, 2/7 and 4/7 of the CPU within 0.1 % over 10 s', () => {
    const shares = new FairShares();
    const got = saturate(shares, join(shares, { weight: 1 }, { weight: 2 }, { weight: 4 }), 10_000);
    for (const [index, weight] of [1, 2, 4].entries()) {
      expect(Math.abs((got[index] ?? 0) - weight / 7)).toBeLessThan(0.001);
    }
  });

  test('slices that overrun are paid back', () => {
    const shares = new FairShares();
    const members = join(shares, { weight: 1 }, { weight: 3 });
    let turn = 0;
    const got = saturate(shares, members, 10_000, (ms) => ms * (turn++ % 7 === 0 ? 5 : 1));
    expect(Math.abs((got[0] ?? 0) - 0.25)).toBeLessThan(0.005);
  });

  test('any weights: the share is weight / sum within two slices', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 8 }),
        (weights) => {
          const shares = new FairShares();
          const sum = weights.reduce((a, b) => a + b, 0);
          const got = saturate(
            shares,
            join(shares, ...weights.map((weight) => ({ weight }))),
            20_000,
          );
          for (const [index, weight] of weights.entries()) {
            expect(Math.abs((got[index] ?? 0) - weight / sum)).toBeLessThan(0.005);
          }
        },
      ),
      { seed: 7, numRuns: 100 },
    );
  });

  test('a member that slept gets no more than its share when it wakes', () => {
    const shares = new FairShares();
    const [a, b] = join(shares, {}, {}) as [Member, Member];
    saturate(shares, [a], 5_000);
    shares.wake(b);
    let sliceOfB = 0;
    for (let turn = 0; turn < 100; turn++) {
      const pick = shares.pick(5_000 + turn);
      if (pick.kind !== 'run') throw new Error('both are runnable');
      if (pick.member === b) sliceOfB++;
      shares.charge(pick.member, 1, 5_001 + turn);
    }
    // One slice ahead at most: the sleeper's virtual time is where the running slice began.
    expect(sliceOfB - 50).toBeGreaterThanOrEqual(0);
    expect(sliceOfB - 50).toBeLessThanOrEqual(2);
  });

  test('a new member starts at the present virtual time', () => {
    const shares = new FairShares();
    const [a] = join(shares, {}) as [Member];
    saturate(shares, [a], 1_000);
    expect(shares.join({ weight: 1, cap: undefined }, 1_000).virtualTimeMs).toBeGreaterThan(990);
  });
});

describe('caps', () => {
  test('a lone member with cap 0.25 gets a quarter of the CPU within 0.5 %', () => {
    const shares = new FairShares();
    const got = saturate(shares, join(shares, { cap: 0.25 }), 10_000);
    expect(Math.abs((got[0] ?? 0) - 0.25)).toBeLessThan(0.005);
  });

  test('a capped member gets its cap beside an uncapped one, who gets the rest', () => {
    const shares = new FairShares();
    const got = saturate(shares, join(shares, { cap: 0.3 }, {}), 10_000);
    expect(Math.abs((got[0] ?? 0) - 0.3)).toBeLessThan(0.005);
    expect(Math.abs((got[1] ?? 0) - 0.7)).toBeLessThan(0.005);
  });

  test('a cap above the fair share changes nothing', () => {
    const shares = new FairShares();
    const got = saturate(shares, join(shares, { cap: 0.9 }, {}), 10_000);
    expect(Math.abs((got[0] ?? 0) - 0.5)).toBeLessThan(0.005);
  });

  test('an idle member saves up one window of its cap and no more', () => {
    const shares = new FairShares({ capWindowMs: 20 });
    const [a] = join(shares, { cap: 0.5 }) as [Member];
    shares.wake(a);
    const nowMs = 60_000;
    let burstMs = 0;
    for (;;) {
      const pick = shares.pick(nowMs);
      if (pick.kind !== 'run') break;
      // An infinitely fast clock: the CPU time is booked, no time passes.
      shares.charge(a, pick.sliceMs, nowMs);
      burstMs += pick.sliceMs;
    }
    expect(burstMs).toBe(10);
  });

  test('a spent cap waits for the time at which half a millisecond is saved', () => {
    const shares = new FairShares();
    const [a] = join(shares, { cap: 0.5 }) as [Member];
    shares.wake(a);
    shares.charge(a, 30, 0);
    expect(shares.pick(0)).toEqual({ kind: 'wait', untilMs: (20 + 0.5) / 0.5 });
  });
});

test('nobody runnable is idle', () => {
  const shares = new FairShares();
  const [a] = join(shares, {}) as [Member];
  expect(shares.pick(0).kind).toBe('idle');
  shares.wake(a);
  shares.sleep(a);
  expect(shares.pick(0).kind).toBe('idle');
});

test('the same calls give the same picks', () => {
  expect(picksOfThree()).toEqual(picksOfThree());
});

/** Who ran in each of 500 ms. */
function picksOfThree(): number[] {
  const shares = new FairShares();
  const members = join(shares, { weight: 3 }, { weight: 1, cap: 0.2 }, { weight: 2 });
  const order: number[] = [];
  for (const member of members) shares.wake(member);
  for (let nowMs = 0; nowMs < 500; nowMs++) {
    const pick = shares.pick(nowMs);
    if (pick.kind !== 'run') continue;
    order.push(pick.member.order);
    shares.charge(pick.member, 1, nowMs + 1);
  }
  return order;
}
