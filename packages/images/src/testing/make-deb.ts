import { gzipSync, zstdCompressSync } from 'node:zlib';
import { concatBytes, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { writeTar } from '../archive/tar.ts';
import { insert, makeDirectory } from '../file-tree.ts';
import type { Attributes, DirectoryNode, FileNode } from '../file-tree.ts';

export const ROOT_FILE: Attributes = {
  mode: 0o644,
  uid: 0,
  gid: 0,
  modifiedSeconds: 1_700_000_000,
};

export function file(text: string, mode = 0o644): FileNode {
  return { kind: 'file', attributes: { ...ROOT_FILE, mode }, content: utf8ToBytes(text) };
}

export function symlink(target: string): FileNode {
  return { kind: 'symlink', attributes: { ...ROOT_FILE, mode: 0o777 }, target };
}

/** A tree of files by their paths; a text is a file with it. */
export function treeOf(files: Readonly<Record<string, string | FileNode>>): DirectoryNode {
  const root = makeDirectory();
  for (const [path, node] of Object.entries(files)) {
    insert(root, path, typeof node === 'string' ? file(node) : node);
  }
  return root;
}

export function writeAr(members: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const parts = Object.entries(members).flatMap(([name, content]) => {
    const size = String(content.length).padEnd(10);
    const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}100644  ${size}\`\n`;
    return [utf8ToBytes(header), content, new Uint8Array(content.length & 1)];
  });
  return concatBytes(utf8ToBytes('!<arch>\n'), ...parts);
}

export interface MadeDeb {
  readonly control: string;
  readonly scripts?: Readonly<Record<string, string | FileNode>>;
  readonly files: Readonly<Record<string, string | FileNode>>;
  readonly isZstd?: boolean;
}

export function makeDeb({ control, scripts = {}, files, isZstd = false }: MadeDeb): Uint8Array {
  const pack = isZstd ? zstdCompressSync : gzipSync;
  const ending = isZstd ? 'zst' : 'gz';
  return writeAr({
    'debian-binary': utf8ToBytes('2.0\n'),
    [`control.tar.${ending}`]: pack(writeTar(treeOf({ control, ...scripts }))),
    [`data.tar.${ending}`]: pack(writeTar(treeOf(files))),
  });
}
