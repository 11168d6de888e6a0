import type { SnapshotView } from '@polyvisor/host/control/views';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layoutSnapshots } from './snapshot-layout.ts';

/** `parents[i]` is the row of the parent of row `i`, or -1. */
function tree(...parents: readonly number[]): SnapshotView[] {
  return parents.map((parent, row) => ({
    id: `s${row}`,
    takenAt: '2026-01-01T00:00:00.000Z',
    head: '0',
    isCurrent: false,
    ...(parent < 0 ? {} : { parent: `s${parent}` }),
  }));
}

const lanes = (...parents: readonly number[]): number[] =>
  layoutSnapshots(tree(...parents)).rows.map(({ lane }) => lane);

test('no snapshots take no lanes', () => {
  expect(layoutSnapshots([])).toEqual({ rows: [], lines: [], laneCount: 0 });
});

test('one after the other stay in one lane', () => {
  expect(lanes(-1, 0, 1, 2)).toEqual([0, 0, 0, 0]);
});

test('another way from the same snapshot takes the lane beside it', () => {
  expect(lanes(-1, 0, 1, 0, 3)).toEqual([0, 0, 0, 1, 1]);
});

test('a lane whose branch has ended is used again', () => {
  expect(lanes(-1, 0, 0, 1, 3, 4, 4)).toEqual([0, 0, 1, 0, 0, 0, 1]);
});

test('several roots, as removed ancestors leave them, stand side by side while both go on', () => {
  expect(lanes(-1, -1, 0, 1)).toEqual([0, 1, 0, 1]);
});

test('lines never run through a snapshot that is not theirs', () =>
  fc.assert(
    fc.property(
      fc
        .array(fc.nat(), { maxLength: 60 })
        .map((seeds) => seeds.map((seed, row) => (seed % (row + 1)) - 1)),
      (parents) => {
        const { rows, lines, laneCount } = layoutSnapshots(tree(...parents));
        expect(lines.length).toBe(parents.filter((parent) => parent >= 0).length);
        for (const { lane } of rows) expect(lane).toBeLessThan(laneCount);
        for (const { fromRow, toRow, toLane } of lines) {
          for (let row = fromRow + 1; row < toRow; row++) expect(rows[row]?.lane).not.toBe(toLane);
        }
      },
    ),
    { seed: 7400, numRuns: 300 },
  ));
