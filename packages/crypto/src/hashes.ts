import { ripemd160 as nobleRipemd160 } from '@noble/hashes/legacy.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';

export function sha256(data: Uint8Array): Uint8Array {
  return nobleSha256(data);
}

/** Of the parts, one after the other. */
export function sha256OfParts(parts: Iterable<Uint8Array>): Uint8Array {
  const hash = nobleSha256.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export function ripemd160(data: Uint8Array): Uint8Array {
  return nobleRipemd160(data);
}
