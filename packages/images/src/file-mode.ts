import type { FileNode } from './file-tree.ts';

/** Kinds of files in `st_mode`. @see POSIX.1-2017, sys/stat.h; the numbers are Linux's */
export const KIND_BITS: Readonly<Record<FileNode['kind'], number>> = {
  socket: 0o140000,
  symlink: 0o120000,
  file: 0o100000,
  block: 0o060000,
  directory: 0o040000,
  character: 0o020000,
  fifo: 0o010000,
};
export const KIND_MASK = 0o170000;

/** Kind and permissions, as `st_mode`. */
export function modeOf({ kind, attributes }: FileNode): number {
  return KIND_BITS[kind] | attributes.mode;
}

/** The kind that some bits of `st_mode` mean; undefined where they mean none. */
export function kindOf(bits: number): FileNode['kind'] | undefined {
  const kinds = Object.keys(KIND_BITS) as FileNode['kind'][];
  return kinds.find((kind) => KIND_BITS[kind] === bits);
}
