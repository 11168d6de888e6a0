import { p256 } from '@noble/curves/nist.js';

/**
 * Whether (r, s) is a signature of a 32-byte digest by the key (x, y); either s is accepted.
 * @see EIP-7951; FIPS 186-5, section 6.4.2
 */
export function verifyP256(
  digest: Uint8Array,
  r: bigint,
  s: bigint,
  x: bigint,
  y: bigint,
): boolean {
  try {
    const key = p256.Point.fromAffine({ x, y });
    key.assertValidity();
    const signature = new p256.Signature(r, s);
    return p256.verify(signature.toBytes(), digest, key.toBytes(false), {
      prehash: false,
      lowS: false,
    });
  } catch {
    // Out-of-range numbers and points off the curve.
    return false;
  }
}
