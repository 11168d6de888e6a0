import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, expect, test } from 'vitest';
import { openNodeStore } from './node-store.ts';

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'polyvisor-store-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** Where this process's descriptors lead, as far as that is in a directory. */
function openFiles(directory: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${name}`);
      return path.startsWith(directory) ? [path] : [];
    } catch {
      return [];
    }
  });
}

test('a store can be closed twice', () => {
  const store = openNodeStore(temporaryDirectory());
  store.close();
  store.close();
});

test.runIf(process.platform === 'linux')('a store that can not be opened holds no files', () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'blocks'), 'no journal says what this is');
  const damaged = expect.objectContaining({ code: 'disk-store-damaged' });
  expect(() => openNodeStore(directory)).toThrow(damaged);
  expect(openFiles(directory)).toEqual([]);
});
