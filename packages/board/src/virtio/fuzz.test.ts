import { expect, test } from 'vitest';
import { fuzzVirtio } from '../testing/fuzz-virtio.ts';

const SEED = 20_261_125;
const CASES = 4_000;

test(`malformed queues break nothing but themselves (seed ${SEED}, ${CASES} cases)`, () => {
  const counts = fuzzVirtio(SEED, CASES);
  expect(counts.cases).toBe(CASES);
  // Neither all right nor all wrong, else the cases would test little.
  expect(counts.broken).toBeGreaterThan(CASES / 10);
  expect(counts.returned).toBeGreaterThan(CASES);
});
