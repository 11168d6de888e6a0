import { keccak256 } from '@polyvisor/crypto/keccak';
import type { Log } from '@polyvisor/evm/world';

const BLOOM_BYTES = 256;

/** Filter over the addresses and topics of logs. @see Yellow Paper, section 4.4.1, M_3:2048 */
export function bloomOf(logs: readonly Log[]): Uint8Array {
  const bloom = new Uint8Array(BLOOM_BYTES);
  for (const log of logs) {
    add(bloom, log.address);
    for (const topic of log.topics) add(bloom, topic);
  }
  return bloom;
}

/** Whether the filter may contain the value; false is certain. */
export function bloomMayContain(bloom: Uint8Array, value: Uint8Array): boolean {
  return bitsOf(value).every((bit) => (bloom[byteOf(bit)]! & (1 << (bit & 7))) !== 0);
}

export function mergeBlooms(blooms: readonly Uint8Array[]): Uint8Array {
  const merged = new Uint8Array(BLOOM_BYTES);
  for (const bloom of blooms) for (let i = 0; i < BLOOM_BYTES; i++) merged[i]! |= bloom[i]!;
  return merged;
}

function add(bloom: Uint8Array, value: Uint8Array): void {
  for (const bit of bitsOf(value)) bloom[byteOf(bit)]! |= 1 << (bit & 7);
}

/** The low 11 bits of the first three pairs of bytes of the hash. */
function bitsOf(value: Uint8Array): number[] {
  const hash = keccak256(value);
  return [0, 2, 4].map((i) => ((hash[i]! << 8) | hash[i + 1]!) & 2047);
}

function byteOf(bit: number): number {
  return BLOOM_BYTES - 1 - (bit >> 3);
}
