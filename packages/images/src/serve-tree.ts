import type { FileTree } from '@polyvisor/board/fuse/file-tree';
import { latin1ToBytes } from '@polyvisor/bytes/latin1';
import { modeOf } from './file-mode.ts';
import type { DirectoryNode, FileNode } from './file-tree.ts';

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
