import { HostError } from '@polyvisor/errors/host-error';
import { checkRange, diskFault } from './block-device.ts';
import type { BlockDevice } from './block-device.ts';
import { pieces } from './pieces.ts';

/** Unit of memory: small enough for scattered writes, large enough for few objects. */
const CHUNK_BYTES = 64 * 1024;
/** A disk without a limit of its own may hold this much. */
const RESIDENT_BYTES_DEFAULT = 1024 * 1024 * 1024;

export interface SparseDiskOptions {
  /** Most bytes of memory that it may take, counted in chunks of 64 KiB. Default: 1 GiB. */
  readonly residentBytesMax?: number;
}

/** What a sparse disk holds: its size, and the chunks that were written, by index. */
export interface SparseDiskState {
  readonly bytes: number;
  readonly chunks: readonly (readonly [index: number, content: Uint8Array])[];
}

/** A disk in memory that takes memory only for what was written. It lives as long as the process. */
export class SparseDisk implements BlockDevice {
  readonly bytes: number;
  readonly #chunksMax: number;
  readonly #chunks = new Map<number, Uint8Array>();

  /** @param bytes size, an integer from 0 to 2^53 - 1 */
  constructor(bytes: number, options: SparseDiskOptions = {}) {
    checkRange(Number.MAX_SAFE_INTEGER, 0, bytes);
    this.bytes = bytes;
    const { residentBytesMax = RESIDENT_BYTES_DEFAULT } = options;
    this.#chunksMax = Math.floor(residentBytesMax / CHUNK_BYTES);
  }

  /** @throws HostError `disk-state` when the state is not one of a disk */
  static load(state: SparseDiskState, options: SparseDiskOptions = {}): SparseDisk {
    const disk = new SparseDisk(state.bytes, options);
    const chunkCount = Math.ceil(state.bytes / CHUNK_BYTES);
    for (const [index, content] of state.chunks) {
      const isChunk = Number.isInteger(index) && index >= 0 && index < chunkCount;
      if (!isChunk || content.length !== CHUNK_BYTES || disk.#chunks.has(index)) {
        throw new HostError('disk-state', `chunk ${index} is not one of this disk`);
      }
      disk.#chunks.set(index, content.slice());
    }
    return disk;
  }

  /** A copy of all that was written. */
  save(): SparseDiskState {
    const chunks = [...this.#chunks].toSorted(([a], [b]) => a - b);
    return {
      bytes: this.bytes,
      chunks: chunks.map(([index, content]) => [index, content.slice()] as const),
    };
  }

  /** Bytes of memory that the content takes. */
  get residentBytes(): number {
    return this.#chunks.size * CHUNK_BYTES;
  }

  read(offset: number, into: Uint8Array): void {
    checkRange(this.bytes, offset, into.length);
    for (const { index, start, end, at } of pieces(offset, into.length, CHUNK_BYTES)) {
      const chunk = this.#chunks.get(index);
      if (chunk) into.set(chunk.subarray(start, end), at);
      else into.fill(0, at, at + end - start);
    }
  }

  write(offset: number, from: Uint8Array): void {
    checkRange(this.bytes, offset, from.length);
    for (const { index, start, end, at } of pieces(offset, from.length, CHUNK_BYTES)) {
      this.#writable(index).set(from.subarray(at, at + end - start), start);
    }
  }

  flush(): void {}

  discard(offset: number, length: number): void {
    checkRange(this.bytes, offset, length);
    for (const { index, start, end } of pieces(offset, length, CHUNK_BYTES)) {
      if (end - start === CHUNK_BYTES) this.#chunks.delete(index);
      else this.#chunks.get(index)?.fill(0, start, end);
    }
  }

  #writable(index: number): Uint8Array {
    let chunk = this.#chunks.get(index);
    if (!chunk) {
      if (this.#chunks.size >= this.#chunksMax) {
        throw diskFault('disk-quota', `the disk holds ${this.residentBytes} bytes already`);
      }
      chunk = new Uint8Array(CHUNK_BYTES);
      this.#chunks.set(index, chunk);
    }
    return chunk;
  }
}
