import { fileURLToPath } from 'node:url';
import type { PageBoot, PageRecording } from '@polyvisor/board/testing/replay-in-page';
import type { Recording } from '@polyvisor/board/recording';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { chromiumFlags } from './chromium.ts';

export interface ReplayInChromium {
  /** A Chromium. */
  readonly executablePath: string;
  readonly ramBytes: number;
  /** What the computer begins with: its files are names of `files`. */
  readonly boot: PageBoot;
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly recording: Recording;
}

/** No name of a host: the files of the page come from here. */
const ORIGIN = 'http://replay.invalid';
const EMPTY_PAGE = { contentType: 'text/html', body: '<!doctype html>' };

/** Does a recording again in a page. @returns the digest of the computer at its end */
export async function replayInChromium(options: ReplayInChromium): Promise<Uint8Array> {
  const { executablePath, ramBytes, boot, files, recording } = options;
  const browser = await chromium.launch({ executablePath, args: [...chromiumFlags] });
  try {
    const page = await browser.newPage();
    await page.route(`${ORIGIN}/**`, async (route) => {
      const file = files[new URL(route.request().url()).pathname.slice(1)];
      await route.fulfill(file ? { body: Buffer.from(file) } : EMPTY_PAGE);
    });
    await page.goto(ORIGIN);
    await page.addScriptTag({ content: await pageScript() });
    const asked: PageRecording = {
      ramBytes,
      boot,
      inputs: recording.inputs.map(({ atSteps, bytes }) => ({ atSteps, bytes: [...bytes] })),
      steps: recording.steps,
    };
    const digest = await page.evaluate(async (what) => await globalThis.replayInPage(what), asked);
    return Uint8Array.from(digest);
  } finally {
    await browser.close();
  }
}

async function pageScript(): Promise<string> {
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
  return outputFiles[0]!.text;
}
