import type { CodePages } from '../code-pages.ts';
import type { HartMemory } from '../hart-memory.ts';
import { UNDECODED } from '../interpreter.ts';
import * as at from '../layout.ts';
import type { Fill } from '../tlb-code.ts';
import { findRegion } from './region.ts';
import { writeRegion } from './region-writer.ts';

const LIMITS = { blocksMax: 100, instructionsMax: 1200 };
/** Functions in the interpreter's table. */
export const REGIONS_MAX = 8192;

/** Compiles what the interpreter found hot, and puts it where the interpreter finds it. */
export class Regions {
  readonly table: WebAssembly.Table = new WebAssembly.Table({
    element: 'anyfunc',
    initial: REGIONS_MAX,
  });
  readonly #memory: HartMemory;
  readonly #code: CodePages;
  readonly #instantiate: (module: WebAssembly.Module) => WebAssembly.Instance;
  readonly #free: number[] = Array.from({ length: REGIONS_MAX }, (_, i) => REGIONS_MAX - 1 - i);

  constructor(memory: HartMemory, code: CodePages, ram: WebAssembly.Memory, fill: Fill) {
    this.#memory = memory;
    this.#code = code;
    const hart = { engine: memory.engine, ram, fill, regions: this.table };
    this.#instantiate = (module) => new WebAssembly.Instance(module, { hart });
    code.onRelease = (index) => this.#release(index);
  }

  get isFull(): boolean {
    return this.#free.length === 0;
  }

  /** Compiles the code from an offset in RAM on. The page is one of code. */
  compile(offset: number): void {
    const pageOffset = offset & ~0xfff;
    const { u16, ramU8 } = this.#memory;
    const page = ramU8.subarray(pageOffset, pageOffset + 4096);
    const place = this.#code.placeOf(offset);
    const landings = place + at.LANDINGS;
    const starts = [offset & 0xfff, ...this.#warm(landings)].slice(0, LIMITS.blocksMax);
    const isReached = (target: number): boolean =>
      u16[(place + (target / 2) * at.RECORD_BYTES) >> 1] !== UNDECODED;
    const region = findRegion(page, starts, LIMITS, isReached);
    if (!region.entries.includes(offset & 0xfff)) return;
    const index = this.#free.pop()!;
    const module = new WebAssembly.Module(writeRegion(region, { index, landings }));
    const instance = this.#instantiate(module);
    this.table.set(index, instance.exports['region']);
    for (const [entry, entryOffset] of region.entries.entries()) {
      const landing = landings + 2 * entryOffset;
      const isStart = entryOffset === (offset & 0xfff);
      if (isStart || this.#memory.word(landing) >= 0) {
        this.#memory.setWord(landing, ~((index << at.ENTRY_BITS) | entry));
      }
    }
    this.#code.addRegion(offset, index);
  }

  /** Offsets that will be hot soon, as the targets of one indirect jump are: they are compiled together. */
  #warm(landings: number): number[] {
    const { i32 } = this.#memory;
    const least = this.#memory.word(at.HOT_LANDINGS) / 4;
    const offsets: number[] = [];
    for (let half = 0; half < 2048; half++) {
      if (i32[(landings >> 2) + half]! > least) offsets.push(2 * half);
    }
    return offsets;
  }

  #release(index: number): void {
    this.table.set(index, null);
    this.#free.push(index);
  }
}
