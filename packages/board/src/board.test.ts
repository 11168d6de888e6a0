import { expect, test } from 'vitest';
import { fuzzRegisters } from './testing/fuzz-registers.ts';

const SEED = 20_261_126;
const ACCESSES = 50_000;

test(`any access to any register is answered (seed ${SEED}, ${ACCESSES} accesses)`, () => {
  expect(fuzzRegisters(SEED, ACCESSES).loads).toBeGreaterThan(ACCESSES / 3);
});
