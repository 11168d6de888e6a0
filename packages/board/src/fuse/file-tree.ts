/**
 * A tree of files as a guest's kernel asks for it: nodes by number, names under directories. The
 * kernel checks permissions, resolves paths and caches; the tree stores.
 *
 * A request that fails throws a `FileFault`. Names are bytes as characters 0 to 255
 * (`bytes/latin1`), for Linux does not say that they are text.
 */
export interface FileTree {
  readonly root: number;
  /** Whether others than the guest change it, too: its kernel then asks again after a second. */
  readonly isChangedByOthers: boolean;
  lookup(directory: number, name: string): number;
  attributes(node: number): Attributes;
  change(node: number, change: AttributeChange): void;
  /** What a symbolic link points to. */
  target(node: number): Uint8Array;
  create(directory: number, name: string, what: NewNode): number;
  link(node: number, directory: number, name: string): void;
  /**
   * Removes a name: of a directory, which is empty, or of anything else. The node lives while it is
   * held.
   */
  remove(directory: number, name: string, isDirectory: boolean): void;
  rename(from: Place, to: Place, mode: RenameMode): void;
  /** @returns bytes read: fewer only at the end of the file */
  read(node: number, offset: number, into: Uint8Array): number;
  write(node: number, offset: number, from: Uint8Array): void;
  /** The names in a directory, without `.` and `..`. */
  entries(directory: number): readonly DirectoryEntry[];
  parent(directory: number): number;
  /** Makes what was written of a node outlive a crash, as far as the tree promises that at all. */
  flush(node: number): void;
  /**
   * The kernel knows of the node, or not any more: without a name it lives as long as it is held.
   */
  hold(node: number): void;
  release(node: number): void;
  statistics(): TreeStatistics;
  /** Extended attributes. */
  extended(node: number): ReadonlyMap<string, Uint8Array>;
  setExtended(node: number, name: string, value: Uint8Array | undefined): void;
}

export interface Attributes {
  /** Kind and permissions, as `st_mode`. */
  readonly mode: number;
  readonly links: number;
  readonly userId: number;
  readonly groupId: number;
  /** Number of a device node. */
  readonly device: number;
  /** Bytes. */
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly accessedNs: bigint;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
}

/** What is undefined stays; `now` is the tree's time. */
export interface AttributeChange {
  /** Permissions only. */
  readonly mode?: number;
  readonly userId?: number;
  readonly groupId?: number;
  readonly size?: number;
  readonly accessedNs?: bigint | 'now';
  readonly modifiedNs?: bigint | 'now';
}

export interface NewNode {
  /** Kind and permissions. */
  readonly mode: number;
  readonly userId: number;
  readonly groupId: number;
  readonly device?: number;
  /** Of a file, shared and never changed in place; of a symbolic link, what it points to. */
  readonly content?: Uint8Array;
}

export interface Place {
  readonly directory: number;
  readonly name: string;
}

export type RenameMode = 'replace' | 'new' | 'exchange';

export interface DirectoryEntry {
  readonly name: string;
  readonly node: number;
  readonly mode: number;
}

export interface TreeStatistics {
  readonly bytes: number;
  readonly bytesFree: number;
  readonly nodes: number;
  readonly nodesFree: number;
}

/** Kinds of nodes in `mode`. @see POSIX.1-2017, sys/stat.h; the numbers are Linux's */
export const MODE_KIND = 0o170000;
export const MODE_FILE = 0o100000;
export const MODE_DIRECTORY = 0o040000;
export const MODE_LINK = 0o120000;
export const MODE_PERMISSIONS = 0o7777;

/** Longest name in bytes. */
export const NAME_BYTES_MAX = 255;

/** Numbers of Linux's asm-generic/errno-base.h and errno.h. */
export const faultNumbers = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EMLINK: 31,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  ESTALE: 116,
  EDQUOT: 122,
} as const;

export type FaultName = keyof typeof faultNumbers;

/** Why a request for a file can't be met: the guest gets its number. */
export class FileFault extends Error {
  override readonly name = 'FileFault';
  readonly fault: FaultName;

  constructor(fault: FaultName) {
    super(fault);
    this.fault = fault;
  }
}
