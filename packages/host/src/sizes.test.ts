import { describe, expect, test } from 'vitest';
import { formatSize, parseSize } from './sizes.ts';

describe('parseSize', () => {
  test.each([
    [0, 0],
    [65536, 65536],
    ['512', 512],
    ['64KiB', 65536],
    ['256 MiB', 268_435_456],
    ['2GiB', 2_147_483_648],
    ['1.5GiB', 1_610_612_736],
    ['1MB', 1_000_000],
    ['2g', 2_000_000_000],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text, 'memory')).toBe(bytes);
  });

  test.each(['', 'lots', '-1', '1 XiB', '0.3', Number.NaN, 1e300])('%s is refused', (text) => {
    expect(() => parseSize(text, 'guests.l1.memory')).toThrow(/guests\.l1\.memory/);
  });
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [1536, '1.5 KiB'],
  [268_435_456, '256 MiB'],
])('%d bytes are written %s', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});
