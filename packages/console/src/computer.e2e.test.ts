import { fileURLToPath } from 'node:url';
import { countingProgram } from '@polyvisor/board/testing/counting-program';
import { COUNTING_RAM_BYTES, recordCounting } from '@polyvisor/board/testing/recorded-counting';
import type { PageRecording } from '@polyvisor/board/testing/replay-in-page';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { chromiumFlags, findChromium } from './testing/chromium.ts';

const SEED = 20_261_125;

const executablePath = findChromium();
if (executablePath === undefined) {
  console.warn('NOT TESTED: a computer in a browser. Set POLYVISOR_CHROMIUM to a Chromium.');
}

test.skipIf(executablePath === undefined)('a page does it again, to the same digest', async () => {
  const recording = recordCounting(SEED);
  const entry = fileURLToPath(import.meta.resolve('@polyvisor/board/testing/replay-in-page'));
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    logLevel: 'error',
    format: 'iife',
    platform: 'browser',
    // Never called there: a browser has no `process`.
    external: ['node:*', 'koffi'],
  });
  const browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: [...chromiumFlags],
  });
  try {
    const page = await browser.newPage();
    await page.addScriptTag({ content: outputFiles[0]!.text });
    const digest = await page.evaluate((asked: PageRecording) => globalThis.replayInPage(asked), {
      ramBytes: COUNTING_RAM_BYTES,
      program: [...countingProgram()],
      inputs: recording.inputs.map(({ atSteps, bytes }) => ({ atSteps, bytes: [...bytes] })),
      steps: recording.steps,
    });
    expect(Uint8Array.from(digest)).toEqual(recording.digest);
  } finally {
    await browser.close();
  }
});
