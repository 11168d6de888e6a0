import type { HostClock } from '../clock.ts';

/** A clock that moves only when a machine spends time or the test lets it; the event loop is a list. */
export class FakeClock implements HostClock {
  ms = 0;
  readonly deferred: (() => void)[] = [];
  readonly timers: { atMs: number; callback: () => void }[] = [];
  unixMs = (): number => 1_700_000_000_000 + this.ms;
  nowMs = (): number => this.ms;
  cpuMs = (): number => this.ms;
  defer = (callback: () => void): void => void this.deferred.push(callback);
  after = (delayMs: number, callback: () => void): (() => void) => {
    const timer = { atMs: this.ms + delayMs, callback };
    this.timers.push(timer);
    return () => void this.timers.splice(this.timers.indexOf(timer) >>> 0, 1);
  };

  /** Turns the event loop until `untilMs` or until nothing is left. @returns turns taken */
  turn(untilMs = Infinity): number {
    let turns = 0;
    while (this.ms < untilMs && this.#next(Infinity)) turns++;
    return turns;
  }

  /** Lets time pass: everything that is deferred or due by then is called. */
  advance(deltaMs: number): void {
    const untilMs = this.ms + deltaMs;
    while (this.#next(untilMs));
    this.ms = Math.max(this.ms, untilMs);
  }

  /** @returns false when there was nothing to call up to `lastMs` */
  #next(lastMs: number): boolean {
    const deferred = this.deferred.shift();
    if (deferred !== undefined) {
      deferred();
      return true;
    }
    this.timers.sort((a, b) => a.atMs - b.atMs);
    if ((this.timers[0]?.atMs ?? Infinity) > lastMs) return false;
    const timer = this.timers.shift();
    if (timer === undefined) return false;
    this.ms = Math.max(this.ms, timer.atMs);
    timer.callback();
    return true;
  }
}
