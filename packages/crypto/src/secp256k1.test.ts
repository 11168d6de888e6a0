import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bigIntToBytes } from '@polyvisor/bytes/bytes';
import { bytesToHex } from '@polyvisor/bytes/hex';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  SECP256K1_N,
  privateKeyToAddress,
  publicKeyOf,
  recoverAddress,
  recoverPublicKey,
  sign,
} from './secp256k1.ts';

const SEED = 256;
const N = SECP256K1_N;
const { Point } = secp256k1;

/** Q = (s R - z G) / r as noble has it. */
function reference(z: bigint, r: bigint, s: bigint, yParity: 0 | 1): string | undefined {
  try {
    const signature = new secp256k1.Signature(r, s, yParity);
    return bytesToHex(signature.recoverPublicKey(bigIntToBytes(z, 32)).toBytes(false));
  } catch {
    return undefined;
  }
}

function recovered(z: bigint, r: bigint, s: bigint, yParity: 0 | 1): string | undefined {
  const key = recoverPublicKey(bigIntToBytes(z, 32), r, s, yParity);
  return key && bytesToHex(key);
}

const mod = (value: bigint): bigint => ((value % N) + N) % N;

function inverse(value: bigint): bigint {
  return Point.Fn.inv(mod(value));
}

/** x and parity of k G. */
function pointOf(k: bigint): { x: bigint; parity: 0 | 1 } {
  const { x, y } = Point.BASE.multiply(k).toAffine();
  return { x, parity: y & 1n ? 1 : 0 };
}

/** Numbers of all sizes, and those near 0, 2^128, the order and 2^256. */
const number = fc.oneof(
  fc.bigInt({ min: 1n, max: N - 1n }),
  fc.bigInt({ min: 1n, max: 1000n }),
  fc.bigInt({ min: 0n, max: 1000n }).map((n) => N - 1n - n),
  fc.bigInt({ min: -1000n, max: 1000n }).map((n) => 2n ** 128n + n),
  fc
    .bigInt({ min: 0n, max: 255n })
    .map((n) => 1n << n)
    .filter((n) => n < N),
);
const parity = fc.constantFrom(0 as const, 1 as const);

describe(`recovery of public keys (seed ${SEED})`, () => {
  test('agrees with the reference on any numbers, of which half have no point', () => {
    fc.assert(
      fc.property(number, number, number, parity, (z, r, s, p) => {
        expect(recovered(z, r, s, p)).toBe(reference(z, r, s, p));
      }),
      { seed: SEED, numRuns: 400 },
    );
  });

  test('gives the key that signed', () => {
    fc.assert(
      fc.property(number, number, (z, key) => {
        const [digest, secret] = [bigIntToBytes(z, 32), bigIntToBytes(key, 32)];
        const { r, s, yParity } = sign(digest, secret);
        expect(recoverAddress(digest, r, s, yParity)).toEqual(privateKeyToAddress(secret));
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  test('small multiples of the generator, where sums meet their own terms', () => {
    for (let k = 1n; k <= 10n; k++) {
      const { x, parity: p } = pointOf(k);
      for (let i = 0n; i <= 12n; i++) {
        // s R - z G = (s k - z) G for z and s that make it i, -i and 2 k.
        for (const [z, s] of [
          [k - i, 1n],
          [k + i, 1n],
          [mod(-k), 1n],
          [i, inverse(k)],
        ] as const) {
          expect(recovered(mod(z), x, s, p)).toBe(reference(mod(z), x, s, p));
        }
      }
    }
  });

  test('a key at infinity is none', () => {
    const { x, parity: p } = pointOf(77n);
    expect(recovered(77n, x, 1n, p)).toBeUndefined();
  });

  test('a digest above the order counts modulo the order', () => {
    const { x, parity: p } = pointOf(5n);
    expect(recovered(N + 3n, x, 9n, p)).toBe(recovered(3n, x, 9n, p));
    expect(recovered(2n ** 256n - 1n, x, 9n, p)).toBe(reference(2n ** 256n - 1n, x, 9n, p));
  });

  test('r and s from 1 to the order - 1 are signatures, others are not', () => {
    const { x, parity: p } = pointOf(5n);
    for (const bad of [0n, N, N + 1n, 2n ** 256n - 1n]) {
      expect(recovered(1n, bad, 1n, p)).toBeUndefined();
      expect(recovered(1n, x, bad, p)).toBeUndefined();
    }
    expect(recovered(1n, x, N - 1n, p)).toBe(reference(1n, x, N - 1n, p));
    expect(recovered(1n, N - 1n, 1n, p)).toBe(reference(1n, N - 1n, 1n, p));
  });
});

describe(`signatures and public keys (seed ${SEED})`, () => {
  const key = fc.bigInt({ min: 1n, max: N - 1n }).map((n) => bigIntToBytes(n, 32));
  const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });

  test('a signature is the one of RFC 6979, with the lower s', () => {
    fc.assert(
      fc.property(digest, key, (message, secret) => {
        const theirs = secp256k1.sign(message, secret, { prehash: false, format: 'recovered' });
        const { r, s, yParity } = sign(message, secret);
        const ours = [yParity, ...bigIntToBytes(r, 32), ...bigIntToBytes(s, 32)];
        expect(ours).toEqual([...theirs]);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('a digest above the order counts modulo the order', () => {
    const secret = bigIntToBytes(7n, 32);
    const high = bigIntToBytes(N + 5n, 32);
    const theirs = secp256k1.sign(high, secret, { prehash: false, format: 'recovered' });
    expect(sign(high, secret).r).toBe(BigInt(bytesToHex(theirs.subarray(1, 33))));
  });

  test('public keys are those of the reference, in both forms', () => {
    fc.assert(
      fc.property(
        number.filter((n) => n > 0n && n < N),
        (n) => {
          const secret = bigIntToBytes(n, 32);
          for (const format of ['compressed', 'uncompressed'] as const) {
            const theirs = secp256k1.getPublicKey(secret, format === 'compressed');
            expect(bytesToHex(publicKeyOf(secret, format))).toBe(bytesToHex(theirs));
          }
        },
      ),
      { seed: SEED, numRuns: 300 },
    );
  });
});
