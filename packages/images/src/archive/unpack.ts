import { HostError } from '@polyvisor/errors/host-error';
import { insert, lookUp } from '../file-tree.ts';
import type { DirectoryNode } from '../file-tree.ts';
import { readTar } from './tar.ts';
import type { TarEntry } from './tar.ts';

/**
 * Puts an archive's files into a tree, over what is there.
 * @throws HostError `image-damaged`, `image-not-supported`
 */
export function unpackTar(root: DirectoryNode, archive: Uint8Array, entriesMax: number): void {
  for (const entry of readTar(archive, entriesMax)) insertEntry(root, entry);
}

/** @throws HostError `image-damaged` */
export function insertEntry(root: DirectoryNode, entry: TarEntry): void {
  if ('node' in entry) {
    insert(root, entry.path, entry.node);
    return;
  }
  const node = lookUp(root, entry.hardLinkTo);
  if (!node || node.kind === 'directory') {
    throw new HostError('image-damaged', `'${entry.path}' is a link to '${entry.hardLinkTo}'`);
  }
  insert(root, entry.path, node);
}
