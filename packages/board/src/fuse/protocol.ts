import type { Attributes, TreeStatistics } from './file-tree.ts';

/**
 * Requests and answers of FUSE, little-endian.
 *
 *     request   u32 length · u32 operation · u64 id · u64 node
 *               u32 user · u32 group · u32 process · u32 reserved · arguments
 *     answer    u32 length · i32 -errno · u64 id · results
 *
 * @see Linux, include/uapi/linux/fuse.h, version 7.38
 */
export const REQUEST_HEADER_BYTES = 40;
export const ANSWER_HEADER_BYTES = 16;
export const MAJOR = 7;
export const MINOR = 38;

export const operations = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  CREATE: 35,
  INTERRUPT: 36,
  DESTROY: 38,
  BATCH_FORGET: 42,
  READDIRPLUS: 44,
  RENAME2: 45,
} as const;

export const ENTRY_BYTES = 128;
const ATTRIBUTES_BYTES = 88;
const DIRECTORY_ENTRY_BYTES = 24;
const BLOCK_BYTES = 4096;
/** The unit of `st_blocks`. */
const SECTOR_BYTES = 512;

/** Seconds for which the kernel trusts what it was told, of a tree that nobody else changes, and of others. */
export const OWN_VALID_SECONDS = 3600n;
export const OTHERS_VALID_SECONDS = 1n;

const NS_PER_SECOND = 1_000_000_000n;

function writeAttributes(view: DataView, at: number, node: number, attributes: Attributes): void {
  const { size, accessedNs, modifiedNs, changedNs } = attributes;
  view.setBigUint64(at, BigInt(node), true);
  view.setBigUint64(at + 8, BigInt(size), true);
  view.setBigUint64(at + 16, BigInt(Math.ceil(size / SECTOR_BYTES)), true);
  [accessedNs, modifiedNs, changedNs].forEach((timeNs, i) => {
    // Before 1970, seconds are negative and nanoseconds are not.
    const nanoseconds = ((timeNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
    view.setBigInt64(at + 24 + 8 * i, (timeNs - nanoseconds) / NS_PER_SECOND, true);
    view.setUint32(at + 48 + 4 * i, Number(nanoseconds), true);
  });
  const { mode, links, userId, groupId, device } = attributes;
  [mode, links, userId, groupId, device, BLOCK_BYTES, 0].forEach((value, i) => {
    view.setUint32(at + 60 + 4 * i, value, true);
  });
}

/** `fuse_entry_out`: a node that a name leads to. */
export function writeEntry(
  view: DataView,
  at: number,
  node: number,
  attributes: Attributes,
  validSeconds: bigint,
): void {
  view.setBigUint64(at, BigInt(node), true);
  view.setBigUint64(at + 16, validSeconds, true);
  view.setBigUint64(at + 24, validSeconds, true);
  writeAttributes(view, at + 40, node, attributes);
}

/** `fuse_attr_out`. */
export function attributesAnswer(
  node: number,
  attributes: Attributes,
  validSeconds: bigint,
): Uint8Array {
  const out = new Uint8Array(16 + ATTRIBUTES_BYTES);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, validSeconds, true);
  writeAttributes(view, 16, node, attributes);
  return out;
}

/** Bytes of a directory entry with a name of so many bytes. */
export function directoryEntryBytes(nameLength: number): number {
  return (DIRECTORY_ENTRY_BYTES + nameLength + 7) & ~7;
}

/** `fuse_dirent`. @param next what the kernel asks with to go on behind it */
export function writeDirectoryEntry(
  out: Uint8Array,
  at: number,
  entry: { readonly node: number; readonly mode: number; readonly name: Uint8Array },
  next: number,
): void {
  const view = new DataView(out.buffer, out.byteOffset);
  view.setBigUint64(at, BigInt(entry.node), true);
  view.setBigUint64(at + 8, BigInt(next), true);
  view.setUint32(at + 16, entry.name.length, true);
  // DT_… are the kinds of `mode`.
  view.setUint32(at + 20, entry.mode >>> 12, true);
  out.set(entry.name, at + DIRECTORY_ENTRY_BYTES);
}

/** `fuse_statfs_out`. */
export function statisticsAnswer(statistics: TreeStatistics, nameBytesMax: number): Uint8Array {
  const out = new Uint8Array(80);
  const view = new DataView(out.buffer);
  const blocks = (bytes: number): bigint => BigInt(Math.floor(bytes / BLOCK_BYTES));
  const { bytes, bytesFree, nodes, nodesFree } = statistics;
  const counts = [
    blocks(bytes),
    blocks(bytesFree),
    blocks(bytesFree),
    BigInt(nodes),
    BigInt(nodesFree),
  ];
  counts.forEach((count, i) => view.setBigUint64(8 * i, count, true));
  [BLOCK_BYTES, nameBytesMax, BLOCK_BYTES].forEach((value, i) =>
    view.setUint32(40 + 4 * i, value, true),
  );
  return out;
}
