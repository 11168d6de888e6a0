import type { HostClock } from './clock.ts';

/** A timer that is set again and again for a time of day. */
export class Alarm implements Disposable {
  readonly #clock: HostClock;
  readonly #ring: () => void;
  #atMs: number | undefined;
  #cancel: (() => void) | undefined;

  constructor(clock: HostClock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /**
   * Rings at `unixMs`, or days before when that is far away: whoever it wakes sets it again. Undefined: not at all.
   * Costs nothing when it is set for that already.
   */
  set(unixMs: number | undefined): void {
    if (unixMs === this.#atMs) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#atMs = unixMs;
    if (unixMs === undefined) return;
    const delayMs = Math.min(Math.max(1, unixMs - this.#clock.unixMs()), DELAY_MS_MAX);
    this.#cancel = this.#clock.after(delayMs, () => {
      this.#atMs = undefined;
      this.#ring();
    });
  }

  [Symbol.dispose](): void {
    this.set(undefined);
  }
}

/** Longer timers fire at once. @see Node.js, setTimeout */
const DELAY_MS_MAX = 2 ** 31 - 1;
