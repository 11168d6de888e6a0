import { expect } from 'vitest';
import { chains } from './chains.ts';

const test = chains({ l1: { kind: 'evm', options: { accounts: 1 } } });

test.concurrent.for([1, 2, 3, 4, 5, 6, 7, 8])(
  'tests that run at once have a chain each: %i blocks',
  async (blocks, { l1 }) => {
    expect(await l1.client.mine(blocks)).toBe(BigInt(blocks));
    expect(l1.head()).toBe(String(blocks));
  },
);

test('a file has origins of its own', async ({ l1 }) => {
  expect(l1.accounts).toHaveLength(1);
});
