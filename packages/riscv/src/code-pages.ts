import { assert } from '@polyvisor/errors/assert';
import type { HartMemory } from './hart-memory.ts';
import { REDISPATCH, UNDECODED } from './interpreter.ts';
import * as at from './layout.ts';

const INSTRUCTIONS_BYTES = 2048 * at.RECORD_BYTES;
/** Stores to a page between two decodings after which it is no longer taken for code. */
const STORES_MAX = 64;
/** Times that a page's compiled code may be lost to stores. */
const LOST_MAX = 8;

/** Which places of decoded pages are in use: the first so many, but for those that are free again. */
export interface PlacesInUse {
  readonly used: number;
  readonly free: readonly number[];
  /** What `CodePages` had counted then. */
  readonly changes: number;
}

/** Pages of RAM whose instructions are decoded. Addresses are offsets in RAM. */
export class CodePages {
  readonly #memory: HartMemory;
  readonly #pagesMax: number;
  /** Places behind the last one used are free, and these. */
  readonly #free: number[];
  #used: number;
  #changes: number;
  /** Called for each number of something compiled that is no longer used. */
  onRelease: (region: number) => void = () => {};

  constructor(memory: HartMemory, pagesMax: number, from?: PlacesInUse) {
    this.#memory = memory;
    this.#pagesMax = pagesMax;
    this.#used = from?.used ?? 0;
    this.#free = [...(from?.free ?? [])];
    this.#changes = from?.changes ?? 0;
    if (from) return;
    const records = memory.u16.subarray(at.CROSSING / 2, (at.CROSSING + at.CODE_PAGE_BYTES) / 2);
    for (let i = 0; i < records.length; i += at.RECORD_BYTES / 2) records[i] = REDISPATCH;
  }

  /** What a fork begins with, beside the engine's memory. */
  placesInUse(): PlacesInUse {
    return { used: this.#used, free: [...this.#free], changes: this.#changes };
  }

  /** Counts what makes a copy of the engine's memory one of other code: less of it, or less than there is now. */
  get changes(): number {
    return this.#changes;
  }

  has(offset: number): boolean {
    return this.placeOf(offset) !== 0;
  }

  /** Place of the page's decoded instructions; 0 if it has none. */
  placeOf(offset: number): number {
    return this.#memory.codePlaces[offset >>> 12]!;
  }

  /** Where in RAM the instruction of a record in a page's place stands. */
  offsetOf(record: number): number {
    const index = Math.floor((record - at.CODE) / at.CODE_PAGE_BYTES);
    const inPage = record - at.CODE - index * at.CODE_PAGE_BYTES;
    return this.#memory.ramPages[index]! * 4096 + (inPage / at.RECORD_BYTES) * 2;
  }

  get isFull(): boolean {
    return this.#free.length === 0 && this.#used === this.#pagesMax;
  }

  /** Takes the page for code from now on. */
  add(offset: number): number {
    assert(!this.isFull && !this.has(offset), 'there is room for a new page');
    const place = this.#free.pop() ?? at.CODE + this.#used++ * at.CODE_PAGE_BYTES;
    const { u16, codePlaces, codeStores, ramPages } = this.#memory;
    u16[(place + INSTRUCTIONS_BYTES) >> 1] = REDISPATCH;
    u16[(place + INSTRUCTIONS_BYTES + at.RECORD_BYTES) >> 1] = REDISPATCH;
    codePlaces[offset >>> 12] = place;
    codeStores[offset >>> 12] = 0;
    ramPages[(place - at.CODE) / at.CODE_PAGE_BYTES] = offset >>> 12;
    this.#changes++;
    return place;
  }

  addRegion(offset: number, region: number): void {
    const { firstRegions, nextRegions } = this.#memory;
    const page = offset >>> 12;
    nextRegions[region] = firstRegions[page]!;
    firstRegions[page] = region + 1;
    this.#changes++;
  }

  /** Whether the page's code changes so often that it is not worth compiling. */
  isUnsteady(offset: number): boolean {
    return this.#memory.codeLosses[offset >>> 12] === LOST_MAX;
  }

  /** An instruction of the page was decoded. */
  decoded(offset: number): void {
    this.#memory.codeStores[offset >>> 12] = 0;
  }

  /**
   * Bytes within one page of code were written: forgets the instructions that have one of them.
   * @returns whether the page is written so often that it is better dropped
   */
  written(offset: number, length: number): boolean {
    const page = offset >>> 12;
    const { u16, codePlaces, codeStores } = this.#memory;
    const place = codePlaces[page]!;
    const start = offset & 0xfff;
    // An instruction may begin a half-word earlier.
    const first = Math.max(0, (start >> 1) - 1);
    const last = (start + length - 1) >> 1;
    this.#dropRegions(page);
    this.#changes++;
    for (let i = first; i <= last; i++) u16[(place + i * at.RECORD_BYTES) >> 1] = UNDECODED;
    return ++codeStores[page]! >= STORES_MAX;
  }

  drop(offset: number): void {
    const page = offset >>> 12;
    const { u8, codePlaces, codeLosses } = this.#memory;
    const place = codePlaces[page]!;
    this.#dropRegions(page);
    codeLosses[page] = 0;
    codePlaces[page] = 0;
    this.#free.push(place);
    this.#changes++;
    u8.fill(0, place, place + at.CODE_PAGE_BYTES);
  }

  dropAll(): void {
    if (this.#used === 0) return;
    const { u8, codePlaces, codeLosses } = this.#memory;
    for (let page = 0; page < codePlaces.length; page++) this.#dropRegions(page);
    codeLosses.fill(0);
    codePlaces.fill(0);
    u8.fill(0, at.CODE, at.CODE + this.#used * at.CODE_PAGE_BYTES);
    this.#free.length = 0;
    this.#used = 0;
    this.#changes++;
  }

  #dropRegions(page: number): void {
    const { i32, codePlaces, codeLosses, firstRegions, nextRegions } = this.#memory;
    let next = firstRegions[page]!;
    if (next === 0) return;
    firstRegions[page] = 0;
    codeLosses[page] = Math.min(codeLosses[page]! + 1, LOST_MAX);
    const landings = codePlaces[page]! + at.LANDINGS;
    i32.fill(0, landings >> 2, (landings >> 2) + 2048);
    while (next !== 0) {
      const region = next - 1;
      next = nextRegions[region]!;
      this.onRelease(region);
    }
  }
}
