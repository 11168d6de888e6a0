import { constants, copyFileSync, mkdirSync } from 'node:fs';
import { copyFile, open as openFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { HostError } from '@polyvisor/errors/host-error';
import type { FileDoor } from './file-door.ts';
import { openNodeFile, syncDirectory } from './node-files.ts';
import { BlockStore } from './overlay/block-store.ts';
import type { StoreOptions } from './overlay/block-store.ts';

const DATA = 'blocks';
const JOURNALS = ['journal-a', 'journal-b'] as const;

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
      { data: open(DATA), journals: [open(JOURNALS[0]), open(JOURNALS[1])] },
      options,
    );
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
}

/**
 * Copies a store that is open, and goes on meanwhile, to another directory; as a clone where the file system has
 * them. Disks that the store keeps until the end are whole in the copy; what others have there may be anything.
 * @throws HostError `disk-open`
 */
export async function copyNodeStore(from: string, to: string): Promise<void> {
  makeDirectory(resolve(to));
  const copied = [...JOURNALS, DATA].map((name) => join(to, name));
  try {
    // Together, and before the data, in which everything is that they name.
    for (const name of JOURNALS) copyFileSync(join(from, name), join(to, name), CLONE);
    await copyFile(join(from, DATA), join(to, DATA), CLONE);
    for (const path of copied) {
      await using file = await openFile(path, 'r+');
      await file.datasync();
    }
    syncDirectory(to);
  } catch (error) {
    throw new HostError('disk-open', `can't copy ${from}: ${String(error)}`, undefined, {
      cause: error,
    });
  }
}

const CLONE = constants.COPYFILE_FICLONE;

/** Makes it and those above it, so that they outlive the loss of power like what will be in them. */
function makeDirectory(directory: string): void {
  const first = mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) {
    syncDirectory(dirname(made));
  }
}
