import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  address,
  count,
  data,
  flag,
  hash32,
  list,
  optional,
  quantity,
  uint64,
  wholeNumber,
} from './parameters.ts';
import { blockId, blockNumberOrTag } from './block-id.ts';
import { TestNode } from './testing/test-node.ts';
import { callRequest } from './request-parameters.ts';

const SEED = 20_260_301;

test('a quantity is read back as it was written', () =>
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (value) => {
      expect(quantity.read(`0x${value.toString(16)}`)).toBe(value);
      expect(wholeNumber.read(value.toString())).toBe(value);
    }),
    { seed: SEED },
  ));

test.each([
  ['', 'empty hex string'],
  ['12', 'hex string without 0x prefix'],
  ['0x', 'hex string "0x"'],
  ['0x01', 'hex number with leading zero digits'],
  ['0xzz', 'invalid hex string'],
  [`0x1${'0'.repeat(64)}`, 'hex number > 256 bits'],
  [5, 'non-string'],
])('%j is no quantity: %s', (value, problem) => {
  const message = `json: cannot unmarshal ${problem} into Go value of type *hexutil.Big`;
  expect(() => quantity.read(value)).toThrow(message);
});

test('64 bits are the most of a uint64', () => {
  expect(uint64.read(`0x${'f'.repeat(16)}`)).toBe(2n ** 64n - 1n);
  expect(() => uint64.read(`0x1${'0'.repeat(16)}`)).toThrow('hex number > 64 bits');
});

test('development tools send numbers in every form', () => {
  expect([7, '7', '0x7', '0x007'].map((value) => wholeNumber.read(value))).toEqual([
    7n,
    7n,
    7n,
    7n,
  ]);
  for (const bad of [-1, 1.5, '-1', '0x', 'seven', null, 2 ** 53, `0x1${'0'.repeat(64)}`]) {
    expect(() => wholeNumber.read(bad)).toThrow('is not a whole number');
  }
  expect(count.read(Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
  expect(() => count.read('9007199254740992')).toThrow('larger than 2^53 - 1');
});

test('an address of another length says which it has', () => {
  const short = `0x${'00'.repeat(19)}`;
  expect(() => address.read(short)).toThrow('hex string has length 38, want 40 for common.Address');
  expect(() => address.read('00'.repeat(20))).toThrow(
    'json: cannot unmarshal hex string without 0x prefix into Go value of type common.Address',
  );
  expect(() => hash32.read('0x123')).toThrow('hex string of odd length');
});

test('bytes, flags and lists', () => {
  expect(data.read('0x')).toEqual(new Uint8Array(0));
  expect(data.read('0xABcd')).toEqual(Uint8Array.of(0xab, 0xcd));
  expect(() => flag.read('true')).toThrow(
    'json: cannot unmarshal string into Go value of type bool',
  );
  const two = list(flag, 2);
  expect(two.read([true, false])).toEqual([true, false]);
  expect(() => two.read([true, true, true])).toThrow('3 elements are more than 2');
  expect(optional(flag, true).read(null)).toBe(true);
});

test('a block is named by number, tag or hash', () => {
  const hash = `0x${'ab'.repeat(32)}`;
  expect(blockId.read('0x10')).toBe(16n);
  expect(blockId.read('safe')).toBe('safe');
  expect(blockId.read(hash)).toHaveLength(32);
  expect(blockId.read({ blockHash: hash })).toHaveLength(32);
  expect(blockId.read({ blockNumber: 'latest' })).toBe('latest');
  expect(() => blockId.read({})).toThrow('neither block nor hash specified');
  expect(() => blockNumberOrTag.read('2')).toThrow('hex string without 0x prefix');
  expect(() => blockNumberOrTag.read(`0x${'f'.repeat(16)}`)).toThrow('larger than int64');
});

test('an error in a field names the field', () => {
  expect(() => callRequest.read({ value: '5' })).toThrow(
    'json: cannot unmarshal hex string without 0x prefix into Go struct field TransactionArgs.value of type *hexutil.Big',
  );
  expect(() => callRequest.read({ to: '0x00' })).toThrow(
    'to: hex string has length 2, want 40 for common.Address',
  );
  expect(() => callRequest.read({ accessList: [{ storageKeys: [] }] })).toThrow(
    "accessList: missing required field 'address' for AccessTuple",
  );
  expect(() => callRequest.read({ data: '0x01', input: '0x02' })).toThrow(
    'both "data" and "input" are set and not equal',
  );
});

test('what is wrong with arguments is told as geth does', () => {
  const node = new TestNode();
  const failing = (...call: [string, ...unknown[]]): unknown => {
    try {
      return node.call(...call);
    } catch (error) {
      const { code, message } = error as { code: number; message: string };
      return [code, message];
    }
  };
  expect(failing('eth_getBalance')).toEqual([-32602, 'missing value for required argument 0']);
  expect(failing('eth_getBalance', '0x00')).toEqual([
    -32602,
    'invalid argument 0: hex string has length 2, want 40 for common.Address',
  ]);
  expect(failing('eth_chainId', 1)).toEqual([-32602, 'too many arguments, want at most 0']);
  expect(failing('eth_getTransactionByHash', '10')).toEqual([
    -32602,
    'invalid argument 0: json: cannot unmarshal hex string without 0x prefix into Go value of type common.Hash',
  ]);
  expect(failing('eth_nothing')).toEqual([
    -32601,
    'the method eth_nothing does not exist/is not available',
  ]);
  expect(() => node.service.call('eth_chainId', { a: 1 }, node.session)).toThrow('non-array args');
});
