import type { Assembler, Expression, Local } from '@polyvisor/wasm/assembler';
import { STACK_WORDS_MAX } from '../layout.ts';
import type { Word } from '../word.ts';

/** A word on the stack: its limbs, or the place in memory that has it, or both. */
export interface Entry {
  word: Word | undefined;
  /** Position whose memory holds the word. */
  home: number | undefined;
}

/** So far below the stack pointer lies the base, that positions below it have offsets above 0. */
const BIAS = 32 * STACK_WORDS_MAX;

/**
 * The operand stack while a superblock is written. Position 0 is the first word free when the superblock begins, -1
 * the one on top then. Words stay in locals until code leaves that needs them in memory; what is only moved is
 * neither read nor written.
 */
export class VirtualStack {
  readonly #a: Assembler;
  readonly #base: Local;
  readonly #need: number;
  readonly entries: Entry[];
  readonly #allocate: () => Local;

  /** @param base a local that `begin` sets */
  constructor(a: Assembler, base: Local, need: number, allocate: () => Local) {
    this.#a = a;
    this.#base = base;
    this.#need = need;
    this.#allocate = allocate;
    this.entries = Array.from({ length: need }, (_, i) => ({ word: undefined, home: i - need }));
  }

  begin(sp: Expression): void {
    this.#a.set(this.#base, this.#a.i32.sub(sp, BIAS));
  }

  /** Address of the first free word, as the stack is now. */
  get pointer(): Expression {
    return this.#a.i32.add(this.#base, BIAS + 32 * this.#positionOf(this.entries.length));
  }

  push(word: Word): void {
    this.entries.push({ word, home: undefined });
  }

  /** Pushes a word that memory already holds where it belongs. */
  pushStored(): void {
    this.entries.push({ word: undefined, home: this.#positionOf(this.entries.length) });
  }

  pop(): Word {
    return this.read(this.entries.pop()!);
  }

  drop(): void {
    this.entries.pop();
  }

  dup(index: number): void {
    this.entries.push(this.entries.at(-index)!);
  }

  swap(index: number): void {
    const { entries } = this;
    const [top, deep] = [entries.length - 1, entries.length - 1 - index];
    [entries[top], entries[deep]] = [entries[deep]!, entries[top]!];
  }

  /** The limbs of a word, loaded at most once. Only for code that is always run. */
  read(entry: Entry): Word {
    entry.word ??= this.load(entry.home!);
    return entry.word;
  }

  /** Puts a word that says more of the same number in all places of this one. */
  replace(word: Word, better: Word): void {
    for (const entry of this.entries) if (entry.word === word) entry.word = better;
  }

  load(position: number): Word {
    return [0, 8, 16, 24].map((limb) => {
      const local = this.#allocate();
      this.#a.set(local, this.#a.load('i64.load', this.#base, BIAS + 32 * position + limb));
      return local;
    }) as unknown as Word;
  }

  store(position: number, word: Word): void {
    word.forEach((limb, i) => {
      this.#a.store('i64.store', this.#base, limb, BIAS + 32 * position + 8 * i);
    });
  }

  /** Writes the whole stack to memory, in code that is left behind: what is known of the stack stays as it was. */
  flush(): void {
    this.flushIf(() => true);
  }

  flushIf(isWanted: (position: number) => boolean): void {
    const writes: [number, Word][] = [];
    this.entries.forEach((entry, i) => {
      const position = this.#positionOf(i);
      if (entry.home === position || !isWanted(position)) return;
      writes.push([position, entry.word ?? this.load(entry.home!)]);
    });
    for (const [position, word] of writes) this.store(position, word);
  }

  /** Writes the `count` words on top to memory, for a function that reads them there and may write there. */
  settle(count: number): void {
    const { entries } = this;
    const first = entries.length - count;
    this.evict(first, entries.length);
    for (let i = first; i < entries.length; i++) {
      if (entries[i]!.home !== this.#positionOf(i)) this.read(entries[i]!);
    }
    for (let i = first; i < entries.length; i++) {
      const position = this.#positionOf(i);
      const { word, home } = entries[i]!;
      if (home !== position) this.store(position, word!);
      entries[i] = { word, home: position };
    }
  }

  /** Loads words that only the memory of these indexes of the stack holds, for use elsewhere on it. */
  evict(first: number, end: number): void {
    const [from, to] = [this.#positionOf(first), this.#positionOf(end)];
    this.entries.forEach((entry, i) => {
      const { home } = entry;
      if (home === undefined || home < from || home >= to || i >= first) return;
      this.read(entry);
      entry.home = undefined;
    });
  }

  #positionOf(index: number): number {
    return index - this.#need;
  }
}
