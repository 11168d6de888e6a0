import { behind, toAddress } from './address.ts';
import type { CodePages } from './code-pages.ts';
import type { AccessSize, MmioBus } from './contract.ts';
import type { HartMemory } from './hart-memory.ts';
import * as at from './layout.ts';
import { type Access, LOAD_MISALIGNED, STORE_MISALIGNED, accesses } from './status.ts';
import { ACCESS_FAULT, PAGE_FAULT, type Translation } from './translation.ts';
import type { Traps } from './traps.ts';

/** Accesses that the engine can not do alone: to pages not in the TLB, across pages, to code, and to devices. */
export class MemoryAccess {
  readonly #memory: HartMemory;
  readonly #translation: Translation;
  readonly #code: CodePages;
  readonly #traps: Traps;
  readonly #bus: MmioBus;

  constructor(
    memory: HartMemory,
    translation: Translation,
    code: CodePages,
    traps: Traps,
    bus: MmioBus,
  ) {
    this.#memory = memory;
    this.#translation = translation;
    this.#code = code;
    this.#traps = traps;
    this.#bus = bus;
  }

  /** Leaves the bytes in `VALUE`. @returns whether it trapped */
  load(low: number, high: number, size: AccessSize): boolean {
    const first = this.translate(low, high, 'read');
    if (first < 0) return true;
    const split = this.#split(low, size);
    if (split === size) {
      this.#translation.fillData(low, high, 'read', first);
      const offset = this.#memory.ramOffset(first, size);
      if (offset < 0) return this.#loadDevice(low, high, size, first);
      this.#copyIn(offset, 0, size);
      return false;
    }
    const [nextLow, nextHigh] = behind(low & ~0xfff, high, 4096);
    const second = this.translate(nextLow, nextHigh, 'read');
    if (second < 0) return true;
    const start = this.#memory.ramOffset(first, split);
    const rest = this.#memory.ramOffset(second, size - split);
    if (start < 0 || rest < 0) return this.#fault(low, high, 'read', ACCESS_FAULT);
    this.#copyIn(start, 0, split);
    this.#copyIn(rest, split, size - split);
    return false;
  }

  /** Stores what is in `VALUE`. @returns `trapped`, or `code` if instructions were dropped */
  store(low: number, high: number, size: AccessSize): 'done' | 'trapped' | 'code' {
    const first = this.translate(low, high, 'write');
    if (first < 0) return 'trapped';
    const split = this.#split(low, size);
    if (split === size) {
      this.#translation.fillData(low, high, 'write', first);
      const offset = this.#memory.ramOffset(first, size);
      if (offset < 0) return this.#storeDevice(low, high, size, first) ? 'trapped' : 'done';
      return this.#copyOut(offset, 0, size) ? 'code' : 'done';
    }
    const [nextLow, nextHigh] = behind(low & ~0xfff, high, 4096);
    const second = this.translate(nextLow, nextHigh, 'write');
    if (second < 0) return 'trapped';
    const start = this.#memory.ramOffset(first, split);
    const rest = this.#memory.ramOffset(second, size - split);
    if (start < 0 || rest < 0) {
      this.#fault(low, high, 'write', ACCESS_FAULT);
      return 'trapped';
    }
    const hasDropped = this.#copyOut(start, 0, split);
    return this.#copyOut(rest, split, size - split) || hasDropped ? 'code' : 'done';
  }

  /** Leaves the place's offset in RAM in `VALUE`, and counts it as written. @returns whether it trapped */
  atomic(low: number, high: number, size: number, isWritten: boolean): boolean {
    if (low & (size - 1)) {
      this.#traps.enter(isWritten ? STORE_MISALIGNED : LOAD_MISALIGNED, toAddress(low, high));
      return true;
    }
    const access = isWritten ? 'write' : 'read';
    const physical = this.translate(low, high, access);
    if (physical < 0) return true;
    const offset = this.#memory.ramOffset(physical, size);
    if (offset < 0) return this.#fault(low, high, access, ACCESS_FAULT);
    this.#memory.setWord(at.VALUE, offset);
    if (isWritten && this.#code.has(offset)) this.#code.written(offset, size);
    this.#translation.fillData(low, high, access, physical);
    return false;
  }

  /** Fills the TLB for an access within a page of RAM, without a trap. @returns whether it did */
  fill(low: number, high: number, size: number, access: 'read' | 'write'): boolean {
    if (this.#split(low, size) !== size) return false;
    const physical = this.#translation.translate(low, high, access);
    const offset = physical < 0 ? -1 : this.#memory.ramOffset(physical, size);
    if (offset < 0 || (access === 'write' && this.#code.has(offset))) return false;
    this.#translation.fillData(low, high, access, physical);
    return true;
  }

  /** A physical address; negative after a trap. */
  translate(low: number, high: number, access: Access): number {
    const physical = this.#translation.translate(low, high, access);
    if (physical < 0) this.#fault(low, high, access, physical);
    return physical;
  }

  /** There is nothing to execute. */
  executeFault(low: number, high: number): void {
    this.#fault(low, high, 'execute', ACCESS_FAULT);
  }

  /** Whether an address may be read or written; else it traps, as a store. */
  probe(low: number, high: number): boolean {
    if (this.#translation.translate(low, high, 'read') >= 0) return true;
    return this.translate(low, high, 'write') >= 0;
  }

  /** No longer takes a page for code. */
  dropCode(offset: number): void {
    this.#code.drop(offset);
    this.#translation.flushCode();
  }

  /** Bytes of RAM were written. @returns whether decoded instructions moved away */
  written(offset: number, length: number): boolean {
    if (!this.#code.has(offset)) return false;
    if (!this.#code.written(offset, length)) return false;
    this.dropCode(offset);
    return true;
  }

  #loadDevice(low: number, high: number, size: AccessSize, address: number): boolean {
    const value = address % size === 0 ? this.#bus.load(address, size) : undefined;
    if (value === undefined) return this.#fault(low, high, 'read', ACCESS_FAULT);
    this.#memory.setLong(at.VALUE, BigInt(value));
    return false;
  }

  #storeDevice(low: number, high: number, size: AccessSize, address: number): boolean {
    const { i32, i64 } = this.#memory;
    const word = i32[at.VALUE >> 2]!;
    const value =
      size === 8
        ? BigInt.asUintN(64, i64[at.VALUE >> 3]!)
        : size === 4
          ? word >>> 0
          : word & (size === 2 ? 0xffff : 0xff);
    const isDone = address % size === 0 && this.#bus.store(address, size, value);
    return isDone ? false : this.#fault(low, high, 'write', ACCESS_FAULT);
  }

  /** Always true: it trapped. */
  #fault(low: number, high: number, access: Access, fault: number): true {
    const causes = accesses[access];
    const cause = fault === PAGE_FAULT ? causes.pageFault : causes.accessFault;
    this.#traps.enter(cause, toAddress(low, high));
    return true;
  }

  /** Bytes of the access in its first page. */
  #split(low: number, size: number): number {
    return Math.min(size, 4096 - (low & 0xfff));
  }

  #copyIn(offset: number, start: number, size: number): void {
    const { u8, ramU8 } = this.#memory;
    for (let i = 0; i < size; i++) u8[at.VALUE + start + i] = ramU8[offset + i]!;
  }

  #copyOut(offset: number, start: number, size: number): boolean {
    const { u8, ramU8 } = this.#memory;
    for (let i = 0; i < size; i++) ramU8[offset + i] = u8[at.VALUE + start + i]!;
    return this.written(offset, size);
  }
}
