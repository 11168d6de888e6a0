import { type Halves, behind } from './address.ts';
import type { CodePages } from './code-pages.ts';
import { writeRecord } from './decoded-records.ts';
import type { HartMemory } from './hart-memory.ts';
import { UNDECODED } from './interpreter.ts';
import * as at from './layout.ts';
import type { MemoryAccess } from './memory-access.ts';
import type { Progress } from './progress.ts';
import { isCompressed } from './table/decoder.ts';

import type { Translation } from './translation.ts';

/** Bytes behind the instructions' first half-word that lies in their page's last. */
const LAST_HALF = 4094;

/** Finds and decodes what stands at `PC`. */
export class InstructionFetch {
  readonly #memory: HartMemory;
  readonly #translation: Translation;
  readonly #code: CodePages;
  readonly #access: MemoryAccess;
  readonly #progress: Progress;

  constructor(
    memory: HartMemory,
    translation: Translation,
    code: CodePages,
    access: MemoryAccess,
    progress: Progress,
  ) {
    this.#memory = memory;
    this.#translation = translation;
    this.#code = code;
    this.#access = access;
    this.#progress = progress;
  }

  /** Puts the page into the TLB, or traps. */
  miss(): void {
    const [low, high] = this.#pc();
    const physical = this.#access.translate(low, high, 'execute');
    if (physical < 0) {
      this.#progress.count();
      return;
    }
    const offset = this.#memory.ramOffset(physical - (physical % 4096), 4096);
    if (offset < 0) {
      this.#access.executeFault(low, high);
      this.#progress.count();
      return;
    }
    let place = this.#code.placeOf(offset);
    if (place === 0) {
      if (this.#code.isFull) {
        this.#code.dropAll();
        this.#translation.flush();
      }
      place = this.#code.add(offset);
      this.#translation.flushWrites();
    }
    this.#translation.fill(low, high, 'execute', place);
  }

  /** Decodes what belongs in the record. @returns the record to run: another one across pages; 0 after a trap */
  decode(record: number): number {
    const offset = this.#code.offsetOf(record);
    let word = this.#half(offset);
    let place = record;
    if (!isCompressed(word)) {
      if ((offset & 0xfff) === LAST_HALF) {
        const [low, high] = this.#pc();
        const [nextLow, nextHigh] = behind(low, high, 2);
        const second = this.#access.translate(nextLow, nextHigh, 'execute');
        if (second < 0) return 0;
        const rest = this.#memory.ramOffset(second, 2);
        if (rest < 0) {
          this.#access.executeFault(nextLow, high);
          return 0;
        }
        word |= this.#half(rest) << 16;
        place = at.CROSSING + (LAST_HALF / 2) * at.RECORD_BYTES;
      } else {
        word |= this.#half(offset + 2) << 16;
      }
    }
    const goesOn = writeRecord(word, this.#memory.i32, place >> 2);
    this.#code.decoded(offset);
    if (place === record && goesOn) this.#decodeBehind(word, offset, record);
    return place;
  }

  /** Decodes what is sure to be run next, unless it was before, as far as it lies in the page. */
  #decodeBehind(first: number, firstOffset: number, firstRecord: number): void {
    const { u16, i32 } = this.#memory;
    let word = first;
    let offset = firstOffset;
    let record = firstRecord;
    do {
      const length = isCompressed(word) ? 2 : 4;
      offset += length;
      record += (length / 2) * at.RECORD_BYTES;
      const inPage = offset & 0xfff;
      if (inPage < firstOffset % 4096 || u16[record >> 1] !== UNDECODED) return;
      word = this.#half(offset);
      if (!isCompressed(word)) {
        if (inPage === LAST_HALF) return;
        word |= this.#half(offset + 2) << 16;
      }
    } while (writeRecord(word, i32, record >> 2));
  }

  /** Offset in RAM of what stands at `PC`, which was fetched before. */
  offset(): number {
    const [low, high] = this.#pc();
    return this.#offsetOf(low, high);
  }

  /** The instruction at `PC`, which was fetched before, for `stval`. */
  word(): bigint {
    const [low, high] = this.#pc();
    const offset = this.#offsetOf(low, high);
    const word = this.#half(offset);
    if (isCompressed(word)) return BigInt(word);
    const upper = this.#half(this.#offsetOf(...behind(low, high, 2)));
    return BigInt(word + upper * 2 ** 16);
  }

  #offsetOf(low: number, high: number): number {
    const physical = this.#translation.translate(low, high, 'execute');
    return this.#memory.ramOffset(physical, 2);
  }

  #half(offset: number): number {
    const { ramU8 } = this.#memory;
    return ramU8[offset]! | (ramU8[offset + 1]! << 8);
  }

  #pc(): Halves {
    return [this.#memory.word(at.PC), this.#memory.word(at.PC + 4)];
  }
}
