import { expect, test } from 'vitest';
import { findPage, readSearch } from './search.ts';
import { readSlot } from './slot.ts';

const hash = `0x${'ab'.repeat(32)}`;
const address = `0x${'cd'.repeat(20)}`;

test.each([
  ['7', { kind: 'block', block: '7' }],
  [' 007 ', { kind: 'block', block: '7' }],
  ['0x10', { kind: 'block', block: '16' }],
  ['Latest', { kind: 'block', block: 'latest' }],
  [address.toUpperCase().replace('X', 'x'), { kind: 'account', address }],
  [hash, { kind: 'hash', hash }],
])('%s is searched as %o', (text, target) => {
  expect(readSearch(text)).toEqual(target);
});

test.each(['', 'hello', '-1', '1.5', '0x', '0xzz', `${address}0`, `${hash}0`])(
  '%s is nothing to search for',
  (text) => {
    expect(readSearch(text)).toBeUndefined();
  },
);

test('a hash is a transaction’s where the chain knows it, else a block’s', async () => {
  const target = { kind: 'hash', hash } as const;
  expect(await findPage('l1', target, async () => true)).toMatchObject({
    page: 'transaction',
    hash,
  });
  expect(await findPage('l1', target, async () => false)).toMatchObject({
    page: 'block',
    block: hash,
  });
});

test('a slot is a number below 2^256', () => {
  const last = 2n ** 256n - 1n;
  expect(readSlot('1')).toBe(`0x${'1'.padStart(64, '0')}`);
  expect(readSlot('0xFF')).toBe(`0x${'ff'.padStart(64, '0')}`);
  expect(readSlot(last.toString())).toBe(`0x${'ff'.repeat(32)}`);
  expect(readSlot((last + 1n).toString())).toBeUndefined();
  expect(readSlot('')).toBeUndefined();
});
