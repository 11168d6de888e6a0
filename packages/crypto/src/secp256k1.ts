import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToBigInt, concatBytes } from '@polyvisor/bytes/bytes';
import { keccak256 } from './keccak.ts';
import { GROUP_ORDER } from './secp256k1/curve.ts';
import { recoverPoint } from './secp256k1/recover.ts';
import { nodeCrypto } from './node-crypto.ts';

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

/** Deterministic (RFC 6979), with the lower s. */
export function sign(digest: Uint8Array, privateKey: Uint8Array): Signature {
  const bytes = secp256k1.sign(digest, privateKey, { prehash: false, format: 'recovered' });
  return {
    yParity: bytes[0] === 1 ? 1 : 0,
    r: bytesToBigInt(bytes.subarray(1, 33)),
    s: bytesToBigInt(bytes.subarray(33, 65)),
  };
}

export function privateKeyToAddress(privateKey: Uint8Array): Uint8Array {
  return publicKeyToAddress(publicKeyOf(privateKey, 'uncompressed'));
}

/** @param privateKey 32 bytes; a number of [1, N). @returns 33 bytes, or 65 uncompressed */
export function publicKeyOf(
  privateKey: Uint8Array,
  format: 'compressed' | 'uncompressed',
): Uint8Array {
  if (!hasNodeCurve) return secp256k1.getPublicKey(privateKey, format === 'compressed');
  const pair = nodeCrypto!.createECDH('secp256k1');
  pair.setPrivateKey(privateKey);
  return Uint8Array.from(pair.getPublicKey(undefined, format));
}

/** Some builds of OpenSSL leave the curve out. */
const hasNodeCurve = nodeCrypto?.getCurves().includes('secp256k1') === true;

/** Address of a 65-byte uncompressed key. */
function publicKeyToAddress(key: Uint8Array): Uint8Array {
  return keccak256(key.subarray(1)).slice(12);
}
