import type { Boot } from '../boot.ts';
import { createComputer } from '../machine.ts';
import { type Recording, replay } from '../recording.ts';

/** What a page is given: plain values, bytes typed as numbers, files by the addresses that they are at. */
export interface PageRecording {
  readonly ramBytes: number;
  readonly boot: PageBoot;
  readonly inputs: readonly { readonly atSteps: number; readonly bytes: readonly number[] }[];
  readonly steps: number;
}

export type PageBoot =
  | { readonly kind: 'program'; readonly file: string }
  | {
      readonly kind: 'linux';
      readonly kernel: string;
      readonly initrd: string;
      readonly arguments: string;
    };

declare global {
  var replayInPage: (recording: PageRecording) => Promise<number[]>;
}

/** The script of a page that does a recording again. */
globalThis.replayInPage = async ({ ramBytes, boot, inputs, steps }) => {
  using computer = createComputer({ ramBytes, time: 'steps' }, await fetchFiles(boot));
  const recording: Pick<Recording, 'inputs' | 'steps'> = {
    inputs: inputs.map(({ atSteps, bytes }) => ({ atSteps, bytes: Uint8Array.from(bytes) })),
    steps,
  };
  return [...replay(computer, recording)];
};

async function fetchFiles(boot: PageBoot): Promise<Boot> {
  if (boot.kind === 'program') {
    return { ...boot, file: await fetchFile(boot.file), mode: 'supervisor' };
  }
  const kernel = await fetchFile(boot.kernel);
  return { ...boot, kernel, initrd: await fetchFile(boot.initrd) };
}

async function fetchFile(address: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(address)).arrayBuffer());
}
