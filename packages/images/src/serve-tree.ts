import { assert } from '@polyvisor/errors/assert';
import type { Attributes as TreeAttributes, FileTree } from '@polyvisor/board/fuse/file-tree';
import { bytesToLatin1, latin1ToBytes } from '@polyvisor/bytes/latin1';
import { KIND_MASK, kindOf, modeOf } from './file-mode.ts';
import type { Attributes, DirectoryNode, FileNode } from './file-tree.ts';
import { makeDirectory } from './file-tree.ts';

/**
 * Puts an image's files into a tree that a guest mounts. Contents are shared, not copied: the tree copies what a guest
 * changes.
 * @throws FileFault when the tree has no room
 */
export function fillTree(tree: FileTree, root: DirectoryNode): void {
  setAttributes(tree, tree.root, root);
  fill(tree, tree.root, root, new Map());
}

function fill(
  tree: FileTree,
  directory: number,
  from: DirectoryNode,
  known: Map<FileNode, number>,
): void {
  for (const [name, node] of from.children) {
    const first = known.get(node);
    if (first !== undefined) {
      tree.link(first, directory, name);
      continue;
    }
    const made = tree.create(directory, name, {
      mode: modeOf(node),
      userId: node.attributes.uid,
      groupId: node.attributes.gid,
      ...(node.kind === 'file' ? { content: node.content } : {}),
      ...(node.kind === 'symlink' ? { content: latin1ToBytes(node.target) } : {}),
      ...('major' in node ? { device: deviceNumber(node.major, node.minor) } : {}),
    });
    if (node.kind === 'directory') fill(tree, made, node, known);
    else known.set(node, made);
    // Last, for what is made in a directory changes its time.
    setAttributes(tree, made, node);
  }
}

function setAttributes(tree: FileTree, at: number, { attributes }: FileNode): void {
  const { mode, uid, gid, modifiedSeconds, xattrs = [] } = attributes;
  for (const [name, value] of xattrs) tree.setExtended(at, name, value);
  const timeNs = BigInt(modifiedSeconds) * 1_000_000_000n;
  tree.change(at, { mode, userId: uid, groupId: gid, accessedNs: timeNs, modifiedNs: timeNs });
}

/** As Linux's new_encode_dev: the minor number around the major. */
function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** The files as a guest left them, copied: the other way of `fillTree`. */
export function readTree(tree: FileTree): DirectoryNode {
  const root = makeDirectory(readAttributes(tree, tree.root));
  readInto(tree, tree.root, root, new Map());
  return root;
}

function readInto(
  tree: FileTree,
  directory: number,
  into: DirectoryNode,
  known: Map<number, FileNode>,
): void {
  for (const { name, node } of tree.entries(directory)) {
    const made = known.get(node) ?? readNode(tree, node);
    known.set(node, made);
    into.children.set(name, made);
    if (made.kind === 'directory') readInto(tree, node, made, known);
  }
}

function readNode(tree: FileTree, node: number): FileNode {
  const { mode, size, device } = tree.attributes(node);
  const attributes = readAttributes(tree, node);
  const kind = kindOf(mode & KIND_MASK);
  assert(kind !== undefined, `the tree has a node of mode 0o${mode.toString(8)}`);
  switch (kind) {
    case 'directory':
      return makeDirectory(attributes);
    case 'file': {
      const content = new Uint8Array(size);
      tree.read(node, 0, content);
      return { kind, attributes, content };
    }
    case 'symlink':
      return { kind, attributes, target: bytesToLatin1(tree.target(node)) };
    case 'character':
    case 'block':
      return { kind, attributes, ...splitDevice(device) };
    case 'fifo':
    case 'socket':
      return { kind, attributes };
    default:
      return kind satisfies never;
  }
}

function readAttributes(tree: FileTree, node: number): Attributes {
  const { mode, userId, groupId, modifiedNs }: TreeAttributes = tree.attributes(node);
  const xattrs = tree.extended(node);
  return {
    mode: mode & ~KIND_MASK,
    uid: userId,
    gid: groupId,
    modifiedSeconds: Number(modifiedNs / 1_000_000_000n),
    ...(xattrs.size > 0 ? { xattrs: new Map(xattrs) } : {}),
  };
}

/** The parts of a `deviceNumber`. */
function splitDevice(device: number): { readonly major: number; readonly minor: number } {
  return { major: (device >>> 8) & 0xfff, minor: (device & 0xff) | ((device >>> 12) & ~0xff) };
}
