import { expect, test } from 'vitest';
import { Ring } from './ring.ts';

function filled(count: number, capacity: number): Ring<number> {
  const ring = new Ring<number>(capacity);
  for (let n = 1; n <= count; n++) ring.push(n);
  return ring;
}

test.each([
  [2, [1, 2]],
  [3, [1, 2, 3]],
  [4, [2, 3, 4]],
  [10, [8, 9, 10]],
])('after %d items a ring of three holds %j', (count, kept) => {
  expect(filled(count, 3).since()).toEqual(kept);
});

test('a reader goes on where it stopped, and misses only what is gone', () => {
  const ring = filled(10, 3);
  expect(ring.since(8)).toEqual([9, 10]);
  expect(ring.since(2)).toEqual([8, 9, 10]);
  expect(ring.since(10)).toEqual([]);
});

test('a limit keeps the newest', () => {
  expect(filled(10, 5).since(0, 2)).toEqual([9, 10]);
});

test('a follower sees each new item with its number until it ends', () => {
  const ring = filled(2, 3);
  const seen: [number, number][] = [];
  const end = ring.follow((item, number) => seen.push([item, number]));
  ring.push(30);
  end();
  ring.push(40);
  expect(seen).toEqual([[30, 3]]);
});
