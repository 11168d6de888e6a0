import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Builds the published package into `dist/polyvisor`. With `--if-stale` only when an input changed since, and then
 * only what running needs: no declarations.
 */
const root: string = join(import.meta.dirname, '..');
const stampName = '.build.json';
const stampFile: string = join(root, 'dist/polyvisor', stampName);
const ifStale: boolean = process.argv.includes('--if-stale');

// The bundler is loaded only when there is something to build: this check runs before every start.
if (!ifStale || isStale()) {
  const { buildPackage } = await import('./build-package.ts');
  await buildPackage(root, stampName, { withDeclarations: !ifStale });
}

/** Whether a file that went into the last build is another now, or gone. */
function isStale(): boolean {
  if (!existsSync(stampFile)) return true;
  const inputs = JSON.parse(readFileSync(stampFile, 'utf8')) as Record<string, number>;
  return Object.entries(inputs).some(([file, mtimeMs]) => {
    const stat = statSync(join(root, file), { throwIfNoEntry: false });
    return stat?.mtimeMs !== mtimeMs;
  });
}
