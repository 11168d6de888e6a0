import { bytesToLatin1, latin1ToBytes } from '@polyvisor/bytes/latin1';
import { padLeft } from '@polyvisor/bytes/bytes';
import { type WorldAccount, hashedKey } from './world.ts';

export interface StorageEntry {
  /** Keccak-256 of the key: slots are in its order. */
  readonly hash: Uint8Array;
  readonly key: Uint8Array;
  /** 32 bytes. */
  readonly value: Uint8Array;
}

export interface StorageRange {
  readonly entries: readonly StorageEntry[];
  /** Hash of the first slot behind them; undefined: there is none. */
  readonly next: Uint8Array | undefined;
}

/** Slots of an account in the order of their hashes, from `start` (32 bytes) on. O(slots). */
export function storageRange(
  account: WorldAccount | undefined,
  start: Uint8Array,
  countMax: number,
): StorageRange {
  const from = bytesToLatin1(start);
  const found: (readonly [hash: string, key: string, value: string])[] = [];
  for (const [key, value] of account?.slots.entries() ?? []) {
    const hash = hashedKey(key);
    if (hash >= from) found.push([hash, key, value]);
  }
  found.sort(([a], [b]) => (a < b ? -1 : 1));
  const next = found[countMax]?.[0];
  return {
    entries: found.slice(0, countMax).map(([hash, key, value]) => ({
      hash: latin1ToBytes(hash),
      key: latin1ToBytes(key),
      value: padLeft(latin1ToBytes(value), 32),
    })),
    next: next === undefined ? undefined : latin1ToBytes(next),
  };
}
