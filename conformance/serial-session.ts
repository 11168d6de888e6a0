import { TICKS_PER_SECOND } from '@polyvisor/board/device';
import type { ComputerMachine } from '@polyvisor/board/machine';

const SLICE_STEPS = 2_000_000;
const STEPS_MAX = 30_000_000_000;
/** Longest wait, in the host's time. */
const WAIT_MS_MAX = 15 * 60_000;
/** Characters of the serial line that a report has. */
const REPORT_LENGTH = 2000;

export interface SessionOptions {
  /** How the computer's time goes. */
  readonly time: 'host' | 'steps';
  /** Who types; default: the computer's own serial line. @returns how many bytes there was room for */
  readonly input?: (bytes: Uint8Array) => number;
}

/** Somebody at the serial line, with a clock. */
export class SerialSession {
  output = '';
  readonly #computer: ComputerMachine;
  readonly #options: SessionOptions;
  readonly #startMs = performance.now();
  #steps = 0;
  /** How far the output was looked through. */
  #seen = 0;

  constructor(computer: ComputerMachine, options: SessionOptions) {
    this.#computer = computer;
    this.#options = options;
  }

  get elapsedMs(): number {
    return performance.now() - this.#startMs;
  }

  /** `2.51 s and 470 million instructions`, since the computer began. */
  get spent(): string {
    const millions = (this.#computer.usage().work / 1_000_000n).toString();
    return `${(this.elapsedMs / 1000).toFixed(2)} s and ${millions} million instructions`;
  }

  type(text: string): void {
    const bytes = Buffer.from(text);
    const { input = (typed) => this.#computer.serialInput(typed) } = this.#options;
    if (input(bytes) < bytes.length) throw new Error(this.report('no room for what is typed'));
  }

  /** Runs until a text comes, or, without one, to the end. False where it never does. */
  waitFor(text: string | undefined): boolean {
    return this.waitUntil(() => {
      const at = text === undefined ? -1 : this.output.indexOf(text, this.#seen);
      if (at >= 0) this.#seen = at + text!.length;
      return at >= 0;
    });
  }

  /** False where it never is: the computer waits for ever, or it took too long. */
  waitUntil(isDone: () => boolean): boolean {
    const computer = this.#computer;
    const lastMs = this.elapsedMs + WAIT_MS_MAX;
    while (this.#steps < STEPS_MAX && this.elapsedMs < lastMs) {
      if (isDone()) return true;
      const { reason, used } = computer.run(SLICE_STEPS);
      this.#steps += used;
      this.output += Buffer.from(computer.takeSerialOutput()).toString('latin1');
      if (reason === 'halt') return isDone();
      if (this.#options.time === 'host') {
        if (reason === 'idle' && computer.wakesAt === Infinity) return isDone();
        this.#moveOn(reason === 'idle');
      } else if (reason === 'idle') {
        return isDone();
      }
    }
    return false;
  }

  report(what: string): string {
    return `${what} after ${this.spent}; the serial line said:\n${this.output.slice(-REPORT_LENGTH)}`;
  }

  /** What a host does between two slices; an idle machine's time is not waited for but skipped. */
  #moveOn(isIdle: boolean): void {
    const computer = this.#computer;
    if (isIdle) computer.moveTo(computer.wakesAt);
    computer.moveTo(Math.floor((this.elapsedMs / 1000) * TICKS_PER_SECOND));
  }
}
