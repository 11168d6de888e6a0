import fc from 'fast-check';
import { bytesToHex } from '@polyvisor/bytes/hex';
import { hashTypedData } from 'viem';
import { expect, test } from 'vitest';
import { TYPED_DATA_DEPTH_MAX, typedDataHash } from './typed-data.ts';

const SEED = 712;

/** @see EIP-712, "Example" and assets/eip-712/Example.js */
const mail = {
  types: {
    EIP712Domain: [
      { name: 'name', type: 'string' },
      { name: 'version', type: 'string' },
      { name: 'chainId', type: 'uint256' },
      { name: 'verifyingContract', type: 'address' },
    ],
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallet', type: 'address' },
    ],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person' },
      { name: 'contents', type: 'string' },
    ],
  },
  primaryType: 'Mail',
  domain: {
    name: 'Ether Mail',
    version: '1',
    chainId: 1,
    verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC',
  },
  message: {
    from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
    to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
    contents: 'Hello, Bob!',
  },
};

test('the example of EIP-712 has the digest that the EIP says', () => {
  const digest = '0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2';
  expect(bytesToHex(typedDataHash(mail))).toBe(digest);
  expect(bytesToHex(typedDataHash(JSON.stringify(mail)))).toBe(digest);
});

const bytesOf = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size }).map(bytesToHex);

test('every kind of value is hashed as viem does', () => {
  const types = {
    EIP712Domain: [{ name: 'chainId', type: 'uint256' }],
    Leaf: [
      { name: 'a', type: 'uint8' },
      { name: 'b', type: 'int256' },
      { name: 'c', type: 'bytes32' },
      { name: 'd', type: 'bytes3' },
    ],
    Tree: [
      { name: 'leaves', type: 'Leaf[]' },
      { name: 'pairs', type: 'uint256[2][]' },
      { name: 'text', type: 'string' },
      { name: 'bytes', type: 'bytes' },
      { name: 'to', type: 'address' },
      { name: 'is', type: 'bool' },
    ],
  } as const;
  const leaf = fc.record({
    a: fc.nat(255),
    b: fc.bigInt({ min: -(2n ** 255n), max: 2n ** 255n - 1n }),
    c: bytesOf(32),
    d: bytesOf(3),
  });
  const uint = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });
  const tree = fc.record({
    leaves: fc.array(leaf, { maxLength: 3 }),
    pairs: fc.array(fc.tuple(uint, uint), { maxLength: 3 }),
    text: fc.string(),
    bytes: fc.uint8Array({ maxLength: 70 }).map(bytesToHex),
    to: bytesOf(20),
    is: fc.boolean(),
  });
  fc.assert(
    fc.property(tree, (message) => {
      const typedData = { types, primaryType: 'Tree', domain: { chainId: 5 }, message } as const;
      expect(bytesToHex(typedDataHash(typedData))).toBe(hashTypedData(typedData as never));
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test.each([
  ['text that is no JSON', '{', 'typed data: '],
  ['no types', {}, "'types' is no object"],
  ['an unknown type', { ...mail, primaryType: 'Letter' }, "unknown type 'Letter'"],
  ['a value of another kind', { ...mail, message: { ...mail.message, contents: 5 } }, '5 is no'],
  ['a missing struct', { ...mail, message: undefined }, "'Mail' is no object"],
])('%s is refused', (_, typedData, problem) => {
  expect(() => typedDataHash(typedData)).toThrow(problem);
});

test('values nest as deep as the limit, and no deeper', () => {
  const types = { EIP712Domain: [], Node: [{ name: 'next', type: 'Node' }] };
  const nested = (depth: number): unknown => (depth === 0 ? {} : { next: nested(depth - 1) });
  const hash = (depth: number): Uint8Array =>
    typedDataHash({ types, primaryType: 'Node', domain: {}, message: nested(depth) });
  expect(hash(TYPED_DATA_DEPTH_MAX - 1)).toHaveLength(32);
  expect(hash(TYPED_DATA_DEPTH_MAX)).toHaveLength(32);
  expect(() => hash(TYPED_DATA_DEPTH_MAX + 1)).toThrow('nested deeper');
});
