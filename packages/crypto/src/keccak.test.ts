import { keccak_256 } from '@noble/hashes/sha3.js';
import { hexToBytes } from '@polyvisor/bytes/hex';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KECCAK_EMPTY, keccak256 } from './keccak.ts';

const SEED = 20_260_110;

test('the hash of nothing, and of "abc"', () => {
  expect(keccak256(new Uint8Array(0))).toEqual(KECCAK_EMPTY);
  // See the Keccak team's known answers, KeccakKAT, ShortMsgKAT_256.
  expect(keccak256(new TextEncoder().encode('abc'))).toEqual(
    hexToBytes('4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45'),
  );
});

test("every length about the block's 136 bytes is noble's hash", () => {
  const bytes = Uint8Array.from({ length: 600 }, (_, i) => (i * 7 + 1) & 0xff);
  for (let length = 0; length <= bytes.length; length++) {
    const data = bytes.subarray(0, length);
    expect(keccak256(data)).toEqual(keccak_256(data));
  }
});

test(`any bytes give noble's hash, wherever they lie (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(20), (bytes, skip) => {
      const data = bytes.subarray(Math.min(skip, bytes.length));
      expect(keccak256(data)).toEqual(keccak_256(data));
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test("input longer than the kernel's memory makes it grow, and leaves no trace", () => {
  const long = new Uint8Array(3 << 20).fill(0xa5);
  const small = Uint8Array.of(1);
  const before = keccak256(small);
  expect(keccak256(long)).toEqual(keccak_256(long));
  expect(keccak256(small)).toEqual(before);
});

test('a digest stays as it is when the next one is made', () => {
  const first = keccak256(Uint8Array.of(1));
  const copy = first.slice();
  keccak256(Uint8Array.of(2));
  expect(first).toEqual(copy);
});
