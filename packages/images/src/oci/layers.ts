import { HostError } from '@polyvisor/errors/host-error';
import { readTar } from '../archive/tar.ts';
import { insertEntry } from '../archive/unpack.ts';
import { isName, lookUp, remove } from '../file-tree.ts';
import type { DirectoryNode } from '../file-tree.ts';

const WHITEOUT = '.wh.';
/** Everything that lower layers have in its directory goes. */
const OPAQUE = '.wh..wh..opq';

/**
 * Puts a layer over a tree: its files over those that are there, and away with what its whiteouts name. They are
 * about lower layers only, whatever their place in the archive, so they go first.
 * @throws HostError `image-damaged`, `image-not-supported`
 * @see OCI Image Specification 1.1, layer.md
 */
export function applyLayer(root: DirectoryNode, layer: Uint8Array, entriesMax: number): void {
  const entries = [...readTar(layer, entriesMax)];
  for (const { path } of entries) {
    const { directory, name } = splitLast(path);
    if (name === OPAQUE) {
      const opaque = lookUp(root, directory);
      if (opaque?.kind === 'directory') opaque.children.clear();
    } else if (name.startsWith(WHITEOUT)) {
      const hidden = name.slice(WHITEOUT.length);
      if (!isName(hidden)) throw new HostError('image-damaged', `'${path}' hides nothing`);
      remove(root, `${directory}/${hidden}`);
    }
  }
  for (const entry of entries) {
    if (!splitLast(entry.path).name.startsWith(WHITEOUT)) insertEntry(root, entry);
  }
}

function splitLast(path: string): { readonly directory: string; readonly name: string } {
  const plain = path.replace(/\/+$/, '');
  const slash = plain.lastIndexOf('/');
  return { directory: plain.slice(0, Math.max(0, slash)), name: plain.slice(slash + 1) };
}
