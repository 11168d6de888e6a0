import type { Guest } from '@polyvisor/host/guest';
import { describe, expect } from 'vitest';
import { chains } from './chains.ts';

const RICH = '0x00000000000000000000000000000000000000aa';
const POOR = '0x00000000000000000000000000000000000000bb';

const test = chains(
  { l1: { kind: 'evm', options: {} }, l2: { kind: 'evm', options: { chainId: 2 } } },
  { prepare: async ({ l1 }) => await l1.client.setBalance(RICH, 7n) },
);

describe('every test starts from the origin', () => {
  for (const name of ['one test', 'another test']) {
    test(`${name} sees what was prepared, and nobody's changes`, async ({ l1 }) => {
      const balance = async (address: string): Promise<unknown> =>
        await l1.provider.request({ method: 'eth_getBalance', params: [address, 'latest'] });
      expect(await balance(RICH)).toBe('0x7');
      expect(await balance(POOR)).toBe('0x0');
      expect(l1.head()).toBe('0');
      await l1.client.setBalance(RICH, 0n);
      await l1.client.setBalance(POOR, 1n);
      expect(await l1.client.mine(3)).toBe(3n);
    });
  }

  test('the origins are where they were', async ({ l1, $origins }) => {
    await l1.client.mine();
    expect($origins.l1.head()).toBe('0');
    expect(l1.parent).toBe($origins.l1.id);
  });
});

test('several chains at once, each of its own kind', async ({ l1, l2 }) => {
  expect(await l1.provider.request({ method: 'eth_chainId' })).toBe('0x7a69');
  expect(await l2.provider.request({ method: 'eth_chainId' })).toBe('0x2');
});

test('no ports, until one is asked for', async ({ l1 }) => {
  expect(l1.endpoints).toEqual([]);
  expect(await l1.listen()).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});

const kept: Guest[] = [];

test('a fork lives as long as its test', ({ l1 }) => {
  kept.push(l1);
  expect(l1.state).toEqual({ name: 'running' });
});

test('and is gone after it, unlike its origin', async ({ $origins }) => {
  expect(kept).toHaveLength(1);
  await expect(kept[0]!.snapshot()).rejects.toMatchObject({ code: 'guest-removed' });
  expect($origins.l1.state).toEqual({ name: 'running' });
});
