import { expect, test } from 'vitest';
import { SampleRing } from './sample-ring.ts';

const usage = (cpuMs: number, work: number, memoryBytes = 0) => ({
  cpuMs,
  work: String(work),
  memoryBytes,
});

test('rates are the growth of the totals over the time between', () => {
  const ring = new SampleRing();
  ring.push(1000, usage(10, 0, 5));
  ring.push(3000, usage(510, 42_000, 6));
  expect(ring.newest).toEqual({ time: 3, cpu: 0.25, memory: 6, work: 21_000 });
});

test('one look alone gives no rate', () => {
  const ring = new SampleRing();
  ring.push(1000, usage(10, 10));
  expect(ring.newest).toBeUndefined();
  expect(ring.columns('cpu')).toEqual([[], []]);
});

test('totals that start again, and clocks that stand, give no sample', () => {
  const ring = new SampleRing();
  ring.push(1000, usage(100, 100));
  ring.push(2000, usage(5, 0));
  expect(ring.newest).toBeUndefined();
  ring.push(2000, usage(6, 0));
  expect(ring.newest).toBeUndefined();
  ring.push(3000, usage(106, 50));
  expect(ring.newest).toMatchObject({ cpu: 0.1, work: 50 });
});

test.each([2, 3, 4])('of %i samples a ring of 3 keeps the newest', (count) => {
  const ring = new SampleRing(3);
  for (let look = 0; look <= count; look++) ring.push(look * 1000, usage(look, look));
  const all = Array.from({ length: count }, (_, index) => index + 1);
  expect(ring.columns('work')).toEqual([all.slice(-3), all.slice(-3).map(() => 1)]);
});
