import { describe, expect, test } from 'vitest';
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
  formatScaled,
  formatShare,
  formatWei,
  shortenHex,
} from './format.ts';

test('bytes are in the largest binary unit that keeps them at 1 or above', () => {
  expect([0, 1023, 1024, 1536, 2 ** 20, 2 ** 30, 2 ** 50].map(formatBytes)).toEqual([
    '0 B',
    '1023 B',
    '1 KiB',
    '1.5 KiB',
    '1 MiB',
    '1 GiB',
    '1024 TiB',
  ]);
});

test('large counts get a decimal unit and at most three digits', () => {
  expect([0, 999, 1000, 21_000, 30_000_000, 123_456_789].map(formatScaled)).toEqual([
    '0',
    '999',
    '1 k',
    '21 k',
    '30 M',
    '123 M',
  ]);
});

test('counts are grouped by thin spaces', () => {
  expect(formatCount(123)).toBe('123');
  expect(formatCount(1234n)).toBe('1\u2009234');
  expect(formatCount(10n ** 9n)).toBe('1\u2009000\u2009000\u2009000');
});

test('shares are percent of one CPU', () => {
  expect([0, 0.004, 0.0999, 0.1, 1].map(formatShare)).toEqual([
    '0.0 %',
    '0.4 %',
    '10.0 %',
    '10 %',
    '100 %',
  ]);
});

test('durations keep what can be told apart', () => {
  expect([0.034, 9.994, 10, 999, 1000, 65_432].map(formatDuration)).toEqual([
    '0.03 ms',
    '9.99 ms',
    '10 ms',
    '999 ms',
    '1.0 s',
    '65.4 s',
  ]);
});

test('times are told from now, before and ahead', () => {
  const ago = (seconds: number): string => formatAgo(1_000_000_000, 1_000_000_000 + seconds * 1000);
  expect([0, 1, 2, 99, 100, 3600, 5 * 3600, 3 * 86_400, -30].map(ago)).toEqual([
    'just now',
    'just now',
    '2 s ago',
    '99 s ago',
    '2 min ago',
    '60 min ago',
    '5 h ago',
    '3 d ago',
    'in 30 s',
  ]);
});

describe('wei', () => {
  test('take the unit that keeps them short', () => {
    expect(formatWei(0n)).toBe('0 ETH');
    expect(formatWei(7n)).toBe('7 wei');
    expect(formatWei(1_338_561_537n)).toBe('1.338561537 gwei');
    expect(formatWei(15n * 10n ** 17n)).toBe('1.5 ETH');
    expect(formatWei(10_000n * 10n ** 18n)).toBe('10\u2009000 ETH');
  });
  test('lose no digit', () => {
    expect(formatWei(10n ** 18n + 1n)).toBe('1.000000000000000001 ETH');
  });
});

test('hex is shortened when that saves something', () => {
  expect(shortenHex('0x12345678')).toBe('0x12345678');
  expect(shortenHex('0x123456789')).toBe('0x123456789');
  expect(shortenHex('0x123456789a')).toBe('0x1234…789a');
});
