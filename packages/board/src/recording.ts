import { assert } from '@polyvisor/errors/assert';
import { HostError } from '@polyvisor/errors/host-error';
import type { ComputerMachine } from './machine.ts';

/** Bytes typed when the computer had done so many steps. */
export interface RecordedInput {
  readonly atSteps: number;
  readonly bytes: Uint8Array;
}

/** All that a computer was given from outside, and what became of it. */
export interface Recording {
  readonly inputs: readonly RecordedInput[];
  readonly steps: number;
  /** `ComputerMachine.digest` at the end. */
  readonly digest: Uint8Array;
}

/**
 * A computer whose time is its steps, with its inputs written down: the same image and the same inputs at the same
 * steps make the same computer, whatever runs it.
 */
export class Recorder {
  readonly #computer: ComputerMachine;
  readonly #inputs: RecordedInput[] = [];

  /** @param computer of `time: 'steps'`, to which nobody else gives anything */
  constructor(computer: ComputerMachine) {
    this.#computer = computer;
  }

  /** @returns how many of the bytes there was room for */
  type(bytes: Uint8Array): number {
    const taken = this.#computer.serialInput(bytes);
    if (taken > 0) {
      this.#inputs.push({ atSteps: this.#computer.steps, bytes: bytes.slice(0, taken) });
    }
    return taken;
  }

  finish(): Recording {
    const { steps } = this.#computer;
    return { inputs: [...this.#inputs], steps, digest: this.#computer.digest() };
  }
}

/**
 * Does again what a recording says, on a computer that begins as the recorded one did.
 * @param sliceSteps most steps of a run; what comes out does not depend on it
 * @param onOutput is given what the computer says
 * @returns the digest at the end, which is the recording's unless something differs
 * @throws HostError `replay` where the computer does not get to an input or the end
 */
export function replay(
  computer: ComputerMachine,
  { inputs, steps }: Pick<Recording, 'inputs' | 'steps'>,
  sliceSteps = 5_000_000,
  onOutput: (bytes: Uint8Array) => void = () => {},
): Uint8Array {
  const runTo = (target: number): void => {
    while (computer.steps < target) {
      const { used } = computer.run(Math.min(sliceSteps, target - computer.steps));
      onOutput(computer.takeSerialOutput());
      if (used === 0) {
        const where = `after ${computer.steps} of ${target} steps`;
        throw new HostError('replay', `the computer waits for nothing ${where}`, 'is it another?');
      }
    }
  };
  for (const { atSteps, bytes } of inputs) {
    runTo(atSteps);
    const taken = computer.serialInput(bytes);
    assert(taken === bytes.length, 'there is the room that there was');
  }
  runTo(steps);
  return computer.digest();
}
