import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openNodeFile } from './node-files.ts';
import { BlockStore } from './overlay/block-store.ts';
import type { StoreOptions } from './overlay/block-store.ts';

/**
 * The block store in a directory of the host, made where it isn't there. One process may have it open.
 * @throws HostError `disk-open`, `disk-store-damaged`
 */
export function openNodeStore(directory: string, options: StoreOptions = {}): BlockStore {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const open = (name: string) => openNodeFile(join(directory, name), 'create');
  return BlockStore.open(
    { data: open('blocks'), journals: [open('journal-a'), open('journal-b')] },
    options,
  );
}
