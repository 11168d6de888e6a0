import type { Clock } from './device.ts';
import type { StateReader, StateWriter, Stateful } from './state.ts';

/** Steps that a tick of 100 ns takes, unless the host moves the time on: a billion a second. */
export const STEPS_PER_TICK = 100;

/**
 * Time that goes on with the hart's steps, and that can be moved on. With nobody but the machine
 * itself to move it, it is a function of what the guest did.
 */
export class MachineClock implements Clock, Stateful {
  readonly #stepsPerTick: number;
  readonly #steps: () => number;
  /** A moment at which both were known. */
  #baseTicks = 0;
  #baseSteps = 0;

  constructor(stepsPerTick: number, steps: () => number) {
    this.#stepsPerTick = stepsPerTick;
    this.#steps = steps;
  }

  get ticks(): number {
    return this.at(this.#steps());
  }

  /** Ticks when the hart has done so many steps. */
  at(steps: number): number {
    return this.#baseTicks + Math.floor((steps - this.#baseSteps) / this.#stepsPerTick);
  }

  /** Steps from now until it will be `ticks`: at least 1. */
  stepsUntil(ticks: number): number {
    const at = this.#baseSteps + (ticks - this.#baseTicks) * this.#stepsPerTick;
    return Math.max(1, at - this.#steps());
  }

  /** Makes it `ticks` now; a time that is past already changes nothing. */
  moveTo(ticks: number): void {
    if (ticks <= this.ticks) return;
    this.#baseTicks = ticks;
    this.#baseSteps = this.#steps();
  }

  saveState(out: StateWriter): void {
    out.number(this.#baseTicks).number(this.#baseSteps);
  }

  loadState(from: StateReader): void {
    this.#baseTicks = from.number();
    this.#baseSteps = from.number();
  }
}
