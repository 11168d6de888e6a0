import type { CodePages } from '../code-pages.ts';
import type { HartMemory } from '../hart-memory.ts';
import { UNDECODED } from '../interpreter.ts';
import * as at from '../layout.ts';
import type { Fill } from '../tlb-code.ts';
import { findRegion } from './region.ts';
import { writeRegion } from './region-writer.ts';

const LIMITS = { blocksMax: 100, instructionsMax: 1200 };
/** The most that is compiled at the same time. */
export const REGIONS_MAX = 8192;
/** Functions by which the interpreter's table grows; a divisor of the above. */
const TABLE_STEP = 256;

/**
 * Calls of something compiled before a fork instantiates it: an instance costs as much as some thousand instructions
 * interpreted, and most of what a fork was forked with it never runs.
 */
const CALLS_BEFORE_INSTANCE = 16;

/** What is compiled at one moment: by its number. */
export type CompiledRegions = readonly (WebAssembly.Module | undefined)[];

/** What regions are linked to, beside the table. */
export interface RegionImports {
  readonly engine: WebAssembly.Memory;
  readonly ram: WebAssembly.Memory;
  readonly fill: Fill;
}

/**
 * Compiles what the interpreter found hot, and puts it where the interpreter finds it. A fork begins with the modules
 * of its origin, and instantiates them when they are called.
 */
export class Regions {
  readonly table: WebAssembly.Table = new WebAssembly.Table({
    element: 'anyfunc',
    initial: TABLE_STEP,
    maximum: REGIONS_MAX,
  });
  readonly #memory: HartMemory;
  readonly #code: CodePages;
  readonly #imports: Record<string, WebAssembly.Memory | WebAssembly.Table | Fill>;
  readonly #modules: (WebAssembly.Module | undefined)[];
  /** Numbers below the modules' count that are not used. */
  readonly #free: number[] = [];
  /** Of modules without an instance: how often they were called. */
  readonly #calls = new Map<number, number>();

  constructor(
    memory: HartMemory,
    code: CodePages,
    imports: RegionImports,
    from: CompiledRegions = [],
  ) {
    this.#memory = memory;
    this.#code = code;
    this.#imports = { ...imports, regions: this.table };
    this.#modules = [...from];
    this.#modules.forEach((module, index) => {
      if (!module) this.#free.push(index);
    });
    code.onRelease = (index) => this.#release(index);
  }

  get isFull(): boolean {
    return this.#free.length === 0 && this.#modules.length === REGIONS_MAX;
  }

  /** What a fork begins with. */
  compiled(): CompiledRegions {
    return [...this.#modules];
  }

  /** Lets calls of what has no instance end in `absent`. */
  begin(absent: unknown): void {
    this.#reserve(this.#modules.length);
    this.#modules.forEach((module, index) => {
      if (module) this.table.set(index, absent);
    });
  }

  /** Something without an instance was called, at an offset in RAM. */
  called(offset: number): void {
    const index = ~this.#memory.word(this.#landing(offset)) >> at.ENTRY_BITS;
    const calls = (this.#calls.get(index) ?? 0) + 1;
    this.#calls.set(index, calls);
    if (calls === CALLS_BEFORE_INSTANCE) this.#instantiate(index);
  }

  /** Compiles the code from an offset in RAM on. The page is one of code. */
  compile(offset: number): void {
    const pageOffset = offset & ~0xfff;
    const { u16, ramU8 } = this.#memory;
    const page = ramU8.subarray(pageOffset, pageOffset + 4096);
    const place = this.#code.placeOf(offset);
    const landings = place + at.LANDINGS;
    const isReached = (target: number): boolean =>
      u16[(place + (target / 2) * at.RECORD_BYTES) >> 1] !== UNDECODED;
    // Neighbours share a count, and most of a warm one's lie in the middle of instructions.
    const warm = this.#warm(place).filter(isReached);
    const starts = [offset & 0xfff, ...warm].slice(0, LIMITS.blocksMax);
    const region = findRegion(page, starts, LIMITS, isReached);
    if (!region.entries.includes(offset & 0xfff)) {
      this.giveUp(offset);
      return;
    }
    const index = this.#free.pop() ?? this.#modules.length;
    this.#modules[index] = new WebAssembly.Module(writeRegion(region, { index, landings }));
    this.#instantiate(index);
    for (const [entry, entryOffset] of region.entries.entries()) {
      const landing = landings + 2 * entryOffset;
      const isStart = entryOffset === (offset & 0xfff);
      if (isStart || this.#memory.word(landing) >= 0) {
        this.#memory.setWord(landing, ~((index << at.ENTRY_BITS) | entry));
      }
    }
    this.#code.addRegion(offset, index);
  }

  /** Nothing is compiled from an offset in RAM on, until its page has other code. */
  giveUp(offset: number): void {
    this.#memory.setWord(this.#landing(offset), at.NOT_COMPILED);
  }

  /** Offsets that will be hot soon, as the targets of one indirect jump are: they are compiled together. */
  #warm(place: number): number[] {
    const { i32, u16 } = this.#memory;
    const least = this.#memory.word(at.HOT_LANDINGS) / 4;
    const offsets: number[] = [];
    for (let half = 0; half < 2048; half++) {
      const index = ((place + 4 * half) >> at.COUNT_SHIFT) % at.COUNTS_LENGTH;
      const isOpen = i32[((place + at.LANDINGS) >> 2) + half] === 0;
      if (isOpen && u16[(at.COUNTS >> 1) + index]! > least) offsets.push(2 * half);
    }
    return offsets;
  }

  /** Place of an offset's landing. The page is one of code. */
  #landing(offset: number): number {
    return this.#code.placeOf(offset) + at.LANDINGS + 2 * (offset & 0xffe);
  }

  #instantiate(index: number): void {
    this.#reserve(index + 1);
    const { exports } = new WebAssembly.Instance(this.#modules[index]!, { hart: this.#imports });
    this.table.set(index, exports['region']);
  }

  #reserve(length: number): void {
    const missing = length - this.table.length;
    if (missing > 0) this.table.grow(Math.ceil(missing / TABLE_STEP) * TABLE_STEP);
  }

  #release(index: number): void {
    this.table.set(index, null);
    this.#modules[index] = undefined;
    this.#calls.delete(index);
    this.#free.push(index);
  }
}
