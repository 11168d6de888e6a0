import {
  type GuestMemory,
  type MemorySnapshot,
  createMemory,
  forkMemory,
} from '@polyvisor/memory/guest-memory';
import { CHUNK_BYTES } from '@polyvisor/memory/pages';
import * as at from './layout.ts';
import type { Privilege } from './status.ts';

/** Pages of RAM and of decoded code are 4 KiB of the guest's. */
const PAGE_BYTES = 4096;

export interface HartMemorySizes {
  readonly ramBase: number;
  /** A multiple of 4 KiB. */
  readonly ramBytes: number;
  /** Pages of code that can be decoded at the same time. */
  readonly codePages: number;
  /** Regions that can be compiled at the same time. */
  readonly regions: number;
}

/** The engine's memory and RAM, as JavaScript looks at them. */
export class HartMemory implements Disposable {
  readonly engine: WebAssembly.Memory;
  readonly i32: Int32Array;
  readonly u16: Uint16Array;
  readonly u8: Uint8Array;
  readonly i64: BigInt64Array;
  readonly f64: Float64Array;
  readonly ramU8: Uint8Array;
  readonly ramWords: Int32Array;
  readonly ramBase: number;
  readonly ramBytes: number;
  /** By number of the page of RAM: place of its decoded instructions, or 0. */
  readonly codePlaces: Int32Array;
  /** Likewise: the first of what is compiled of it, plus 1; stores since a decoding; times that was lost. */
  readonly firstRegions: Uint16Array;
  readonly codeStores: Uint8Array;
  readonly codeLosses: Uint8Array;
  /** By number of the place of decoded instructions: number of their page of RAM. */
  readonly ramPages: Int32Array;
  /** By number of what is compiled: the next one of the same page, plus 1. */
  readonly nextRegions: Uint16Array;
  readonly #own: GuestMemory;

  constructor(
    memory: WebAssembly.Memory,
    { ramBase, ramBytes, codePages, regions }: HartMemorySizes,
    from?: MemorySnapshot,
  ) {
    const pages = ramBytes / PAGE_BYTES;
    const tables = at.CODE + codePages * at.CODE_PAGE_BYTES;
    const end = tables + 8 * pages + 4 * codePages + 2 * regions;
    const bytesMax = Math.ceil(end / CHUNK_BYTES) * CHUNK_BYTES;
    // One snapshot does for all forks until the code changes.
    const options = { bytesMax, loosePagesMax: 0 };
    this.#own = from ? forkMemory(from, options) : createMemory(bytesMax, options);
    this.engine = this.#own.memory;
    const { buffer } = this.engine;
    this.codePlaces = new Int32Array(buffer, tables, pages);
    this.firstRegions = new Uint16Array(buffer, tables + 4 * pages, pages);
    this.codeStores = new Uint8Array(buffer, tables + 6 * pages, pages);
    this.codeLosses = new Uint8Array(buffer, tables + 7 * pages, pages);
    this.ramPages = new Int32Array(buffer, tables + 8 * pages, codePages);
    this.nextRegions = new Uint16Array(buffer, tables + 8 * pages + 4 * codePages, regions);
    this.i32 = new Int32Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.i64 = new BigInt64Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.ramU8 = new Uint8Array(memory.buffer);
    this.ramWords = new Int32Array(memory.buffer);
    this.ramBase = ramBase;
    this.ramBytes = ramBytes;
  }

  /**
   * What forks share: without translations and counts, which a fork begins anew. Here they stay as they are, for a
   * guest can tell when translations are forgotten. The caller disposes of it.
   */
  snapshot(): MemorySnapshot {
    const kept = this.u8.slice(at.TLB, at.CROSSING);
    this.i64.fill(at.INVALID_TAG, at.TLB / 8, at.COUNTS / 8);
    this.u8.fill(0, at.COUNTS, at.CROSSING);
    try {
      return this.#own.snapshot();
    } finally {
      this.u8.set(kept, at.TLB);
    }
  }

  /** The last snapshot once more, or the one that this was made from. The caller disposes of it. */
  base(): MemorySnapshot {
    return this.#own.base();
  }

  [Symbol.dispose](): void {
    this.#own[Symbol.dispose]();
  }

  /** Halves the counts of landings. */
  fadeCounts(): void {
    const { i32 } = this;
    const end = (at.COUNTS + 2 * at.COUNTS_LENGTH) / 4;
    for (let i = at.COUNTS / 4; i < end; i++) {
      const two = i32[i]!;
      // What is zero stays a page that nobody has for himself.
      if (two !== 0) i32[i] = (two >>> 1) & 0x7fff_7fff;
    }
  }

  /** An i32 or i64 at a place of the engine's memory. */
  word(place: number): number {
    return this.i32[place >> 2]!;
  }

  setWord(place: number, value: number): void {
    this.i32[place >> 2] = value;
  }

  long(place: number): bigint {
    return this.i64[place >> 3]!;
  }

  setLong(place: number, value: bigint): void {
    this.i64[place >> 3] = value;
  }

  x(register: number): bigint {
    return BigInt.asUintN(64, this.long(at.X + 8 * register));
  }

  setX(register: number, value: bigint): void {
    if (register !== 0) this.setLong(at.X + 8 * register, value);
  }

  /** Patterns of the registers of floating point. */
  f(register: number): bigint {
    return BigInt.asUintN(64, this.long(at.F + 8 * register));
  }

  setF(register: number, value: bigint): void {
    this.setLong(at.F + 8 * register, value);
  }

  get privilege(): Privilege {
    return this.word(at.PRIVILEGE) as Privilege;
  }

  /** Offset of a physical address in RAM; -1 where `size` bytes are not all there. */
  ramOffset(address: number, size: number): number {
    const offset = address - this.ramBase;
    return offset >= 0 && offset + size <= this.ramBytes ? offset : -1;
  }
}
