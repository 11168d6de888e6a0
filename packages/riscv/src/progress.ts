import type { RunReason } from './contract.ts';
import type { HartMemory } from './hart-memory.ts';
import { LEFT, STEPS } from './layout.ts';

/**
 * Counts steps: the engine takes a stretch of them down to zero, and whoever wants an earlier end withholds the rest.
 */
export class Progress {
  reason: RunReason = 'budget';
  readonly #memory: HartMemory;
  #stretch = 0;
  #withheld = 0;

  constructor(memory: HartMemory) {
    this.#memory = memory;
  }

  /** Steps since the hart began, the present one among them. */
  get steps(): number {
    return this.#memory.f64[STEPS >> 3]! + this.#done;
  }

  /** Steps that the present stretch may still take. */
  get left(): number {
    return this.#memory.word(LEFT);
  }

  begin(steps: number): void {
    this.#stretch = steps;
    this.#withheld = 0;
    this.#memory.setWord(LEFT, steps);
  }

  /** Ends the stretch. @returns the steps that it took */
  finish(): number {
    const done = this.#done;
    this.#memory.f64[STEPS >> 3]! += done;
    this.begin(0);
    return done;
  }

  /** One step that is no instruction. */
  count(): void {
    this.#memory.setWord(LEFT, this.left - 1);
  }

  /** Ends the stretch behind the present instruction. */
  withhold(): void {
    this.#withheld += this.left;
    this.#memory.setWord(LEFT, 0);
  }

  /** Ends the run behind the present instruction. */
  end(reason: RunReason): void {
    this.reason = reason;
    this.withhold();
  }

  get #done(): number {
    return this.#stretch - this.#withheld - this.left;
  }
}
