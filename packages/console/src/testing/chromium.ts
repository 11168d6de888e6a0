import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** `POLYVISOR_CHROMIUM` (empty: none), else one on the path or where it usually is. */
export function findChromium(): string | undefined {
  const given = process.env['POLYVISOR_CHROMIUM'];
  if (given !== undefined) return given === '' ? undefined : given;
  const path = (process.env['PATH'] ?? '').split(delimiter);
  const candidates = path.flatMap((directory) => NAMES.map((name) => join(directory, name)));
  return [...candidates, ...USUAL_PLACES].find(isExecutable);
}

/** It neither calls home nor needs a display, a GPU or a sandbox that containers do not allow. */
export const chromiumFlags: readonly string[] = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const USUAL_PLACES = [
  '/usr/bin/chromium',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
