import { expect, test } from 'vitest';
import { systemEntropy } from './entropy.ts';

test('random bytes have the length that was asked for, and no two are equal', () => {
  for (const length of [0, 1, 16, 10_000]) expect(systemEntropy(length)).toHaveLength(length);
  const seen = new Set(Array.from({ length: 1000 }, () => systemEntropy(16).join()));
  expect(seen.size).toBe(1000);
});

test('every value of a byte comes up', () => {
  expect(new Set(systemEntropy(10_000)).size).toBe(256);
});
