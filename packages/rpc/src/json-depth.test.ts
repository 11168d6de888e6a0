import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isDeeperThan } from './json-depth.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('the depth is that of the parsed value', () =>
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.integer({ min: 1, max: 8 }), (json, depthMax) => {
      expect(isDeeperThan(json, depthMax)).toBe(depthOf(JSON.parse(json)) > depthMax);
    }),
    { seed: 1, numRuns: 2000 },
  ));

test.each([
  ['["[[[[[[[[[["]', false],
  ['["\\"[[[[[[[[[["]', false],
  ['["\\\\",[[],[],[]],[]]', true],
  ['["\\\\\\"[[[[[[[[[[","\\\\"]', false],
])('brackets inside strings are none: %s', (json, isDeep) => {
  expect(isDeeperThan(json, 1)).toBe(isDeep);
});
