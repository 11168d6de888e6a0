import { csrPlace } from './csr-numbers.ts';
import type { HartMemory } from './hart-memory.ts';
import * as at from './layout.ts';
import type { Pmp } from './pmp.ts';
import {
  ADUE,
  type Access,
  MACHINE,
  MPP,
  MPP_SHIFT,
  MPRV,
  MXR,
  type Privilege,
  SUM,
  SUPERVISOR,
  USER,
} from './status.ts';

/** What an address comes to where it is none: the exception is the access's. */
export const PAGE_FAULT = -1;
export const ACCESS_FAULT = -2;

/** Bits of a page table entry. @see RISC-V Privileged ISA 20240411, section 12.4.1 */
const V = 1;
const R = 2;
const W = 4;
const X = 8;
const U = 16;
const A = 64;
const D = 128;
/** Bits 54 and above, in the upper half: reserved, as there is neither Svpbmt nor Svnapot. */
const RESERVED = 0xffc0_0000 | 0;

/** Levels by the modes of `satp`: Sv39 and Sv48. */
const levelsByMode: Readonly<Record<number, number>> = { 8: 3, 9: 4 };

export function isTranslationMode(mode: number): boolean {
  return mode === 0 || mode in levelsByMode;
}

/** Translation of virtual addresses, and the TLB that the engine looks at first. */
export class Translation {
  readonly #memory: HartMemory;
  readonly #pmp: Pmp;
  /** Which pages of RAM hold decoded code: they aren't in the TLB for writing. */
  readonly #isCode: (offset: number) => boolean;
  #levels = 0;
  #root = 0;
  /** Sets that may have entries. */
  #filled = 0;
  /** Large pages that entries have come from, by level and number. */
  readonly #largePages = new Set<number>();

  /** @param isEmpty whether the TLB is known to have no entries */
  constructor(memory: HartMemory, pmp: Pmp, isCode: (offset: number) => boolean, isEmpty: boolean) {
    this.#memory = memory;
    this.#pmp = pmp;
    this.#isCode = isCode;
    if (isEmpty) return;
    for (let set = 0; set < at.TLB_SETS; set++) this.#clear(set, at.READ_TLB, 3);
  }

  /** After a change of `satp`, `mstatus` or the mode. */
  update(): void {
    const memory = this.#memory;
    const satp = BigInt.asUintN(64, memory.long(csrPlace('satp')));
    this.#levels = levelsByMode[Number(satp >> 60n)] ?? 0;
    this.#root = Number(BigInt.asUintN(44, satp)) * 4096;
    const mode = memory.privilege;
    const data = this.#dataMode();
    const hasUserPages = data === SUPERVISOR && (this.#status() & SUM) !== 0;
    const setOf = (privilege: Privilege): number =>
      privilege === MACHINE ? 0 : privilege === SUPERVISOR ? 1 : 3;
    memory.setWord(at.DATA_TLB, at.TLB + (hasUserPages ? 2 : setOf(data)) * at.TLB_SET_BYTES);
    memory.setWord(at.FETCH_TLB, at.TLB + setOf(mode) * at.TLB_SET_BYTES);
  }

  /** Forgets all translations. */
  flush(): void {
    for (let set = 0; set < at.TLB_SETS; set++) {
      if (this.#filled & (1 << set)) this.#clear(set, at.READ_TLB, 3);
    }
    this.#filled = 0;
    this.#largePages.clear();
  }

  /** Forgets the translations of an address. */
  flushAddress(low: number, high: number): void {
    const pageNumber = pageNumberOf(low, high, this.#levels);
    for (let level = 1; level < this.#levels; level++) {
      // Any of its parts may have an entry.
      if (this.#largePages.has(largePage(pageNumber, level))) {
        this.flush();
        return;
      }
    }
    const index = (low >>> 12) & (at.TLB_ENTRIES - 1);
    const parts = (at.TLB_SETS * at.TLB_SET_BYTES) / at.WRITE_TLB;
    for (let part = 0; part < parts; part++) {
      const entry = at.TLB + part * at.WRITE_TLB + index * at.TLB_ENTRY_BYTES;
      this.#memory.setLong(entry, at.INVALID_TAG);
    }
  }

  /** Forgets which pages may be written; they have become code. */
  flushWrites(): void {
    for (let set = 0; set < at.TLB_SETS; set++) this.#clear(set, at.WRITE_TLB, 1);
  }

  /** Forgets where decoded code is. */
  flushCode(): void {
    for (let set = 0; set < at.TLB_SETS; set++) this.#clear(set, at.EXECUTE_TLB, 1);
  }

  /** Of an address as two halves. @returns a physical address, PAGE_FAULT or ACCESS_FAULT */
  translate(low: number, high: number, access: Access): number {
    const mode = access === 'execute' ? this.#memory.privilege : this.#dataMode();
    const physical =
      mode === MACHINE || this.#levels === 0
        ? bare(low, high)
        : this.#walk(low, high, access, mode);
    if (physical < 0) return physical;
    return this.#pmp.allows(physical, access, mode) ? physical : ACCESS_FAULT;
  }

  /** Puts a translated page of RAM into the TLB. @param value the entry's: see the layout */
  fill(low: number, high: number, access: Access, value: number): void {
    const { i32 } = this.#memory;
    const isFetch = access === 'execute';
    const set = this.#memory.word(isFetch ? at.FETCH_TLB : at.DATA_TLB);
    const part = isFetch ? at.EXECUTE_TLB : access === 'read' ? at.READ_TLB : at.WRITE_TLB;
    const index = (low >>> 12) & (at.TLB_ENTRIES - 1);
    const entry = (set + part + index * at.TLB_ENTRY_BYTES) >> 2;
    i32[entry] = low & ~0xfff;
    i32[entry + 1] = high;
    i32[entry + 2] = value;
    this.#filled |= 1 << ((set - at.TLB) / at.TLB_SET_BYTES);
  }

  /** Fills the entry for data where it lies in RAM, and may be written at all. */
  fillData(low: number, high: number, access: 'read' | 'write', physical: number): void {
    const offset = this.#memory.ramOffset(physical - (physical % 4096), 4096);
    if (offset < 0 || (access === 'write' && this.#isCode(offset))) return;
    this.fill(low, high, access, (offset - (low & ~0xfff)) | 0);
  }

  #walk(low: number, high: number, access: Access, mode: Privilege): number {
    const levels = this.#levels;
    // All bits above the address's highest are the same as it.
    const unused = 64 - (12 + 9 * levels);
    if ((high << unused) >> unused !== high) return PAGE_FAULT;
    const pageNumber = pageNumberOf(low, high, levels);
    const { ramWords } = this.#memory;
    let table = this.#root;
    for (let level = levels - 1; level >= 0; level--) {
      const index = Math.floor(pageNumber / 2 ** (9 * level)) % 512;
      const offset = this.#memory.ramOffset(table + 8 * index, 8);
      if (offset < 0 || !this.#pmp.allows(table, 'read', SUPERVISOR)) return ACCESS_FAULT;
      const entry = ramWords[offset >> 2]!;
      const upper = ramWords[(offset >> 2) + 1]!;
      if (!(entry & V) || (!(entry & R) && entry & W) || upper & RESERVED) return PAGE_FAULT;
      const physical = ((entry >>> 10) + upper * 2 ** 22) * 4096;
      if (!(entry & (R | X))) {
        if (entry & (U | A | D)) return PAGE_FAULT;
        table = physical;
        continue;
      }
      const pageBytes = 2 ** (12 + 9 * level);
      if (physical % pageBytes !== 0 || !this.#mayAccess(entry, access, mode)) return PAGE_FAULT;
      if (!this.#mark(offset, entry, access)) return PAGE_FAULT;
      if (level > 0) this.#largePages.add(largePage(pageNumber, level));
      return physical + ((pageNumber * 4096 + (low & 0xfff)) % pageBytes);
    }
    return PAGE_FAULT;
  }

  #mayAccess(entry: number, access: Access, mode: Privilege): boolean {
    const isUserPage = (entry & U) !== 0;
    const status = this.#status();
    if (mode === USER && !isUserPage) return false;
    if (mode === SUPERVISOR && isUserPage && (access === 'execute' || !(status & SUM)))
      return false;
    if (access === 'execute') return (entry & X) !== 0;
    if (access === 'write') return (entry & W) !== 0;
    return (entry & R) !== 0 || (status & MXR && entry & X) !== 0;
  }

  /** Sets the accessed and dirty bits, or says that they are software's to set. */
  #mark(offset: number, entry: number, access: Access): boolean {
    const marked = entry | A | (access === 'write' ? D : 0);
    if (marked === entry) return true;
    if (!(this.#memory.long(csrPlace('menvcfg')) & ADUE)) return false;
    this.#memory.ramWords[offset >> 2] = marked;
    return true;
  }

  #dataMode(): Privilege {
    const status = this.#status();
    if (status & MPRV) return ((status & MPP) >> MPP_SHIFT) as Privilege;
    return this.#memory.privilege;
  }

  #status(): number {
    return this.#memory.word(csrPlace('mstatus'));
  }

  #clear(set: number, part: number, parts: number): void {
    const start = (at.TLB + set * at.TLB_SET_BYTES + part) >> 3;
    this.#memory.i64.fill(at.INVALID_TAG, start, start + (parts * at.WRITE_TLB) / 8);
  }
}

/** Number of a virtual page, without the bits that repeat the sign. */
function pageNumberOf(low: number, high: number, levels: number): number {
  return (low >>> 12) + (high & (2 ** (9 * levels - 20) - 1)) * 2 ** 20;
}

/** One number for a large page of a level. Page numbers have 36 bits at most. */
function largePage(pageNumber: number, level: number): number {
  return level * 2 ** 40 + Math.floor(pageNumber / 2 ** (9 * level));
}

/** Physical addresses have 56 bits; with more than 53 nothing is there. */
function bare(low: number, high: number): number {
  return high >>> 21 === 0 ? (high >>> 0) * 2 ** 32 + (low >>> 0) : ACCESS_FAULT;
}
