import { countingProgram } from '@polyvisor/board/testing/counting-program';
import { COUNTING_RAM_BYTES, recordCounting } from '@polyvisor/board/testing/recorded-counting';
import { expect, test } from 'vitest';
import { findChromium } from './testing/chromium.ts';
import { replayInChromium } from './testing/replay-in-chromium.ts';

const SEED = 20_261_125;

const executablePath = findChromium();
if (executablePath === undefined) {
  console.warn('NOT TESTED: a computer in a browser. Set POLYVISOR_CHROMIUM to a Chromium.');
}

test.skipIf(executablePath === undefined)('a page does it again, to the same digest', async () => {
  const recording = recordCounting(SEED);
  const digest = await replayInChromium({
    executablePath: executablePath!,
    ramBytes: COUNTING_RAM_BYTES,
    boot: { kind: 'program', file: 'program' },
    files: { program: countingProgram() },
    recording,
  });
  expect(digest).toEqual(recording.digest);
});
