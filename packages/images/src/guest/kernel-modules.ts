import { HostError } from '@polyvisor/errors/host-error';
import { decompress } from '../archive/compression.ts';
import { type DirectoryNode, type FileNode, walk } from '../file-tree.ts';

export interface KernelModule {
  readonly name: string;
  /** Without compression. */
  readonly content: Uint8Array;
}

/**
 * Modules by what they are for, in the order they are loaded in: the number of a virtio device, or the name that the
 * kernel asks for a file system's by.
 */
export type GuestModules = ReadonlyMap<string, readonly KernelModule[]>;

/**
 * Of the devices that a board has, those that Debian's kernel has drivers for in modules, and the file system of most
 * disks, whose checksums are a module that it asks for by another name. @see VIRTIO 1.2, section 5
 */
const MODULES: readonly (readonly [purpose: string, ...modules: readonly string[]])[] = [
  ['1', 'virtio_net'],
  ['2', 'virtio_blk'],
  ['4', 'virtio_rng'],
  ['5', 'virtio_balloon'],
  ['19', 'vmw_vsock_virtio_transport'],
  ['fs-ext4', 'crc32c_generic', 'ext4'],
];

/** One module, unpacked; Debian's largest has 20 MB. */
const MODULE_BYTES_MAX = 64 * 1024 * 1024;
/**
 * What a module says about itself: strings that end with a zero. @see Linux, include/linux/module.h
 */
const DEPENDS = '\0depends=';

/**
 * What a guest needs of them, each after what it needs itself, from the tree of one kernel's
 * modules. Those that are built in are left out.
 * @param modules the directory with `kernel/` and `modules.builtin`
 * @throws HostError `image-option` for one that the kernel doesn't have
 */
export function collectModules(modules: DirectoryNode): GuestModules {
  const known = findModules(modules);
  return new Map(MODULES.map(([purpose, ...names]) => [purpose, withNeeded(known, names)]));
}

/** Modules by name; undefined for one that is built in. */
function findModules(modules: DirectoryNode): ReadonlyMap<string, FileNode | undefined> {
  const known = new Map<string, FileNode | undefined>();
  const note = (path: string, node: FileNode | undefined): void => {
    const file = /([^/]+)\.ko(\.[a-z]+)?$/.exec(path)?.[1];
    if (file !== undefined) known.set(plain(file), node);
  };
  for (const [path, node] of walk(modules)) note(path, node);
  const builtIn = modules.children.get('modules.builtin');
  const list = builtIn?.kind === 'file' ? Buffer.from(builtIn.content).toString() : '';
  for (const path of list.split('\n')) note(path, undefined);
  return known;
}

function withNeeded(
  known: ReadonlyMap<string, FileNode | undefined>,
  names: readonly string[],
): KernelModule[] {
  const taken: KernelModule[] = [];
  const begun = new Set<string>();
  const take = (each: string): void => {
    if (begun.has(each)) return;
    begun.add(each);
    if (!known.has(each)) throw new HostError('image-option', `the kernel has no module ${each}`);
    const node = known.get(each);
    if (node?.kind !== 'file') return;
    const content = decompress(node.content, MODULE_BYTES_MAX);
    for (const needed of dependsOf(content)) take(plain(needed));
    taken.push({ name: each, content });
  };
  for (const name of names) take(name);
  return taken;
}

/** In file names there are hyphens where the kernel says `_`. */
function plain(name: string): string {
  return name.replaceAll('-', '_');
}

function dependsOf(content: Uint8Array): string[] {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const at = bytes.indexOf(DEPENDS, 0, 'latin1');
  if (at < 0) return [];
  const start = at + DEPENDS.length;
  const names = bytes.toString('latin1', start, Math.max(start, bytes.indexOf(0, start)));
  return names.split(',').filter((name) => name !== '');
}
