import { assert } from '@polyvisor/errors/assert';
import type { BackedMemory, BackendName, MemoryBackend, MemoryImage } from './memory-backend.ts';
import type { Native } from './native.ts';
import { type FileRange, PageFiles } from './page-files.ts';
import {
  CHUNK_BYTES,
  PAGE_BYTES,
  type PageRange,
  isZero,
  isZeroPage,
  mergeRanges,
  overlay,
  pageRanges,
} from './pages.ts';

/** Of an image in more pieces than this, some are written anew as one, so that a fork stays a few system calls. */
const RANGES_MAX = 64;
/** Clean pages copied along to join two dirty ranges: 64 KiB cost less than one more mapping in every fork. */
const GAP_PAGES_MAX = 16;

/**
 * Copy-on-write by the operating system. An image lies in files without names; a fork maps them privately over its
 * WebAssembly memory, so it takes the same time whatever the memory's length, and pages are copied when written.
 *
 *     memory  [ private copies of the written pages     ]
 *     image   [ file 2 ][    file 1    ][ file 2 ][zeros]
 *
 * V8 keeps a memory in place when it grows; should it ever move one, the copy is private as a whole: all its pages
 * count as dirty, and nothing is lost.
 */
export function createMmapBackend(name: BackendName, native: Native): MemoryBackend {
  const files = new PageFiles(native);
  return {
    name,
    adopt(memory, image) {
      const base = image
        ? (image as MappedImage).hold()
        : new MappedImage(files, memory.buffer.byteLength, []);
      try {
        for (const range of base.ranges) files.map(memory, range);
      } catch (error) {
        base.release();
        throw error;
      }
      return new MappedMemory(files, memory, base);
    },
  };
}

/** Why it can not work here; undefined if it can. */
export function mmapObstacle(native: Native): string | undefined {
  const pageBytes = native.getpagesize();
  if (pageBytes !== PAGE_BYTES) return `the processor has pages of ${pageBytes} bytes`;
  const { existsSync } = process.getBuiltinModule('node:fs');
  return existsSync('/proc/self/pagemap') ? undefined : 'the system does not list dirty pages';
}

/** How many ranges of images lie in a file: the last one closes it. */
const uses = new Map<number, number>();

class MappedImage implements MemoryImage {
  readonly byteLength: number;
  readonly ranges: readonly FileRange[];
  readonly #files: PageFiles;
  #holders = 1;

  constructor(files: PageFiles, byteLength: number, ranges: readonly FileRange[]) {
    this.#files = files;
    this.byteLength = byteLength;
    this.ranges = ranges;
    for (const { fd } of ranges) uses.set(fd, (uses.get(fd) ?? 0) + 1);
  }

  chunk(index: number): Uint8Array | undefined {
    const first = (index * CHUNK_BYTES) / PAGE_BYTES;
    const last = first + CHUNK_BYTES / PAGE_BYTES;
    const bytes = new Uint8Array(CHUNK_BYTES);
    for (const range of this.ranges) {
      const start = Math.max(range.start, first);
      const end = Math.min(range.end, last);
      if (start >= end) continue;
      const into = bytes.subarray((start - first) * PAGE_BYTES, (end - first) * PAGE_BYTES);
      this.#files.read(range.fd, into, start * PAGE_BYTES);
    }
    return isZero(new Int32Array(bytes.buffer), 0, CHUNK_BYTES / 4) ? undefined : bytes;
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  release(): void {
    assert(this.#holders > 0, 'an image is released as often as it is held');
    if (--this.#holders > 0) return;
    for (const { fd } of this.ranges) {
      const left = uses.get(fd)! - 1;
      if (left > 0) uses.set(fd, left);
      else {
        uses.delete(fd);
        this.#files.close(fd);
      }
    }
  }
}

/** The file of a range that is not written yet. */
const NO_FILE = -1;

/**
 * Half as many ranges as may be: what is not in the file that has most of it is written anew, with what lies between,
 * which is then in two files.
 */
function compacted(ranges: readonly FileRange[]): FileRange[] {
  const pages = new Map<number, number>();
  for (const { fd, start, end } of ranges) pages.set(fd, (pages.get(fd) ?? 0) + end - start);
  pages.delete(NO_FILE);
  const [largest] = [...pages.keys()].toSorted((a, b) => pages.get(b)! - pages.get(a)!);
  const kept = ranges.filter(({ fd }) => fd === largest);
  const others = ranges.filter(({ fd }) => fd !== largest);
  for (let gapMax = GAP_PAGES_MAX; ; gapMax *= 4) {
    const anew = mergeRanges(others, gapMax).map((range) => ({ ...range, fd: NO_FILE }));
    const fewer = overlay(kept, anew);
    if (fewer.length <= RANGES_MAX / 2) return fewer;
  }
}

class MappedMemory implements BackedMemory {
  readonly #files: PageFiles;
  /** Kept, because its pages are V8's only as long as somebody refers to it. */
  readonly #memory: WebAssembly.Memory;
  #base: MappedImage;

  constructor(files: PageFiles, memory: WebAssembly.Memory, base: MappedImage) {
    this.#files = files;
    this.#memory = memory;
    this.#base = base;
  }

  capture(): MemoryImage {
    const { byteLength } = this.#memory.buffer;
    const { stored, zeros } = this.#changes();
    // Or they would be looked at again each time.
    for (const range of pageRanges(zeros)) this.#files.discard(this.#memory, range);
    const dirty = pageRanges(stored, GAP_PAGES_MAX);
    if (dirty.length === 0 && byteLength === this.#base.byteLength) return this.#base.hold();
    const unnamed = dirty.map((range) => ({ ...range, fd: NO_FILE }));
    let ranges = overlay(this.#base.ranges, unnamed);
    if (ranges.length > RANGES_MAX) ranges = compacted(ranges);
    const fresh = ranges.filter((range) => range.fd === NO_FILE);
    if (fresh.length > 0) {
      const fd = this.#store(fresh);
      ranges = ranges.map((range) => (range.fd === NO_FILE ? { ...range, fd } : range));
    }
    const image = new MappedImage(this.#files, byteLength, ranges);
    for (const range of ranges) {
      if (!this.#base.ranges.includes(range)) this.#files.map(this.#memory, range);
    }
    this.#base.release();
    this.#base = image;
    return image.hold();
  }

  reset(): void {
    const { byteLength } = this.#memory.buffer;
    this.#files.discard(this.#memory, { start: 0, end: byteLength / PAGE_BYTES });
  }

  dirtyPages(): Uint32Array {
    return this.#files.privatePages(this.#memory);
  }

  baseByteLength(): number {
    return this.#base.byteLength;
  }

  release(): void {
    this.#files.unmap(this.#memory);
    this.#base.release();
  }

  /** The dirty pages; apart, the zeros where the base has zeros too. */
  #changes(): { readonly stored: readonly number[]; readonly zeros: readonly number[] } {
    const words = new Int32Array(this.#memory.buffer);
    const { ranges } = this.#base;
    const stored: number[] = [];
    const zeros: number[] = [];
    let next = 0;
    for (const page of this.dirtyPages()) {
      while (next < ranges.length && ranges[next]!.end <= page) next++;
      const isInBase = next < ranges.length && ranges[next]!.start <= page;
      (isInBase || !isZeroPage(words, page) ? stored : zeros).push(page);
    }
    return { stored, zeros };
  }

  /** Writes the ranges to a new file; zeros are left out, for a file reads as zeros where nothing was written. */
  #store(ranges: readonly PageRange[]): number {
    const { buffer } = this.#memory;
    const words = new Int32Array(buffer);
    const fd = this.#files.create(buffer.byteLength);
    for (const range of ranges) {
      const pages = Array.from({ length: range.end - range.start }, (_, i) => range.start + i);
      const filled = pageRanges(pages.filter((page) => !isZeroPage(words, page)));
      for (const { start, end } of filled) {
        const bytes = new Uint8Array(buffer, start * PAGE_BYTES, (end - start) * PAGE_BYTES);
        this.#files.write(fd, bytes, start * PAGE_BYTES);
      }
    }
    return fd;
  }
}
