import { assert } from '@polyvisor/errors/assert';
import type { HartMemory } from './hart-memory.ts';
import { REDISPATCH, UNDECODED } from './interpreter.ts';
import * as at from './layout.ts';

const INSTRUCTIONS_BYTES = 2048 * at.RECORD_BYTES;
/** Stores to a page between two decodings after which it is no longer taken for code. */
const STORES_MAX = 64;
/** Times that a page's compiled code may be lost to stores. */
const LOST_MAX = 8;

/** Pages of RAM whose instructions are decoded. Addresses are offsets in RAM. */
export class CodePages {
  readonly #memory: HartMemory;
  readonly #pagesMax: number;
  /** By number of the page of RAM: place of its decoded instructions, or 0. */
  readonly #places: Int32Array;
  /** The other way round: the page of RAM of each place. */
  readonly #pages: Int32Array;
  readonly #stores: Uint8Array;
  readonly #free: number[] = [];
  /** Numbers of what is compiled, by number of the page, and how often that was in vain. */
  readonly #regions = new Map<number, number[]>();
  readonly #lost = new Map<number, number>();
  /** Called for each number that is no longer used. */
  onRelease: (region: number) => void = () => {};
  #used = 0;

  constructor(memory: HartMemory, pagesMax: number) {
    this.#memory = memory;
    this.#pagesMax = pagesMax;
    this.#places = new Int32Array(memory.ramBytes / 4096);
    this.#pages = new Int32Array(pagesMax);
    this.#stores = new Uint8Array(memory.ramBytes / 4096);
    const records = memory.u16.subarray(at.CROSSING / 2, (at.CROSSING + at.CODE_PAGE_BYTES) / 2);
    for (let i = 0; i < records.length; i += at.RECORD_BYTES / 2) records[i] = REDISPATCH;
  }

  has(offset: number): boolean {
    return this.#places[offset >>> 12] !== 0;
  }

  /** Place of the page's decoded instructions; 0 if it has none. */
  placeOf(offset: number): number {
    return this.#places[offset >>> 12]!;
  }

  /** Where in RAM the instruction of a record in a page's place stands. */
  offsetOf(record: number): number {
    const index = Math.floor((record - at.CODE) / at.CODE_PAGE_BYTES);
    const inPage = record - at.CODE - index * at.CODE_PAGE_BYTES;
    return this.#pages[index]! * 4096 + (inPage / at.RECORD_BYTES) * 2;
  }

  get isFull(): boolean {
    return this.#free.length === 0 && this.#used === this.#pagesMax;
  }

  /** Takes the page for code from now on. */
  add(offset: number): number {
    assert(!this.isFull && !this.has(offset), 'there is room for a new page');
    const place = this.#free.pop() ?? at.CODE + this.#used++ * at.CODE_PAGE_BYTES;
    const { u16 } = this.#memory;
    u16[(place + INSTRUCTIONS_BYTES) >> 1] = REDISPATCH;
    u16[(place + INSTRUCTIONS_BYTES + at.RECORD_BYTES) >> 1] = REDISPATCH;
    this.#places[offset >>> 12] = place;
    this.#pages[(place - at.CODE) / at.CODE_PAGE_BYTES] = offset >>> 12;
    this.#stores[offset >>> 12] = 0;
    return place;
  }

  addRegion(offset: number, region: number): void {
    const page = offset >>> 12;
    const regions = this.#regions.get(page);
    if (regions) regions.push(region);
    else this.#regions.set(page, [region]);
  }

  /** Whether the page's code changes so often that it is not worth compiling. */
  isUnsteady(offset: number): boolean {
    return (this.#lost.get(offset >>> 12) ?? 0) >= LOST_MAX;
  }

  /** An instruction of the page was decoded. */
  decoded(offset: number): void {
    this.#stores[offset >>> 12] = 0;
  }

  /**
   * Bytes within one page of code were written: forgets the instructions that have one of them.
   * @returns whether the page is written so often that it is better dropped
   */
  written(offset: number, length: number): boolean {
    const page = offset >>> 12;
    const place = this.#places[page]!;
    const start = offset & 0xfff;
    // An instruction may begin a half-word earlier.
    const first = Math.max(0, (start >> 1) - 1);
    const last = (start + length - 1) >> 1;
    const { u16 } = this.#memory;
    this.#dropRegions(page);
    for (let i = first; i <= last; i++) u16[(place + i * at.RECORD_BYTES) >> 1] = UNDECODED;
    return ++this.#stores[page]! >= STORES_MAX;
  }

  drop(offset: number): void {
    const page = offset >>> 12;
    const place = this.#places[page]!;
    this.#dropRegions(page);
    this.#lost.delete(page);
    this.#places[page] = 0;
    this.#free.push(place);
    this.#memory.u8.fill(0, place, place + at.CODE_PAGE_BYTES);
  }

  dropAll(): void {
    for (const page of this.#regions.keys()) this.#dropRegions(page);
    this.#lost.clear();
    this.#places.fill(0);
    this.#free.length = 0;
    this.#memory.u8.fill(0, at.CODE, at.CODE + this.#used * at.CODE_PAGE_BYTES);
    this.#used = 0;
  }

  #dropRegions(page: number): void {
    const regions = this.#regions.get(page);
    if (!regions) return;
    this.#regions.delete(page);
    this.#lost.set(page, (this.#lost.get(page) ?? 0) + 1);
    const landings = this.#places[page]! + at.LANDINGS;
    this.#memory.i32.fill(0, landings >> 2, (landings >> 2) + 2048);
    for (const region of regions) this.onRelease(region);
  }
}
