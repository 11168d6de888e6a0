import fc from 'fast-check';
import { expect, test } from 'vitest';
import { modexp } from './modexp.ts';

const SEED = 20_260_112;
const P = 2n ** 256n - 2n ** 32n - 977n;

test.each([
  // The examples of EIP-198.
  [3n, 2n ** 256n - 2n ** 32n - 978n, P, 1n],
  [0n, 2n ** 256n - 2n ** 32n - 978n, P, 0n],
  [3n, 65_535n, 2n ** 255n, 3n ** 65_535n % 2n ** 255n],
  [0n, 0n, 7n, 1n],
  [5n, 0n, 7n, 1n],
  [0n, 5n, 7n, 0n],
  [5n, 5n, 1n, 0n],
  [5n, 0n, 1n, 0n],
  [5n, 5n, 0n, 0n],
  [14n, 3n, 7n, 0n],
])('%i ^ %i mod %i', (base, exponent, modulus, expected) => {
  expect(modexp(base, exponent, modulus)).toBe(expected);
});

test(`any power is that of repeated multiplication (seed ${SEED})`, () => {
  const number = fc.bigInt({ min: 0n, max: 2n ** 512n });
  fc.assert(
    fc.property(number, fc.nat(3000), number, (base, exponent, modulus) => {
      const expected = modulus === 0n ? 0n : base ** BigInt(exponent) % modulus;
      expect(modexp(base, BigInt(exponent), modulus)).toBe(expected);
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test(`to the order of the group every number is one (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: P - 1n }), (base) => {
      expect(modexp(base, P - 1n, P)).toBe(1n);
    }),
    { seed: SEED },
  );
});
