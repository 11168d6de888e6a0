import { HostError } from '@polyvisor/errors/host-error';
import type { Native } from './native.ts';
import { PAGE_BYTES, type PageRange } from './pages.ts';

/** @see Linux, include/uapi/asm-generic/mman-common.h, linux/mman.h and linux/memfd.h */
const PROT_READ_WRITE = 0x1 | 0x2;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_FAILED = 2n ** 64n - 1n;
const MADV_DONTNEED = 4;
const MFD_CLOEXEC = 1;

/** Upper half of a page's entry. @see Linux, Documentation/admin-guide/mm/pagemap.rst: bits 63, 62 and 61 */
const PRESENT_OR_SWAPPED = 0xc000_0000;
const OF_FILE_OR_SHARED = 0x2000_0000;

/** Pages of a file, at the place that they have in the memory. */
export interface FileRange extends PageRange {
  readonly fd: number;
}

/** Files without names, and their mapping over WebAssembly memories. @throws HostError `memory-map` everywhere */
export class PageFiles {
  readonly #native: Native;
  readonly #fs: typeof import('node:fs') = process.getBuiltinModule('node:fs');
  readonly #name: Uint8Array = new TextEncoder().encode('polyvisor-memory\0');

  constructor(native: Native) {
    this.#native = native;
  }

  create(byteLength: number): number {
    const fd = this.#native.memfdCreate(this.#name, MFD_CLOEXEC);
    if (fd < 0) throw refused('a file in memory', 'raise the limit of open files (ulimit -n)');
    if (this.#native.ftruncate(fd, BigInt(byteLength)) === 0) return fd;
    this.#native.close(fd);
    throw refused(`a file of ${byteLength} bytes in memory`);
  }

  /** The C library's own: in a worker Node would warn of a file that it has not opened itself. */
  close(fd: number): void {
    this.#native.close(fd);
  }

  write(fd: number, bytes: Uint8Array, offset: number): void {
    for (let at = 0; at < bytes.length;) {
      at += this.#fs.writeSync(fd, bytes, at, bytes.length - at, offset + at);
    }
  }

  read(fd: number, bytes: Uint8Array, offset: number): void {
    for (let at = 0; at < bytes.length;) {
      at += this.#fs.readSync(fd, bytes, at, bytes.length - at, offset + at);
    }
  }

  /** Shows the file's pages in the memory; what is written there stays with the memory. */
  map(memory: WebAssembly.Memory, { fd, start, end }: FileRange): void {
    const address = this.#address(memory) + BigInt(start * PAGE_BYTES);
    const length = BigInt((end - start) * PAGE_BYTES);
    const flags = MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE;
    this.#map(address, length, flags, fd, BigInt(start * PAGE_BYTES));
  }

  /** Zeros without a page behind them. */
  unmap(memory: WebAssembly.Memory): void {
    const flags = MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE | MAP_ANONYMOUS;
    this.#map(this.#address(memory), BigInt(memory.buffer.byteLength), flags, -1, 0n);
  }

  /** Forgets what was written, so that mapped files and zeros show again. */
  discard(memory: WebAssembly.Memory, { start, end }: PageRange): void {
    const address = this.#address(memory) + BigInt(start * PAGE_BYTES);
    const length = BigInt((end - start) * PAGE_BYTES);
    if (this.#native.madvise(address, length, MADV_DONTNEED) !== 0) {
      throw refused('to discard pages');
    }
  }

  /** Ascending numbers of the pages that the memory has for itself. */
  privatePages(memory: WebAssembly.Memory): Uint32Array {
    const count = memory.buffer.byteLength / PAGE_BYTES;
    const entries = new Uint32Array(2 * count);
    const offset = Number(this.#address(memory) / BigInt(PAGE_BYTES)) * 8;
    const fd = this.#fs.openSync('/proc/self/pagemap', 'r');
    try {
      this.read(fd, new Uint8Array(entries.buffer), offset);
    } finally {
      this.#fs.closeSync(fd);
    }
    // The entries make room for the answer: the n-th number is never behind the n-th entry.
    let found = 0;
    for (let page = 0; page < count; page++) {
      const state = entries[2 * page + 1]!;
      if (state & PRESENT_OR_SWAPPED && !(state & OF_FILE_OR_SHARED)) entries[found++] = page;
    }
    return entries.slice(0, found);
  }

  #address(memory: WebAssembly.Memory): bigint {
    return this.#native.addressOf(new Uint8Array(memory.buffer));
  }

  #map(address: bigint, length: bigint, flags: number, fd: number, offset: bigint): void {
    // A memory without pages has nothing to map, and the system refuses a length of 0.
    if (length === 0n) return;
    const mapped = this.#native.mmap(address, length, PROT_READ_WRITE, flags, fd, offset);
    if (mapped === MAP_FAILED) throw refused('a mapping', 'raise vm.max_map_count');
  }
}

function refused(what: string, hint?: string): HostError {
  return new HostError('memory-map', `the operating system refused ${what}`, hint);
}
