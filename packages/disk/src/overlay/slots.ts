import { assert } from '@polyvisor/errors/assert';
import { equalBytes } from '@polyvisor/bytes/bytes';
import { HASH_BYTES } from '../content-hash.ts';

/**
 * The slots of the data file: each holds one block, known by its hash and counted by how many leaves of maps name it.
 * A slot that nobody names any more is used again only after `settle`, which is called when the change that let go
 * of it is durable: until then a crash may bring the old map back.
 */
export class Slots {
  /** Slots were handed out below this number; the rest of the file was never used. */
  end = 0;
  /** Nodes of all maps of the slots. */
  nodeCount = 0;
  #references = new Uint32Array(INITIAL);
  #hashes = new Uint8Array(INITIAL * HASH_BYTES);
  /** A slot by the first 48 bits of its hash. Of two hashes that begin alike one is not found: no harm. */
  readonly #byHash = new Map<number, number>();
  /** The lowest is last. */
  readonly #free: number[] = [];
  /** What may have become free since the last `settle`. */
  #released: number[] = [];

  /** The slot that holds the content with this hash. */
  find(hash: Uint8Array): number | undefined {
    const slot = this.#byHash.get(prefix(hash));
    return slot !== undefined && equalBytes(this.hashOf(slot), hash) ? slot : undefined;
  }

  /** A slot for new content; it stays only if a map names it before `settle`. */
  add(hash: Uint8Array): number {
    const slot = this.#free.pop() ?? this.end;
    this.restore(slot, hash);
    this.#released.push(slot);
    return slot;
  }

  /** What a journal says: `slot` holds the content with this hash. */
  restore(slot: number, hash: Uint8Array): void {
    this.#grow(slot + 1);
    this.#forget(slot);
    this.#hashes.set(hash, slot * HASH_BYTES);
    const key = prefix(hash);
    if (!this.#byHash.has(key)) this.#byHash.set(key, slot);
    this.end = Math.max(this.end, slot + 1);
  }

  /** After all of a journal: what no map names is free. */
  restored(): void {
    this.#free.length = 0;
    this.#released = [];
    for (let slot = this.end - 1; slot >= 0; slot--) {
      if (this.#references[slot] === 0) this.#letGo(slot);
    }
  }

  hashOf(slot: number): Uint8Array {
    return this.#hashes.subarray(slot * HASH_BYTES, (slot + 1) * HASH_BYTES);
  }

  isUsed(slot: number): boolean {
    return this.#references[slot]! > 0;
  }

  /** Slots that hold something, or did until a moment ago. */
  get usedCount(): number {
    return this.end - this.#free.length;
  }

  retain(slot: number): void {
    assert(slot < this.end, 'a map names slots that were handed out');
    this.#references[slot]!++;
  }

  release(slot: number): void {
    assert(this.#references[slot]! > 0, 'what is released was retained');
    if (--this.#references[slot]! === 0) this.#released.push(slot);
  }

  /** Slots that nobody names can be used again from now on. */
  settle(): void {
    const released = [...new Set(this.#released)].toSorted((a, b) => b - a);
    this.#released = [];
    for (const slot of released) if (this.#references[slot] === 0) this.#letGo(slot);
  }

  #letGo(slot: number): void {
    this.#forget(slot);
    this.#free.push(slot);
  }

  #forget(slot: number): void {
    const key = prefix(this.hashOf(slot));
    if (this.#byHash.get(key) === slot) this.#byHash.delete(key);
  }

  #grow(count: number): void {
    const now = this.#references.length;
    if (count <= now) return;
    const length = Math.max(count, now * 2);
    const references = new Uint32Array(length);
    references.set(this.#references);
    this.#references = references;
    const hashes = new Uint8Array(length * HASH_BYTES);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
  }
}

const INITIAL = 1024;

function prefix(hash: Uint8Array): number {
  return (
    (hash[0]! * 256 + hash[1]!) * 2 ** 32 +
    (((hash[2]! << 24) | (hash[3]! << 16) | (hash[4]! << 8) | hash[5]!) >>> 0)
  );
}
