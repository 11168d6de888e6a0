import { assert } from '@polyvisor/errors/assert';
import type { BackedMemory, BackendName, MemoryBackend, MemoryImage } from './memory-backend.ts';
import type { Native } from './native.ts';
import { type FileRange, PageFiles } from './page-files.ts';
import {
  CHUNK_BYTES,
  PAGE_BYTES,
  PAGE_WORDS,
  type PageRange,
  isEqual,
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
 *     image   [ loose pages, copied into forks          ]
 *             [ file 2 ][    file 1    ][ file 2 ][zeros]
 *
 * V8 keeps a memory in place when it grows; should it ever move one, the copy is private as a whole: all its pages
 * count as dirty, and nothing is lost.
 */
export function createMmapBackend(name: BackendName, native: Native): MemoryBackend {
  const files = new PageFiles(native);
  return {
    name,
    adopt(memory, { image, loosePagesMax }) {
      const base = image
        ? (image as MappedImage).hold()
        : new MappedImage(files, memory.buffer.byteLength, []);
      try {
        for (const range of base.ranges) files.map(memory, range);
        base.loose?.copyTo(memory);
      } catch (error) {
        base.release();
        throw error;
      }
      return new MappedMemory(files, memory, base, loosePagesMax);
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

/** Copies of pages. */
class LoosePages {
  readonly numbers: readonly number[];
  readonly #bytes: Uint8Array;

  constructor(memory: WebAssembly.Memory, numbers: readonly number[]) {
    this.numbers = numbers;
    this.#bytes = new Uint8Array(numbers.length * PAGE_BYTES);
    for (const [i, page] of numbers.entries()) {
      this.#bytes.set(new Uint8Array(memory.buffer, page * PAGE_BYTES, PAGE_BYTES), i * PAGE_BYTES);
    }
  }

  /** The copy of the page with the number at this index. */
  bytes(index: number): Uint8Array {
    return this.#bytes.subarray(index * PAGE_BYTES, (index + 1) * PAGE_BYTES);
  }

  /** Numbers of those that the memory has as they are here. */
  unchanged(memory: WebAssembly.Memory): Set<number> {
    const words = new Int32Array(memory.buffer);
    const copies = new Int32Array(this.#bytes.buffer);
    const isSame = (page: number, copy: number): boolean => {
      const start = page * PAGE_WORDS;
      return isEqual(words, copies, start, start + PAGE_WORDS, start - copy * PAGE_WORDS);
    };
    return new Set(this.numbers.filter(isSame));
  }

  copyTo(memory: WebAssembly.Memory): void {
    const bytes = new Uint8Array(memory.buffer);
    for (const [i, page] of this.numbers.entries()) bytes.set(this.bytes(i), page * PAGE_BYTES);
  }
}

class MappedImage implements MemoryImage {
  readonly byteLength: number;
  readonly ranges: readonly FileRange[];
  /** What lies above the ranges. */
  readonly loose: LoosePages | undefined;
  readonly #files: PageFiles;
  #holders = 1;

  constructor(
    files: PageFiles,
    byteLength: number,
    ranges: readonly FileRange[],
    loose?: LoosePages,
  ) {
    this.#files = files;
    this.byteLength = byteLength;
    this.ranges = ranges;
    this.loose = loose;
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
    this.loose?.numbers.forEach((page, i) => {
      if (page >= first && page < last) {
        bytes.set(this.loose!.bytes(i), (page - first) * PAGE_BYTES);
      }
    });
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
  /**
   * A page copied costs less than a mapping, and a machine that is forked again and again writes few pages between two
   * forks, far apart.
   */
  readonly #loosePagesMax: number;
  #base: MappedImage;

  constructor(
    files: PageFiles,
    memory: WebAssembly.Memory,
    base: MappedImage,
    loosePagesMax: number,
  ) {
    this.#loosePagesMax = loosePagesMax;
    this.#files = files;
    this.#memory = memory;
    this.#base = base;
  }

  capture(): MemoryImage {
    const { byteLength } = this.#memory.buffer;
    const { stored, zeros } = this.#changes();
    // Or they would be looked at again each time.
    for (const range of pageRanges(zeros)) this.#files.discard(this.#memory, range);
    const hasNone = stored.length === 0 && this.#base.loose === undefined;
    if (hasNone && byteLength === this.#base.byteLength) return this.#base.hold();
    if (stored.length <= this.#loosePagesMax) {
      const loose = new LoosePages(this.#memory, stored);
      return this.#rebase(new MappedImage(this.#files, byteLength, this.#base.ranges, loose));
    }
    const dirty = pageRanges(stored, GAP_PAGES_MAX);
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
    return this.#rebase(image);
  }

  base(): MemoryImage {
    return this.#base.hold();
  }

  isBase(image: MemoryImage): boolean {
    return image === this.#base;
  }

  reset(): void {
    const { byteLength } = this.#memory.buffer;
    this.#files.discard(this.#memory, { start: 0, end: byteLength / PAGE_BYTES });
    this.#base.loose?.copyTo(this.#memory);
  }

  dirtyPages(): Uint32Array {
    const pages = this.#files.privatePages(this.#memory);
    const { loose } = this.#base;
    if (!loose) return pages;
    const unchanged = loose.unchanged(this.#memory);
    return pages.filter((page) => !unchanged.has(page));
  }

  baseByteLength(): number {
    return this.#base.byteLength;
  }

  release(): void {
    this.#files.unmap(this.#memory);
    this.#base.release();
  }

  #rebase(image: MappedImage): MemoryImage {
    this.#base.release();
    this.#base = image;
    return image.hold();
  }

  /** The pages that are the memory's own; apart, the zeros where the base's files have zeros too. */
  #changes(): { readonly stored: readonly number[]; readonly zeros: readonly number[] } {
    const words = new Int32Array(this.#memory.buffer);
    const { ranges } = this.#base;
    const stored: number[] = [];
    const zeros: number[] = [];
    let next = 0;
    for (const page of this.#files.privatePages(this.#memory)) {
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
