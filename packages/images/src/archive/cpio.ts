import { bytesToLatin1, latin1ToBytes } from '@polyvisor/bytes/latin1';
import { HostError } from '@polyvisor/errors/host-error';
import { KIND_BITS, KIND_MASK, kindOf, modeOf } from '../file-mode.ts';
import { insert, makeDirectory, walk } from '../file-tree.ts';
import type { Attributes, DirectoryNode, FileNode } from '../file-tree.ts';

/**
 * The archive that Linux unpacks as its first root: for each file `070701` and 13 numbers of 8 hexadecimal digits
 * ```
 *  6 inode   14 mode   22 uid   30 gid   38 links   46 time   54 size   62 device's major   70 and minor
 * 78 major   86 minor of the file if it is a device   94 length of the name with its zero   102 check
 * ```
 * then the name and the content, each padded to 4 bytes; the file `TRAILER!!!` is the end.
 * @see Linux, Documentation/driver-api/early-userspace/buffer-format.rst
 */
const MAGIC = '070701';
const HEADER_BYTES = 110;
const TRAILER = 'TRAILER!!!';
const SIZE_MAX = 0xffff_ffff;

/** A tree as an archive. The same tree gives the same bytes. @throws HostError `image-not-supported` */
export function writeCpio(root: DirectoryNode): Uint8Array {
  const links = new Map<FileNode, number>();
  for (const [, node] of walk(root)) links.set(node, (links.get(node) ?? 0) + 1);
  const inodes = new Map<FileNode, number>();
  const parts: Uint8Array[] = [];
  for (const [path, node] of walk(root)) {
    // Of a file with many names the first has the content.
    const known = inodes.get(node);
    const inode = known ?? inodes.size + 1;
    inodes.set(node, inode);
    parts.push(...writeEntry(path, node, inode, links.get(node)!, known === undefined));
  }
  parts.push(
    ...makeEntry(
      TRAILER,
      Array.from({ length: 13 }, (_, index) => Number(index === 4)),
      undefined,
    ),
  );
  return Buffer.concat(parts);
}

function writeEntry(
  path: string,
  node: FileNode,
  inode: number,
  links: number,
  isFirst: boolean,
): Uint8Array[] {
  const content = isFirst ? contentOf(node) : undefined;
  const size = content?.length ?? 0;
  if (size > SIZE_MAX) {
    throw new HostError('image-not-supported', `cpio: ${path} has 4 GiB or more`);
  }
  const { uid, gid, modifiedSeconds } = node.attributes;
  const isDevice = node.kind === 'character' || node.kind === 'block';
  const [major, minor] = isDevice ? [node.major, node.minor] : [0, 0];
  const numbers = [inode, modeOf(node), uid, gid, links, modifiedSeconds, size];
  return makeEntry(path, [...numbers, 0, 0, major, minor, 0, 0], content);
}

function contentOf(node: FileNode): Uint8Array | undefined {
  if (node.kind === 'file') return node.content;
  return node.kind === 'symlink' ? latin1ToBytes(node.target) : undefined;
}

function makeEntry(
  path: string,
  numbers: readonly number[],
  content: Uint8Array | undefined,
): Uint8Array[] {
  const name = latin1ToBytes(`${path}\0`);
  const fields = numbers.with(11, name.length).map((value) => {
    return (value >>> 0).toString(16).padStart(8, '0');
  });
  const parts = [latin1ToBytes(MAGIC + fields.join('')), name, padding(HEADER_BYTES + name.length)];
  return content ? [...parts, content, padding(content.length)] : parts;
}

function padding(length: number): Uint8Array {
  return new Uint8Array(-length & 3);
}

/**
 * A tree of an archive, or of several that follow each other, as Linux takes them.
 * @throws HostError `image-damaged`
 */
export function readCpio(archive: Uint8Array, entriesMax: number): DirectoryNode {
  const root = makeDirectory();
  let inodes = new Map<number, FileNode>();
  let at = 0;
  for (let count = 0; ; count++) {
    while (archive[at] === 0) at++;
    if (at >= archive.length) return root;
    if (count >= entriesMax) throw damaged(`more than ${entriesMax} entries`);
    const { path, numbers, content, end } = readEntry(archive, at);
    at = end;
    if (path === TRAILER) {
      inodes = new Map();
      continue;
    }
    const [inode, mode, , , links] = numbers as [number, number, number, number, number];
    const isShared = links > 1 && (mode & KIND_MASK) !== KIND_BITS.directory;
    const known = isShared ? inodes.get(inode) : undefined;
    // The content may come with any of the names.
    if (known?.kind === 'file' && content.length > 0) known.content = content;
    const node = known ?? makeNode(numbers, content);
    if (isShared) inodes.set(inode, node);
    insert(root, path, node);
  }
}

function readEntry(archive: Uint8Array, at: number) {
  const header = bytesToLatin1(archive.subarray(at, at + HEADER_BYTES));
  if (!header.startsWith(MAGIC) || !/^[0-9a-f]{110}$/i.test(header)) throw damaged('no header');
  const numbers = Array.from({ length: 13 }, (_, index) => {
    return Number.parseInt(header.slice(6 + index * 8, 14 + index * 8), 16);
  });
  const nameAt = at + HEADER_BYTES;
  const [size, nameBytes] = [numbers[6]!, numbers[11]!];
  const contentAt = nameAt + nameBytes + (-(HEADER_BYTES + nameBytes) & 3);
  const end = contentAt + size + (-size & 3);
  if (nameBytes === 0 || contentAt + size > archive.length) throw damaged('an entry without end');
  const path = bytesToLatin1(archive.subarray(nameAt, nameAt + nameBytes - 1));
  return { path, numbers, content: archive.subarray(contentAt, contentAt + size), end };
}

function makeNode(numbers: readonly number[], content: Uint8Array): FileNode {
  const [, mode, uid, gid, , modifiedSeconds] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const attributes: Attributes = { mode: mode & 0o7777, uid, gid, modifiedSeconds };
  const kind = kindOf(mode & KIND_MASK);
  switch (kind) {
    case undefined:
      throw damaged(`a file of mode 0o${mode.toString(8)}`);
    case 'directory':
      return makeDirectory(attributes);
    case 'file':
      return { kind, attributes, content };
    case 'symlink':
      return { kind, attributes, target: bytesToLatin1(content) };
    case 'character':
    case 'block':
      return { kind, attributes, major: numbers[9]!, minor: numbers[10]! };
    case 'fifo':
    case 'socket':
      return { kind, attributes };
    default:
      return kind satisfies never;
  }
}

function damaged(what: string): HostError {
  return new HostError('image-damaged', `cpio: ${what}`);
}
