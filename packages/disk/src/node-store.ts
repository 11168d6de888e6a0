import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { FileDoor } from './file-door.ts';
import { openNodeFile, syncDirectory } from './node-files.ts';
import { BlockStore } from './overlay/block-store.ts';
import type { StoreOptions } from './overlay/block-store.ts';

/**
 * The block store in a directory of the host, made where it isn't there. One process may have it open.
 * @throws HostError `disk-open`, `disk-store-damaged`
 */
export function openNodeStore(directory: string, options: StoreOptions = {}): BlockStore {
  makeDirectory(resolve(directory));
  const files: FileDoor[] = [];
  const open = (name: string): FileDoor => {
    const file = openNodeFile(join(directory, name), 'create');
    files.push(file);
    return file;
  };
  try {
    return BlockStore.open(
      { data: open('blocks'), journals: [open('journal-a'), open('journal-b')] },
      options,
    );
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
}

/** Makes it and those above it, so that they outlive the loss of power like what will be in them. */
function makeDirectory(directory: string): void {
  const first = mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) {
    syncDirectory(dirname(made));
  }
}
