import { type ComputerMachine, createComputer } from '../machine.ts';
import { Recorder, type Recording } from '../recording.ts';
import { countingProgram } from './counting-program.ts';
import { Random } from './random.ts';

export const COUNTING_RAM_BYTES = 2 ** 22;

/** A computer that counts what is typed. */
export function beginCounting(): ComputerMachine {
  return createComputer(
    { ramBytes: COUNTING_RAM_BYTES, time: 'steps' },
    { kind: 'program', file: countingProgram(), mode: 'supervisor' },
  );
}

/** Types letters at moments that nobody chose. */
export function recordCounting(seed: number): Recording {
  const random = new Random(seed);
  using computer = beginCounting();
  const recorder = new Recorder(computer);
  for (let i = 0; i < 20; i++) {
    computer.run(1 + random.below(50_000));
    recorder.type(Uint8Array.of(97 + random.below(10), 97 + random.below(10)));
  }
  computer.run(30_000);
  return recorder.finish();
}
