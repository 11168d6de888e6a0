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
  /** Slots by how their hashes begin: the first of each list, and the one behind each slot; both plus one. */
  #heads = new Uint32Array(INITIAL);
  #nexts = new Uint32Array(INITIAL);
  /** The lowest is last. */
  readonly #free: number[] = [];
  /** What may have become free since the last `settle`. */
  #released: number[] = [];

  /** The slot that holds the content with this hash. */
  find(hash: Uint8Array): number | undefined {
    for (let next = this.#heads[this.#listOf(hash)]!; next !== 0; next = this.#nexts[next - 1]!) {
      if (equalBytes(this.hashOf(next - 1), hash)) return next - 1;
    }
    return undefined;
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
    const list = this.#listOf(hash);
    this.#nexts[slot] = this.#heads[list]!;
    this.#heads[list] = slot + 1;
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
    const list = this.#listOf(this.hashOf(slot));
    if (this.#heads[list] === slot + 1) {
      this.#heads[list] = this.#nexts[slot]!;
      return;
    }
    for (let next = this.#heads[list]!; next !== 0; next = this.#nexts[next - 1]!) {
      if (this.#nexts[next - 1] !== slot + 1) continue;
      this.#nexts[next - 1] = this.#nexts[slot]!;
      return;
    }
  }

  #listOf(hash: Uint8Array): number {
    const start = hash[0]! | (hash[1]! << 8) | (hash[2]! << 16) | (hash[3]! << 24);
    return (start & (this.#heads.length - 1)) >>> 0;
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
    const nexts = new Uint32Array(length);
    nexts.set(this.#nexts);
    this.#nexts = nexts;
    this.#sortAnew(length);
  }

  /** As many lists as there are slots, so that each is short. */
  #sortAnew(slots: number): void {
    const named = [...this.#heads].flatMap((head) => {
      const list: number[] = [];
      for (let next = head; next !== 0; next = this.#nexts[next - 1]!) list.push(next - 1);
      return list;
    });
    this.#heads = new Uint32Array(2 ** Math.ceil(Math.log2(slots)));
    for (const slot of named) {
      const list = this.#listOf(this.hashOf(slot));
      this.#nexts[slot] = this.#heads[list]!;
      this.#heads[list] = slot + 1;
    }
  }
}

const INITIAL = 1024;
