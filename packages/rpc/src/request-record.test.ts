import { expect, test } from 'vitest';
import { isSmall, requestRecord, startTimer } from './request-record.ts';

test.each([
  [undefined, true],
  [[], true],
  [['x'.repeat(4080)], true],
  [['x'.repeat(4081)], false],
  [[new Uint8Array(4080)], true],
  [[new Uint8Array(4081)], false],
  [{ ['n'.repeat(4081)]: 1 }, false],
  [Array.from({ length: 511 }, () => 1), true],
  [Array.from({ length: 512 }, () => 1), false],
  [[[[['x'.repeat(5000)]]]], false],
])('weighs params %#', (params, expected) => {
  expect(isSmall(params)).toBe(expected);
});

test('a record leaves out large params, and cuts a long method', () => {
  const record = requestRecord(startTimer(), 'ws', 'm'.repeat(200), ['x'.repeat(5000)], undefined);
  expect(record).toMatchObject({ method: `${'m'.repeat(128)}…`, params: undefined });
});
