import type { BackedMemory, MemoryBackend, MemoryImage } from './memory-backend.ts';
import { CHUNK_BYTES, PAGE_WORDS, isEqual, isZero } from './pages.ts';

const CHUNK_WORDS = CHUNK_BYTES / 4;

/**
 * Snapshots by comparing and copying, wherever WebAssembly runs. An image is a list of 64 KiB chunks, which images
 * of a family share where they agree. Every operation takes time in proportion to the memory's length.
 */
export const copyBackend: MemoryBackend = {
  name: 'copy',
  adopt(memory, { image }) {
    const base = (image as CopiedImage | undefined) ?? CopiedImage.zeros(memory.buffer.byteLength);
    const words = new Int32Array(memory.buffer);
    base.chunks.forEach((chunk, i) => chunk && words.set(chunk, i * CHUNK_WORDS));
    return new CopiedMemory(memory, base);
  },
};

type Chunk = Int32Array | undefined;

class CopiedImage implements MemoryImage {
  readonly chunks: readonly Chunk[];

  constructor(chunks: readonly Chunk[]) {
    this.chunks = chunks;
  }

  static zeros(byteLength: number): CopiedImage {
    return new CopiedImage(
      Array.from<undefined>({ length: byteLength / CHUNK_BYTES }).fill(undefined),
    );
  }

  get byteLength(): number {
    return this.chunks.length * CHUNK_BYTES;
  }

  chunk(index: number): Uint8Array | undefined {
    const words = this.chunks[index];
    return words && new Uint8Array(words.buffer);
  }

  /** Chunks are the garbage collector's. */
  hold(): this {
    return this;
  }

  release(): void {}
}

class CopiedMemory implements BackedMemory {
  readonly #memory: WebAssembly.Memory;
  #base: CopiedImage;

  constructor(memory: WebAssembly.Memory, base: CopiedImage) {
    this.#memory = memory;
    this.#base = base;
  }

  capture(): MemoryImage {
    const words = new Int32Array(this.#memory.buffer);
    const chunks: Chunk[] = [];
    for (let at = 0; at < words.length; at += CHUNK_WORDS) {
      const before = this.#base.chunks[at / CHUNK_WORDS];
      if (isOfChunk(words, before, at, at + CHUNK_WORDS, at)) chunks.push(before);
      else if (isZero(words, at, at + CHUNK_WORDS)) chunks.push(undefined);
      else chunks.push(words.slice(at, at + CHUNK_WORDS));
    }
    this.#base = new CopiedImage(chunks);
    return this.#base;
  }

  base(): MemoryImage {
    return this.#base;
  }

  isBase(image: MemoryImage): boolean {
    return image === this.#base;
  }

  reset(): void {
    const words = new Int32Array(this.#memory.buffer);
    this.#base.chunks.forEach((chunk, i) => {
      const at = i * CHUNK_WORDS;
      // Comparing first leaves untouched memory untouched.
      if (isOfChunk(words, chunk, at, at + CHUNK_WORDS, at)) return;
      if (chunk) words.set(chunk, at);
      else words.fill(0, at, at + CHUNK_WORDS);
    });
  }

  dirtyPages(): Uint32Array {
    const words = new Int32Array(this.#memory.buffer);
    const pages: number[] = [];
    for (let at = 0; at < words.length; at += PAGE_WORDS) {
      const chunkIndex = Math.floor(at / CHUNK_WORDS);
      const chunk = this.#base.chunks[chunkIndex];
      if (!isOfChunk(words, chunk, at, at + PAGE_WORDS, chunkIndex * CHUNK_WORDS)) {
        pages.push(at / PAGE_WORDS);
      }
    }
    return Uint32Array.from(pages);
  }

  baseByteLength(): number {
    return this.#base.byteLength;
  }

  release(): void {
    this.#base = CopiedImage.zeros(0);
  }
}

/** Whether words [start, end) equal the chunk that begins at word `chunkStart`. */
function isOfChunk(
  words: Int32Array,
  chunk: Chunk,
  start: number,
  end: number,
  chunkStart: number,
): boolean {
  return chunk ? isEqual(words, chunk, start, end, chunkStart) : isZero(words, start, end);
}
