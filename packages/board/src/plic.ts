import type { InterruptLine, MmioDevice } from './device.ts';
import { PLIC_BYTES } from './layout.ts';
import type { StateReader, StateWriter, Stateful } from './state.ts';

/** RISC-V Platform-Level Interrupt Controller Specification 1.0.0, chapter 3, "Memory Map". */
const PENDING = 0x1000;
const ENABLE = 0x2000;
const ENABLE_STRIDE = 0x80;
const CONTEXT = 0x20_0000;
const CONTEXT_STRIDE = 0x1000;
const THRESHOLD = 0;
const CLAIM = 4;
/** Three bits of priority, as SiFive's; 0 is "never". */
const PRIORITY_MAX = 7;

export interface PlicOptions {
  /** Sources are numbered from 1 to this, below 1024. */
  readonly sourceCount: number;
  /** One line to a hart's external interrupt for each context. */
  readonly contexts: readonly InterruptLine[];
}

/**
 * The interrupt controller: level-triggered sources in, one line to each context (a hart in a
 * privilege mode) out.
 * @see RISC-V PLIC Specification 1.0.0
 */
export class Plic implements MmioDevice, Stateful {
  readonly size = PLIC_BYTES;
  readonly sourceCount: number;
  readonly #contexts: readonly InterruptLine[];
  readonly #wordCount: number;
  readonly #priority: Uint32Array;
  /** Bitmaps of sources: the wire's level; accepted and not claimed; claimed and not completed. */
  readonly #level: Uint32Array;
  readonly #pending: Uint32Array;
  readonly #inService: Uint32Array;
  /** `wordCount` words for each context. */
  readonly #enable: Uint32Array;
  readonly #threshold: Uint32Array;

  constructor({ sourceCount, contexts }: PlicOptions) {
    this.sourceCount = sourceCount;
    this.#contexts = contexts;
    this.#wordCount = (sourceCount >>> 5) + 1;
    this.#priority = new Uint32Array(sourceCount + 1);
    this.#level = new Uint32Array(this.#wordCount);
    this.#pending = new Uint32Array(this.#wordCount);
    this.#inService = new Uint32Array(this.#wordCount);
    this.#enable = new Uint32Array(this.#wordCount * contexts.length);
    this.#threshold = new Uint32Array(contexts.length);
  }

  /** The wire of a source, for the device that drives it. */
  line(source: number): InterruptLine {
    return (isHigh) => this.#setLevel(source, isHigh);
  }

  load(offset: number, size: 1 | 2 | 4 | 8): number {
    if (size !== 4 || offset % 4 !== 0) return 0;
    if (offset < PENDING) return this.#priority[offset / 4] ?? 0;
    if (offset < ENABLE) return this.#pending[(offset - PENDING) / 4] ?? 0;
    if (offset < CONTEXT) return this.#enable[this.#enableIndex(offset)] ?? 0;
    const context = Math.floor((offset - CONTEXT) / CONTEXT_STRIDE);
    const register = (offset - CONTEXT) % CONTEXT_STRIDE;
    if (context >= this.#contexts.length) return 0;
    if (register === THRESHOLD) return this.#threshold[context]!;
    return register === CLAIM ? this.#claim(context) : 0;
  }

  store(offset: number, size: 1 | 2 | 4 | 8, value: number | bigint): void {
    if (size !== 4 || offset % 4 !== 0) return;
    const word = Number(value) >>> 0;
    if (offset < PENDING) {
      const source = offset / 4;
      if (source >= 1 && source <= this.sourceCount) this.#priority[source] = word & PRIORITY_MAX;
    } else if (offset < ENABLE) {
      return;
    } else if (offset < CONTEXT) {
      const index = this.#enableIndex(offset);
      if (index < 0) return;
      // Source 0 does not exist.
      this.#enable[index] = index % this.#wordCount === 0 ? (word & ~1) >>> 0 : word;
    } else {
      const context = Math.floor((offset - CONTEXT) / CONTEXT_STRIDE);
      const register = (offset - CONTEXT) % CONTEXT_STRIDE;
      if (context >= this.#contexts.length) return;
      if (register === THRESHOLD) this.#threshold[context] = word & PRIORITY_MAX;
      else if (register === CLAIM) this.#complete(context, word);
    }
    this.#update();
  }

  saveState(out: StateWriter): void {
    for (const words of this.#state()) out.words(words);
  }

  loadState(from: StateReader): void {
    for (const words of this.#state()) from.words(words);
    this.#update();
  }

  #state(): readonly Uint32Array[] {
    return [
      this.#priority, this.#level, this.#pending, this.#inService, this.#enable, this.#threshold,
    ]; // prettier-ignore
  }

  #setLevel(source: number, isHigh: boolean): void {
    setBit(this.#level, source, isHigh);
    // A request that was accepted stays, even if the wire falls (section 1.2.1, "level-triggered").
    if (!isHigh || hasBit(this.#inService, source) || hasBit(this.#pending, source)) return;
    setBit(this.#pending, source, true);
    this.#update();
  }

  /** Index into `#enable`; -1 where there is no such register. */
  #enableIndex(offset: number): number {
    const context = Math.floor((offset - ENABLE) / ENABLE_STRIDE);
    const word = ((offset - ENABLE) % ENABLE_STRIDE) / 4;
    const exists = context < this.#contexts.length && word < this.#wordCount;
    return exists ? context * this.#wordCount + word : -1;
  }

  /**
   * The pending source of the highest priority above `floor`, the lowest of those; 0 if there is
   * none.
   */
  #best(context: number, floor: number): number {
    let best = 0;
    let bestPriority = floor;
    for (let word = 0; word < this.#wordCount; word++) {
      let bits = this.#pending[word]! & this.#enable[context * this.#wordCount + word]!;
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits);
        bits &= bits - 1;
        const source = word * 32 + bit;
        const priority = this.#priority[source] ?? 0;
        if (priority > bestPriority) {
          best = source;
          bestPriority = priority;
        }
      }
    }
    return best;
  }

  /** The threshold masks the notification, not the claim (chapter 8). */
  #claim(context: number): number {
    const source = this.#best(context, 0);
    if (source !== 0) {
      setBit(this.#pending, source, false);
      setBit(this.#inService, source, true);
      this.#update();
    }
    return source;
  }

  /**
   * A source that isn't enabled for the context, or isn't in service, is silently ignored (chapter
   * 9).
   */
  #complete(context: number, source: number): void {
    if (source < 1 || source > this.sourceCount || !hasBit(this.#inService, source)) return;
    const enabled = this.#enable[context * this.#wordCount + (source >>> 5)]!;
    if (((enabled >>> (source & 31)) & 1) === 0) return;
    setBit(this.#inService, source, false);
    if (hasBit(this.#level, source)) setBit(this.#pending, source, true);
  }

  #update(): void {
    this.#contexts.forEach((line, context) => {
      line(this.#best(context, this.#threshold[context]!) !== 0);
    });
  }
}

function hasBit(words: Uint32Array, index: number): boolean {
  return ((words[index >>> 5]! >>> (index & 31)) & 1) === 1;
}

function setBit(words: Uint32Array, index: number, isSet: boolean): void {
  const mask = 1 << (index & 31);
  const word = words[index >>> 5]!;
  words[index >>> 5] = isSet ? word | mask : word & ~mask;
}
