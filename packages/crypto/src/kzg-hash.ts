import { sha256 } from './hashes.ts';

/** 0x01 and the last 31 bytes of the commitment's SHA-256. @see EIP-4844, kzg_to_versioned_hash */
export function kzgVersionedHash(commitment: Uint8Array): Uint8Array {
  const hash = sha256(commitment);
  hash[0] = 1;
  return hash;
}
