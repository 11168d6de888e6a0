import type { GuestView } from '@polyvisor/host/control/views';
import { expect, test } from 'vitest';
import { withHeads, withUsage } from './live.ts';

const usage = {
  cpuMs: 1,
  work: '1',
  memoryBytes: 1,
  storageBytes: 1,
  networkBytes: 1,
  requests: 1,
  requestsFailed: 0,
};
const guest = (id: string): GuestView => ({
  id,
  name: id,
  kind: 'evm',
  state: 'running',
  createdAt: '2026-01-01T00:00:00.000Z',
  head: '7',
  facts: {},
  endpoints: [],
  limits: { cpuWeight: 1, memoryBytesMax: 1, storageBytesMax: 1 },
  usage,
});
const guests = { list: [guest('a'), guest('b')], error: undefined, connection: 0 };

test('a head moves in its own guest', () => {
  const after = withHeads(guests, new Map([['b', '8']]));
  expect(after.list?.map(({ head }) => head)).toEqual(['7', '8']);
});

test('usage reaches those that it names', () => {
  const more = { ...usage, requests: 9 };
  const after = withUsage(guests, { a: more, gone: more });
  expect(after.list?.map(({ usage: { requests } }) => requests)).toEqual([9, 1]);
});

test('before the list is known there is nothing to change', () => {
  const before = { list: undefined, error: undefined, connection: 0 };
  expect(withHeads(before, new Map([['a', '8']]))).toEqual(before);
});
