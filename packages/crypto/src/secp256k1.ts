import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToBigInt } from '@polyvisor/bytes/bytes';
import { keccak256 } from './keccak.ts';
import { nodeCrypto } from './node-crypto.ts';

/** Order of the curve's group. @see SEC 2, version 2.0, section 2.4.1 */
export const SECP256K1_N =
  0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n;

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
  try {
    const signature = new secp256k1.Signature(r, s, yParity);
    return signature.recoverPublicKey(digest).toBytes(false);
  } catch {
    // The library throws where r is no x-coordinate of a point or the key is the point at infinity.
    return undefined;
  }
}

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
