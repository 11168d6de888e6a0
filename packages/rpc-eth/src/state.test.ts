import { expect, test } from 'vitest';
import { STORAGE_KEYS_MAX } from './state.ts';
import { TestNode } from './testing/test-node.ts';

const account = `0x${'ab'.repeat(20)}`;
const word = (value: number): string => `0x${value.toString(16).padStart(64, '0')}`;

/**
 * The cases and texts are those of execution-apis, tests/eth_getStorageAt and
 * tests/eth_getStorageValues.
 */
test('a slot has a key of 32 bytes at most', async () => {
  const node = new TestNode();
  await node.call('anvil_setStorageAt', account, 1, 5);
  for (const key of ['0x1', '0x01', '1', word(1)]) {
    expect(node.call('eth_getStorageAt', account, key)).toBe(word(5));
  }
  const long = `0x${'0'.repeat(65)}`;
  expect(() => node.call('eth_getStorageAt', account, long)).toThrow(
    `storage key too long (want at most 32 bytes): "${long}"`,
  );
  expect(() => node.call('eth_getStorageAt', account, '0xasdf', 'latest')).toThrow(
    'invalid hex in storage key: "0xasdf"',
  );
});

test('many slots of many accounts come in one answer', async () => {
  const node = new TestNode();
  await node.call('anvil_setStorageAt', account, 1, 5);
  const values = (keys: unknown): unknown => node.call('eth_getStorageValues', keys, 'latest');
  expect(values({ [account]: [word(1), word(2)] })).toEqual({ [account]: [word(5), word(0)] });
  expect(() => values({})).toThrow('empty request');
  const keys = Array.from({ length: STORAGE_KEYS_MAX }, (_, i) => word(i));
  expect(values({ [account]: keys })).toHaveProperty(account);
  expect(() => values({ [account]: keys, [`0x${'00'.repeat(20)}`]: [word(1)] })).toThrow(
    'too many slots (max 1024)',
  );
});

test('a proof repeats a key as it was given', () => {
  const proof = new TestNode().call('eth_getProof', account, ['0x00', word(0)], 'latest');
  expect(proof).toMatchObject({ storageProof: [{ key: '0x0' }, { key: word(0) }] });
});

test('an account that there is not has nothing', () => {
  const node = new TestNode();
  expect(node.call('eth_getAccount', account)).toBeNull();
  expect(node.call('eth_getAccountInfo', account)).toEqual({
    nonce: '0x0',
    balance: '0x0',
    code: '0x',
  });
  expect(() => node.call('eth_getBalance', account, '0x99')).toThrow('header not found');
});
