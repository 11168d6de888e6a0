import { assert } from '@polyvisor/errors/assert';
import { HostError } from '@polyvisor/errors/host-error';
import type { BackedMemory, MemoryBackend, MemoryImage } from './memory-backend.ts';
import { CHUNK_BYTES, MEMORY_BYTES_MAX } from './pages.ts';
import { bestBackend } from './select-backend.ts';

export interface MemoryOptions {
  /** What the guest may ever have: a multiple of 64 KiB up to 4 GiB. */
  readonly bytesMax: number;
  /** Whether several workers run over the memory at once. */
  readonly shared?: boolean;
  /** Default: the best one of this machine. */
  readonly backend?: MemoryBackend;
  /**
   * Pages of which a snapshot keeps copies that every fork gets, rather than write them where forks map them: the
   * snapshot is sooner taken, each fork is later there, and has them for itself. Default 128; `mmap` only.
   */
  readonly loosePagesMax?: number;
}

/** What a growth came to. `limit`: beyond the guest's `bytesMax`; `host`: the host has no more. */
export type Growth =
  | { readonly kind: 'grown'; readonly bytesBefore: number }
  | { readonly kind: 'refused'; readonly by: 'limit' | 'host' };

/** Contents of a memory at one moment: what forks start from. Immutable, and independent of the memory's fate. */
export class MemorySnapshot implements Disposable {
  readonly backend: MemoryBackend;
  readonly #image: MemoryImage;
  #isDisposed = false;

  constructor(backend: MemoryBackend, image: MemoryImage) {
    this.backend = backend;
    this.#image = image;
  }

  get byteLength(): number {
    return this.#image.byteLength;
  }

  get image(): MemoryImage {
    assert(!this.#isDisposed, 'a snapshot is not used after its disposal');
    return this.#image;
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#image.release();
  }
}

/**
 * The memory of a guest: a WebAssembly memory with a limit, that can be captured, forked and reset.
 * No thread may write to it during one of these.
 */
export class GuestMemory implements Disposable {
  readonly memory: WebAssembly.Memory;
  readonly bytesMax: number;
  readonly #backend: MemoryBackend;
  readonly #backed: BackedMemory;
  #isDisposed = false;

  /** Use `createMemory` and `forkMemory`. */
  constructor(byteLength: number, options: MemoryOptions, image?: MemoryImage) {
    const { bytesMax, shared = false, backend = bestBackend(), loosePagesMax = 128 } = options;
    this.memory = new WebAssembly.Memory({ initial: 0, maximum: bytesMax / CHUNK_BYTES, shared });
    // V8 takes a memory's initial length for memory in use, and collects its own garbage at once where that is much.
    this.memory.grow(byteLength / CHUNK_BYTES);
    this.bytesMax = bytesMax;
    this.#backend = backend;
    this.#backed = backend.adopt(this.memory, { image, loosePagesMax });
  }

  get byteLength(): number {
    return this.memory.buffer.byteLength;
  }

  /** A view that the next growth leaves behind. */
  bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  /** More memory, all zeros. The guest's own `memory.grow` keeps to the same limit. @param bytes whole 64 KiB */
  grow(bytes: number): Growth {
    assert(isWholeChunks(bytes), 'a memory grows by whole chunks');
    const bytesBefore = this.byteLength;
    if (bytesBefore + bytes > this.bytesMax) return { kind: 'refused', by: 'limit' };
    try {
      this.memory.grow(bytes / CHUNK_BYTES);
    } catch (error) {
      if (error instanceof RangeError) return { kind: 'refused', by: 'host' };
      throw error;
    }
    return { kind: 'grown', bytesBefore };
  }

  /**
   * Captures the contents, and makes them what `reset` goes back to. The time goes with the pages written since the
   * last snapshot (`mmap`), or with the length (`copy`).
   * @throws HostError `memory-map` where the operating system refuses; the memory is then good for disposal only
   */
  snapshot(): MemorySnapshot {
    return new MemorySnapshot(this.#backend, this.#live().capture());
  }

  /**
   * Goes back to the last snapshot taken here, else to the one forked from, else to zeros, in place: instances
   * over the memory stay valid. False, and nothing done, if the memory has grown since, for it can not shrink:
   * fork the snapshot instead.
   */
  reset(): boolean {
    const backed = this.#live();
    if (this.byteLength !== backed.baseByteLength()) return false;
    backed.reset();
    return true;
  }

  /** What `reset` goes back to, as the memory is again if nothing was written since. */
  base(): MemorySnapshot {
    return new MemorySnapshot(this.#backend, this.#live().base());
  }

  /** Whether `reset` goes back to this snapshot, and can. */
  canResetTo(snapshot: MemorySnapshot): boolean {
    const backed = this.#live();
    return this.byteLength === backed.baseByteLength() && backed.isBase(snapshot.image);
  }

  /**
   * Ascending numbers of the 4 KiB pages that may differ from what `reset` goes back to: none that differs is
   * missing, one that was written with what it held may be among them.
   */
  dirtyPages(): Uint32Array {
    return this.#live().dirtyPages();
  }

  /** Gives the pages back now. The memory's contents are undefined from here on. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#backed.release();
  }

  #live(): BackedMemory {
    assert(!this.#isDisposed, 'a memory is not used after its disposal');
    return this.#backed;
  }
}

/** A memory of zeros. @throws HostError `memory-size` for a length or a limit that can not be */
export function createMemory(byteLength: number, options: MemoryOptions): GuestMemory {
  checkSize(byteLength, options.bytesMax);
  return new GuestMemory(byteLength, options);
}

/**
 * A memory of its own with the snapshot's contents, sharing the pages until one side writes (`mmap`).
 * @throws HostError `memory-size` if the snapshot is longer than the limit
 */
export function forkMemory(
  snapshot: MemorySnapshot,
  options: Omit<MemoryOptions, 'backend'>,
): GuestMemory {
  checkSize(snapshot.byteLength, options.bytesMax);
  const { backend, image, byteLength } = snapshot;
  return new GuestMemory(byteLength, { ...options, backend }, image);
}

function checkSize(byteLength: number, bytesMax: number): void {
  if (!isWholeChunks(bytesMax) || bytesMax > MEMORY_BYTES_MAX) {
    throw badSize(`a memory limit of ${bytesMax} bytes`, 'give a multiple of 64 KiB up to 4 GiB');
  }
  if (!isWholeChunks(byteLength)) {
    throw badSize(`a memory of ${byteLength} bytes`, 'give a multiple of 64 KiB');
  }
  if (byteLength > bytesMax) {
    throw badSize(`a memory of ${byteLength} bytes under a limit of ${bytesMax}`, 'raise it');
  }
}

function badSize(what: string, hint: string): HostError {
  return new HostError('memory-size', what, hint);
}

function isWholeChunks(bytes: number): boolean {
  return Number.isSafeInteger(bytes) && bytes >= 0 && bytes % CHUNK_BYTES === 0;
}
