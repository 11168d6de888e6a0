import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bigIntToBytes, bytesToBigInt, concatBytes } from '@polyvisor/bytes/bytes';
import { keccak256 } from './keccak.ts';
import { GROUP_ORDER } from './secp256k1/curve.ts';
import { invertScalar, multiplyGenerator, recoverPoint } from './secp256k1/kernel.ts';

/** Order of the curve's group. */
export const SECP256K1_N: bigint = GROUP_ORDER;

export interface Signature {
  readonly r: bigint;
  readonly s: bigint;
  readonly yParity: 0 | 1;
}

/** The 65-byte uncompressed public key that made a signature of a 32-byte digest; undefined if none did. */
export function recoverPublicKey(
  digest: Uint8Array,
  r: bigint,
  s: bigint,
  yParity: 0 | 1,
): Uint8Array | undefined {
  if (r <= 0n || r >= SECP256K1_N || s <= 0n || s >= SECP256K1_N) return undefined;
  const point = recoverPoint(bytesToBigInt(digest), r, s, yParity);
  return point && concatBytes(UNCOMPRESSED, point);
}

/** What an uncompressed key begins with. @see SEC 1, version 2.0, section 2.3.3 */
const UNCOMPRESSED = Uint8Array.of(0x04);

/** The account that signed, or undefined. @see Yellow Paper, appendix F */
export function recoverAddress(
  digest: Uint8Array,
  r: bigint,
  s: bigint,
  yParity: 0 | 1,
): Uint8Array | undefined {
  const key = recoverPublicKey(digest, r, s, yParity);
  return key && publicKeyToAddress(key);
}

/**
 * Deterministic (RFC 6979), with the lower s. How long it takes depends on the key: it is for keys that are no secret,
 * those of development accounts.
 * @param privateKey 32 bytes; a number of [1, N)
 * @see SEC 1, version 2.0, section 4.1.3
 */
export function sign(digest: Uint8Array, privateKey: Uint8Array): Signature {
  const d = bytesToBigInt(privateKey);
  const z = bytesToBigInt(digest);
  const candidates = nonces(digest, privateKey);
  for (;;) {
    const k = candidates.next().value;
    const point = multiplyGenerator(k);
    const r = bytesToBigInt(point.subarray(0, 32));
    // One in 2^127 nonces: beyond the order there are other rules.
    if (r >= SECP256K1_N) continue;
    const s = (invertScalar(k) * (z + r * d)) % SECP256K1_N;
    if (s === 0n) continue;
    const isOdd = (point[63]! & 1) === 1;
    const isHigh = s > SECP256K1_N / 2n;
    return { r, s: isHigh ? SECP256K1_N - s : s, yParity: isOdd === isHigh ? 0 : 1 };
  }
}

/** Candidates for the nonce of a signature. @see RFC 6979, section 3.2 */
function* nonces(digest: Uint8Array, privateKey: Uint8Array): Generator<bigint, never, void> {
  const reduced = bigIntToBytes(bytesToBigInt(digest) % SECP256K1_N, 32);
  const seed = concatBytes(privateKey, reduced);
  let key: Uint8Array = new Uint8Array(32);
  let value: Uint8Array = new Uint8Array(32).fill(1);
  const next = (tag: number, more: Uint8Array): void => {
    key = hmac(sha256, key, concatBytes(value, Uint8Array.of(tag), more));
    value = hmac(sha256, key, value);
  };
  next(0, seed);
  next(1, seed);
  for (;;) {
    value = hmac(sha256, key, value);
    const k = bytesToBigInt(value);
    if (k > 0n && k < SECP256K1_N) yield k;
    next(0, NOTHING);
  }
}

const NOTHING = new Uint8Array(0);

export function privateKeyToAddress(privateKey: Uint8Array): Uint8Array {
  return publicKeyToAddress(publicKeyOf(privateKey, 'uncompressed'));
}

/** @param privateKey 32 bytes; a number of [1, N). @returns 33 bytes, or 65 uncompressed */
export function publicKeyOf(
  privateKey: Uint8Array,
  format: 'compressed' | 'uncompressed',
): Uint8Array {
  const point = multiplyGenerator(bytesToBigInt(privateKey));
  if (format === 'uncompressed') return concatBytes(UNCOMPRESSED, point);
  return concatBytes(Uint8Array.of(2 + (point[63]! & 1)), point.subarray(0, 32));
}

/** Address of a 65-byte uncompressed key. */
function publicKeyToAddress(key: Uint8Array): Uint8Array {
  return keccak256(key.subarray(1)).slice(12);
}
