import { assert } from '@polyvisor/errors/assert';
import { checkRange, diskFault } from '../block-device.ts';
import type { BlockDevice } from '../block-device.ts';
import type { FileDoor } from '../file-door.ts';
import { ABSENT, FIRST_SLOT, ZERO } from './block-map.ts';
import type { BlockMap } from './block-map.ts';
import type { WaitingRoom } from './waiting-room.ts';

export interface OverlayParts {
  readonly id: number;
  readonly name: string;
  readonly bytes: number;
  readonly blockBytes: number;
  readonly quotaBytes: number;
  /** What the base is called; empty: there is none. */
  readonly baseName: string;
  readonly base: BlockDevice | undefined;
  readonly map: BlockMap;
  readonly data: FileDoor;
  /** Memory for what waits. */
  readonly room: WaitingRoom;
  /** Makes everything durable, so that `dirty` is empty afterwards. */
  readonly commit: () => void;
  /** Tells the store that so many more blocks wait to be committed. */
  readonly waiting: (count: number) => void;
}

/** Blocks are looked at in words. */
const WORD_BYTES = 4;

/**
 * A disk that keeps its own changes in a block store and has the rest from a base, which is never written. What was
 * written waits in memory until the next commit: a flush, or the store's limit for what waits.
 */
export class Overlay implements BlockDevice {
  readonly parts: OverlayParts;
  /** Blocks written since the last commit, whole. `zeros` itself stands for a block that was discarded. */
  readonly dirty = new Map<number, Uint8Array>();
  readonly zeros: Uint8Array;
  #isRemoved = false;
  /** Of those in `dirty`, how many have no slot yet. */
  #newCount = 0;

  constructor(parts: OverlayParts) {
    this.parts = parts;
    this.zeros = new Uint8Array(parts.blockBytes);
  }

  get bytes(): number {
    return this.parts.bytes;
  }

  get name(): string {
    return this.parts.name;
  }

  /** Bytes that count for the quota. */
  get heldBytes(): number {
    return (this.parts.map.heldCount + this.#newCount) * this.parts.blockBytes;
  }

  read(offset: number, into: Uint8Array): void {
    this.#check(offset, into.length);
    const { blockBytes, map, data } = this.parts;
    let at = 0;
    while (at < into.length) {
      const block = Math.floor((offset + at) / blockBytes);
      const inBlock = (offset + at) % blockBytes;
      let end = Math.min(at + blockBytes - inBlock, into.length);
      const dirty = this.dirty.get(block);
      if (dirty) {
        into.set(dirty.subarray(inBlock, inBlock + end - at), at);
        at = end;
        continue;
      }
      const value = map.get(block);
      // Blocks that lie one after the other below are read at once.
      for (let next = block + 1; end < into.length && !this.dirty.has(next); next++) {
        const following = value < FIRST_SLOT ? value : value + next - block;
        if (map.get(next) !== following) break;
        end = Math.min(end + blockBytes, into.length);
      }
      const target = into.subarray(at, end);
      if (value === ABSENT) this.#readBase(offset + at, target);
      else if (value === ZERO) target.fill(0);
      else data.read((value - FIRST_SLOT) * blockBytes + inBlock, target);
      at = end;
    }
  }

  /** All of it is written or, where the quota has no room, none. */
  write(offset: number, from: Uint8Array): void {
    this.#check(offset, from.length);
    if (from.length === 0) return;
    const { blockBytes } = this.parts;
    this.#makeRoom(offset, from.length);
    // One copy for all of them: whole blocks are kept as parts of it.
    const copy = from.length > blockBytes ? this.parts.room.take(from.length) : from;
    if (copy !== from) copy.set(from);
    let at = 0;
    while (at < from.length) {
      const block = Math.floor((offset + at) / blockBytes);
      const inBlock = (offset + at) % blockBytes;
      const length = Math.min(blockBytes - inBlock, from.length - at);
      const part = copy.subarray(at, at + length);
      const isKept = length === blockBytes && copy !== from && part.byteOffset % WORD_BYTES === 0;
      if (isKept) this.#put(block, part);
      else this.#writable(block, length === blockBytes).set(part, inBlock);
      at += length;
    }
    this.parts.waiting(0);
  }

  flush(): void {
    this.#check(0, 0);
    this.parts.commit();
  }

  /** Whole blocks that the overlay holds become zeros and no longer count; the rest stays what it was. */
  discard(offset: number, length: number): void {
    this.#check(offset, length);
    const { blockBytes, map } = this.parts;
    const start = Math.ceil(offset / blockBytes);
    const isToEnd = offset + length === this.bytes;
    const end = (isToEnd ? Math.ceil : Math.floor)((offset + length) / blockBytes);
    const waiting = [...this.dirty.keys()].filter((block) => block >= start && block < end);
    for (const block of waiting) this.#discardBlock(block);
    for (const block of map.held(start, end)) this.#discardBlock(block);
    this.parts.waiting(0);
  }

  /** Whole blocks become zeros, and count no more; where nothing is below, there is nothing to keep either. */
  zero(offset: number, length: number): void {
    this.#check(offset, length);
    const { blockBytes, base } = this.parts;
    const end = offset + length;
    const firstWhole = Math.min(Math.ceil(offset / blockBytes) * blockBytes, end);
    const lastWhole = Math.max(Math.floor(end / blockBytes) * blockBytes, firstWhole);
    const edges = [
      [offset, firstWhole],
      [lastWhole, end],
    ].filter(([from, to]) => from! < to!) as [number, number][];
    for (const [from, to] of edges) this.#makeRoom(from, to - from);
    for (const [from, to] of edges) {
      const block = Math.floor(from / blockBytes);
      this.#writable(block, false).fill(0, from - block * blockBytes, to - block * blockBytes);
    }
    if (base === undefined) return this.discard(firstWhole, lastWhole - firstWhole);
    for (let at = firstWhole; at < lastWhole; at += blockBytes) this.#discardBlock(at / blockBytes);
    this.parts.waiting(0);
  }

  /** After a commit put all of `dirty` into the map. */
  committed(): void {
    this.dirty.clear();
    this.#newCount = 0;
  }

  /** From now on every request fails. */
  removed(): void {
    this.#isRemoved = true;
    this.committed();
  }

  #discardBlock(block: number): void {
    const before = this.dirty.get(block);
    if (before === this.zeros) return;
    this.dirty.set(block, this.zeros);
    if (before === undefined) this.parts.waiting(1);
    else if (!this.#isHeld(block)) this.#newCount--;
  }

  #writable(block: number, isWhole: boolean): Uint8Array {
    const { blockBytes } = this.parts;
    const before = this.dirty.get(block);
    if (before && before !== this.zeros) return before;
    const content = this.parts.room.take(blockBytes);
    if (!isWhole) content.fill(0);
    if (!before && !isWhole) {
      const start = block * blockBytes;
      this.read(start, content.subarray(0, Math.min(blockBytes, this.bytes - start)));
    }
    this.#put(block, content);
    return content;
  }

  #put(block: number, content: Uint8Array): void {
    const before = this.dirty.get(block);
    this.dirty.set(block, content);
    if (!before) this.parts.waiting(1);
    if ((!before || before === this.zeros) && !this.#isHeld(block)) this.#newCount++;
  }

  #isHeld(block: number): boolean {
    return this.parts.map.get(block) >= FIRST_SLOT;
  }

  /** @throws HostError `disk-quota` unless the quota has room for a write */
  #makeRoom(offset: number, length: number): void {
    const { blockBytes, quotaBytes, commit } = this.parts;
    if (quotaBytes === Infinity) return;
    const first = Math.floor(offset / blockBytes);
    const last = Math.floor((offset + length - 1) / blockBytes);
    const hasRoom = (): boolean => {
      let count = 0;
      for (let block = first; block <= last; block++) {
        const dirty = this.dirty.get(block);
        if ((!dirty || dirty === this.zeros) && !this.#isHeld(block)) count++;
      }
      return this.heldBytes + count * blockBytes <= quotaBytes;
    };
    if (hasRoom()) return;
    // What was discarded, or is zeros, counts until it is committed.
    commit();
    if (hasRoom()) return;
    throw diskFault(
      'disk-quota',
      `disk ${this.name} holds ${this.heldBytes} of ${quotaBytes} bytes`,
      'give it a larger quota, or delete files in the guest and let it trim',
    );
  }

  #readBase(offset: number, into: Uint8Array): void {
    const { base } = this.parts;
    const length = Math.min(into.length, Math.max(0, (base?.bytes ?? 0) - offset));
    if (length > 0) base?.read(offset, into.subarray(0, length));
    into.fill(0, length);
  }

  #check(offset: number, length: number): void {
    if (this.#isRemoved) throw diskFault('disk-failed', `disk ${this.name} was removed`);
    assert(length >= 0, 'lengths are counts');
    checkRange(this.bytes, offset, length);
  }
}
