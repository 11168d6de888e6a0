import { sha256 } from '@polyvisor/crypto/hashes';
import { nodeCrypto } from '@polyvisor/crypto/node-crypto';

export const HASH_BYTES = 32;

let own: ReturnType<typeof nodeCrypto>;

/** SHA-256, by Node's own code where there is one: a block of 4 KiB in 5 µs instead of 20. */
export function contentHash(content: Uint8Array): Uint8Array {
  return (own ??= nodeCrypto())?.hash('sha256', content, 'buffer') ?? sha256(content);
}
