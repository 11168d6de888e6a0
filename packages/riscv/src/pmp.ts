import type { HartMemory } from './hart-memory.ts';
import { PMP_ADDRESSES, PMP_CONFIGS } from './layout.ts';
import { type Access, MACHINE, type Privilege } from './status.ts';

export const PMP_ENTRIES = 16;

/** Bits of an entry's configuration. @see RISC-V Privileged ISA 20240411, section 3.7.1 */
const READ = 1;
const WRITE = 2;
const EXECUTE = 4;
const MODE = 3 << 3;
const TOP_OF_RANGE = 1 << 3;
const NATURALLY_ALIGNED_4 = 2 << 3;
const NATURALLY_ALIGNED = 3 << 3;
const LOCKED = 1 << 7;
const CONFIG = READ | WRITE | EXECUTE | MODE | LOCKED;
const rights = { read: READ, write: WRITE, execute: EXECUTE } as const;

/** Regions are whole pages, G = 10: addresses, in words of 4 bytes, have these bits all zero, or all one. */
const BELOW_PAGE = 0x3ffn;
const BELOW_HALF_PAGE = 0x1ffn;
/** Physical addresses have 56 bits. */
const ADDRESS = (1n << 54n) - 1n;

/** Pages [first, end) by number. */
interface Region {
  readonly first: number;
  readonly end: number;
  readonly config: number;
}

/** Physical memory protection: which mode may do what where. */
export class Pmp {
  readonly #memory: HartMemory;
  #regions: readonly Region[] = [];

  constructor(memory: HartMemory) {
    this.#memory = memory;
  }

  allows(address: number, access: Access, privilege: Privilege): boolean {
    const page = Math.floor(address / 4096);
    for (const { first, end, config } of this.#regions) {
      if (page < first || page >= end) continue;
      if (privilege === MACHINE && !(config & LOCKED)) return true;
      return (config & rights[access]) !== 0;
    }
    return privilege === MACHINE;
  }

  /** All of memory for all modes. */
  open(): void {
    this.#memory.u8[PMP_CONFIGS] = NATURALLY_ALIGNED | READ | WRITE | EXECUTE;
    this.#memory.setLong(PMP_ADDRESSES, ADDRESS);
    this.update();
  }

  readConfig(index: number): number {
    return this.#memory.u8[PMP_CONFIGS + index]!;
  }

  writeConfig(index: number, value: number): void {
    if (this.#isLocked(index)) return;
    let config = value & CONFIG;
    // Reserved: writable and not readable; and regions smaller than a page.
    if ((config & (READ | WRITE)) === WRITE) config &= ~WRITE;
    if ((config & MODE) === NATURALLY_ALIGNED_4) {
      config = (config & ~MODE) | (this.readConfig(index) & MODE);
    }
    this.#memory.u8[PMP_CONFIGS + index] = config;
  }

  readAddress(index: number): bigint {
    const address = this.#memory.long(PMP_ADDRESSES + 8 * index);
    const isAligned = (this.readConfig(index) & MODE) === NATURALLY_ALIGNED;
    return isAligned ? address | BELOW_HALF_PAGE : address & ~BELOW_PAGE;
  }

  writeAddress(index: number, value: bigint): void {
    const isTopLocked =
      index + 1 < PMP_ENTRIES &&
      this.#isLocked(index + 1) &&
      (this.readConfig(index + 1) & MODE) === TOP_OF_RANGE;
    if (this.#isLocked(index) || isTopLocked) return;
    this.#memory.setLong(PMP_ADDRESSES + 8 * index, value & ADDRESS);
  }

  /** After a change. What the TLB holds may no longer be so. */
  update(): void {
    const regions: Region[] = [];
    for (let i = 0; i < PMP_ENTRIES; i++) {
      const config = this.readConfig(i);
      const address = this.readAddress(i);
      const mode = config & MODE;
      if (mode === TOP_OF_RANGE) {
        const first = i === 0 ? 0n : this.readAddress(i - 1) & ~BELOW_PAGE;
        regions.push({ first: Number(first >> 10n), end: Number(address >> 10n), config });
      } else if (mode === NATURALLY_ALIGNED) {
        // The lowest zero says how large it is: …0111 stands for 2^3 words and their doubles.
        const size = (address ^ (address + 1n)) + 1n;
        const first = address & ~(size - 1n);
        const end = first + size;
        regions.push({ first: Number(first >> 10n), end: Number(end >> 10n), config });
      }
    }
    this.#regions = regions;
  }

  #isLocked(index: number): boolean {
    return (this.readConfig(index) & LOCKED) !== 0;
  }
}
