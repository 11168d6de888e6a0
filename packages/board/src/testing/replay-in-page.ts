import { createComputer } from '../machine.ts';
import { type Recording, replay } from '../recording.ts';

/** What a page is given: plain values, bytes as numbers. */
export interface PageRecording {
  readonly ramBytes: number;
  readonly program: readonly number[];
  readonly inputs: readonly { readonly atSteps: number; readonly bytes: readonly number[] }[];
  readonly steps: number;
}

declare global {
  var replayInPage: (recording: PageRecording) => number[];
}

/** The script of a page that does a recording again. */
globalThis.replayInPage = ({ ramBytes, program, inputs, steps }) => {
  using computer = createComputer(
    { ramBytes, time: 'steps' },
    { kind: 'program', file: Uint8Array.from(program), mode: 'supervisor' },
  );
  const recording: Pick<Recording, 'inputs' | 'steps'> = {
    inputs: inputs.map(({ atSteps, bytes }) => ({ atSteps, bytes: Uint8Array.from(bytes) })),
    steps,
  };
  return [...replay(computer, recording)];
};
