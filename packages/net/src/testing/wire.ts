import { generator } from './random.ts';

export interface WireFaults {
  readonly seed: number;
  /** Shares of what is sent, 0 to 1. */
  readonly lost: number;
  readonly doubled: number;
  /** Delivered up to `delayMsMax` later than the rest. */
  readonly delayed: number;
}

const DELAY_MS = 1;
const DELAY_MS_MAX = 30;

interface Event<T> {
  readonly atMs: number;
  readonly number: number;
  readonly to: 'a' | 'b';
  readonly item: T;
}

/** Something that does its work in time. */
export interface Timed {
  readonly deadlineMs: number;
  advance(): void;
}

/** Two ends and what is underway between them, in a time of their own: nothing happens but in `run`. */
export class Wire<T> {
  nowMs = 0;
  readonly #faults: WireFaults;
  readonly #random: () => number;
  #underway: Event<T>[] = [];
  #count = 0;

  constructor(faults: Partial<WireFaults> = {}) {
    this.#faults = { seed: 1, lost: 0, doubled: 0, delayed: 0, ...faults };
    this.#random = generator(this.#faults.seed);
  }

  send(to: 'a' | 'b', item: T): void {
    const { lost, doubled, delayed } = this.#faults;
    const copies = 1 + Number(this.#random() < doubled);
    for (let copy = 0; copy < copies; copy++) {
      if (this.#random() < lost) continue;
      const extra = this.#random() < delayed ? this.#random() * DELAY_MS_MAX : 0;
      const atMs = this.nowMs + DELAY_MS + extra;
      this.#underway.push({ atMs, number: this.#count++, to, item });
    }
  }

  /** Goes on until nothing is left to be done, or `untilMs`. */
  run(
    deliver: { readonly a: (item: T) => void; readonly b: (item: T) => void },
    timed: readonly Timed[],
    untilMs: number,
  ): void {
    for (;;) {
      const next = this.#next();
      const deadline = Math.min(...timed.map((each) => each.deadlineMs));
      const atMs = Math.min(next?.atMs ?? Infinity, deadline);
      if (atMs === Infinity || atMs > untilMs) return;
      this.nowMs = Math.max(this.nowMs, atMs);
      if (next && next.atMs <= deadline) {
        this.#underway.splice(this.#underway.indexOf(next), 1);
        deliver[next.to](next.item);
      } else for (const each of timed) if (each.deadlineMs <= this.nowMs) each.advance();
    }
  }

  #next(): Event<T> | undefined {
    let first: Event<T> | undefined;
    for (const event of this.#underway) {
      const isEarlier =
        !first ||
        event.atMs < first.atMs ||
        (event.atMs === first.atMs && event.number < first.number);
      if (isEarlier) first = event;
    }
    return first;
  }
}
