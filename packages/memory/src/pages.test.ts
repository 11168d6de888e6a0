import fc from 'fast-check';
import { expect, test } from 'vitest';
import { overlay, pageRanges } from './pages.ts';

const SEED = 20_260_104;
const pages = fc.uniqueArray(fc.nat(40)).map((list) => list.toSorted((a, b) => a - b));

test('neighbours make one range, and a gap up to the given one is bridged', () => {
  const list = [1, 2, 5, 9];
  expect(pageRanges(list)).toEqual([
    { start: 1, end: 3 },
    { start: 5, end: 6 },
    { start: 9, end: 10 },
  ]);
  expect(pageRanges(list, 2)).toEqual([
    { start: 1, end: 6 },
    { start: 9, end: 10 },
  ]);
});

test(`the upper layer hides the lower one (seed ${SEED})`, () => {
  fc.assert(
    fc.property(pages, pages, (lower, upper) => {
      const layer = (list: number[], name: string) =>
        pageRanges(list).map((range) => ({ ...range, name }));
      const laid = overlay(layer(lower, 'lower'), layer(upper, 'upper'));
      const owners = laid.flatMap(({ start, end, name }) =>
        Array.from({ length: end - start }, (_, i) => [start + i, name]),
      );
      const expected = [...new Set([...lower, ...upper])]
        .toSorted((a, b) => a - b)
        .map((page) => [page, upper.includes(page) ? 'upper' : 'lower']);
      expect(owners).toEqual(expected);
    }),
    { seed: SEED, numRuns: 1000 },
  );
});
