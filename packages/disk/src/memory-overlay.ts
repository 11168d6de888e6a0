import { BlankDisk, checkRange, diskFault } from './block-device.ts';
import type { BlockDevice } from './block-device.ts';
import { pieces } from './pieces.ts';

/** Unit of memory, and of what forks share. */
const BLOCK_BYTES = 4096;
const HELD_BYTES_DEFAULT = 1024 * 1024 * 1024;

export interface MemoryOverlayOptions {
  /** Most bytes of blocks that differ from the base. Default: 1 GiB. */
  readonly heldBytesMax?: number;
  readonly isReadOnly?: boolean;
  /** Size of the disk, if it is larger than the base; what the base lacks is zeros. */
  readonly bytes?: number;
}

interface Block {
  readonly bytes: Uint8Array;
  /** Whether a fork has it, too: it is copied before it changes. */
  isShared: boolean;
}

/** Stands for blocks that were zeroed over a base that has something there. */
const ZEROS: Block = { bytes: new Uint8Array(BLOCK_BYTES), isShared: true };

/** What was written over a base, in memory. The base stays as it is. Forks share blocks until one of them writes. */
export class MemoryOverlay implements BlockDevice {
  readonly bytes: number;
  readonly isReadOnly: boolean;
  readonly #base: BlockDevice;
  readonly #heldBytesMax: number;
  readonly #blocks = new Map<number, Block>();

  constructor(base: BlockDevice, options: MemoryOverlayOptions = {}) {
    this.bytes = options.bytes ?? base.bytes;
    this.#base = base;
    this.isReadOnly = options.isReadOnly ?? false;
    this.#heldBytesMax = options.heldBytesMax ?? HELD_BYTES_DEFAULT;
  }

  /** An overlay of its own that begins as this one is, in time that goes with the blocks it holds. */
  fork(): MemoryOverlay {
    const fork = new MemoryOverlay(this.#base, {
      heldBytesMax: this.#heldBytesMax,
      isReadOnly: this.isReadOnly,
      bytes: this.bytes,
    });
    for (const [index, block] of this.#blocks) {
      block.isShared = true;
      fork.#blocks.set(index, block);
    }
    return fork;
  }

  /** Bytes of blocks that differ from the base. */
  get heldBytes(): number {
    return this.#blocks.size * BLOCK_BYTES;
  }

  read(offset: number, into: Uint8Array): void {
    checkRange(this.bytes, offset, into.length);
    this.#readBase(offset, into);
    if (this.#blocks.size === 0) return;
    for (const { index, start, end, at } of pieces(offset, into.length, BLOCK_BYTES)) {
      const block = this.#blocks.get(index);
      if (block) into.set(block.bytes.subarray(start, end), at);
    }
  }

  /** All of it is written or, where there is no room, none. */
  write(offset: number, from: Uint8Array): void {
    checkRange(this.bytes, offset, from.length);
    if (this.isReadOnly) throw diskFault('disk-read-only', 'the disk is read-only');
    this.#checkRoom(offset, from.length);
    for (const { index, start, end, at } of pieces(offset, from.length, BLOCK_BYTES)) {
      const isWhole = end - start === BLOCK_BYTES;
      this.#writable(index, isWhole).set(from.subarray(at, at + end - start), start);
    }
  }

  flush(): void {}

  discard(offset: number, length: number): void {
    checkRange(this.bytes, offset, length);
    for (const { index, start, end } of pieces(offset, length, BLOCK_BYTES)) {
      // Whole blocks read as the base again, which a disk may do.
      if (end - start === BLOCK_BYTES) this.#blocks.delete(index);
    }
  }

  zero(offset: number, length: number): void {
    checkRange(this.bytes, offset, length);
    if (this.isReadOnly) throw diskFault('disk-read-only', 'the disk is read-only');
    const isOverNothing = this.#base instanceof BlankDisk;
    if (!isOverNothing) this.#checkRoom(offset, length);
    for (const { index, start, end } of pieces(offset, length, BLOCK_BYTES)) {
      const isWhole = end - start === BLOCK_BYTES;
      if (isWhole && isOverNothing) this.#blocks.delete(index);
      else if (isWhole) this.#blocks.set(index, ZEROS);
      else if (!isOverNothing || this.#blocks.has(index)) {
        this.#writable(index, false).fill(0, start, end);
      }
    }
  }

  #readBase(offset: number, into: Uint8Array): void {
    const length = Math.min(into.length, Math.max(0, this.#base.bytes - offset));
    if (length > 0) this.#base.read(offset, into.subarray(0, length));
    into.fill(0, length);
  }

  #checkRoom(offset: number, length: number): void {
    let fresh = 0;
    for (const { index } of pieces(offset, length, BLOCK_BYTES))
      if (!this.#blocks.has(index)) fresh++;
    if (fresh > 0 && this.heldBytes + fresh * BLOCK_BYTES > this.#heldBytesMax) {
      throw diskFault('disk-quota', `the overlay holds ${this.heldBytes} bytes already`);
    }
  }

  #writable(index: number, isWhole: boolean): Uint8Array {
    const known = this.#blocks.get(index);
    if (known && !known.isShared) return known.bytes;
    const bytes = known ? known.bytes.slice() : new Uint8Array(BLOCK_BYTES);
    if (!known && !isWhole) {
      const start = index * BLOCK_BYTES;
      this.#readBase(start, bytes.subarray(0, Math.min(BLOCK_BYTES, this.bytes - start)));
    }
    this.#blocks.set(index, { bytes, isShared: false });
    return bytes;
  }
}
