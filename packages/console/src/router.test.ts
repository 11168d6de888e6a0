import { expect, test } from 'vitest';
import { hrefOf, parseRoute } from './router.ts';
import type { Route } from './router.ts';

const guest = 'l1';
const pages: readonly (readonly [string, Route])[] = [
  ['#/guests', { page: 'guests' }],
  ['#/new', { page: 'create' }],
  ['#/host', { page: 'host' }],
  ['#/guests/l1', { page: 'overview', guest }],
  ['#/guests/l1/blocks', { page: 'blocks', guest }],
  ['#/guests/l1/snapshots', { page: 'snapshots', guest }],
  ['#/guests/l1/requests', { page: 'requests', guest }],
  ['#/guests/l1/blocks/7', { page: 'block', guest, block: '7' }],
  ['#/guests/l1/transactions/0xab', { page: 'transaction', guest, hash: '0xab' }],
  ['#/guests/l1/accounts/0xcd', { page: 'account', guest, address: '0xcd' }],
];

test.each(pages)('%s is the address of its page, both ways', (hash, route) => {
  expect(parseRoute(hash)).toEqual(route);
  expect(hrefOf(route)).toBe(hash);
});

test('the bare address shows the guests', () => {
  expect(parseRoute('')).toEqual({ page: 'guests' });
  expect(parseRoute('#/')).toEqual({ page: 'guests' });
});

test.each(['#/nothing', '#/guests/l1/what', '#/guests/l1/blocks/7/8', '#/host/x', '#/guests/'])(
  '%s is no page',
  (hash) => {
    expect(parseRoute(hash)).toEqual({ page: 'missing', path: hash.slice(1) });
  },
);

test('what a person writes into the address breaks nothing', () => {
  expect(parseRoute('#/guests/%E0%A4%A')).toEqual({ page: 'overview', guest: '%E0%A4%A' });
});
