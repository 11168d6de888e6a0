import type { CodePages } from '../code-pages.ts';
import type { HartMemory } from '../hart-memory.ts';
import * as at from '../layout.ts';
import { findRegion } from './region.ts';
import { type Fill, writeRegion } from './region-writer.ts';

const LIMITS = { blocksMax: 24, instructionsMax: 512 };
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
  readonly #imports: Record<string, unknown>;
  readonly #free: number[] = Array.from({ length: REGIONS_MAX }, (_, i) => REGIONS_MAX - 1 - i);

  constructor(memory: HartMemory, code: CodePages, ram: WebAssembly.Memory, fill: Fill) {
    this.#memory = memory;
    this.#code = code;
    this.#imports = { engine: memory.engine, ram, fill, regions: this.table };
    code.onRelease = (index) => this.#release(index);
  }

  get isFull(): boolean {
    return this.#free.length === 0;
  }

  /** Compiles the code from an offset in RAM on. The page is one of code. */
  compile(offset: number): void {
    const pageOffset = offset & ~0xfff;
    const page = this.#memory.ramU8.subarray(pageOffset, pageOffset + 4096);
    const blocks = findRegion(page, offset & 0xfff, LIMITS);
    if (!blocks.some((block) => block.offset === (offset & 0xfff))) return;
    const index = this.#free.pop()!;
    const module = new WebAssembly.Module(writeRegion(blocks));
    const instance = new WebAssembly.Instance(module, { hart: this.#imports });
    this.table.set(index, instance.exports['region']);
    const place = this.#code.placeOf(offset);
    for (const [entry, block] of blocks.entries()) {
      const landing = place + at.LANDINGS + 2 * block.offset;
      const isStart = block.offset === (offset & 0xfff);
      if (isStart || this.#memory.word(landing) >= 0) {
        this.#memory.setWord(landing, ~((index << at.ENTRY_BITS) | entry));
      }
    }
    this.#code.addRegion(offset, index);
  }

  #release(index: number): void {
    this.table.set(index, null);
    this.#free.push(index);
  }
}
