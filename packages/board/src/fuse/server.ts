import { bytesToLatin1, latin1ToBytes } from '@polyvisor/bytes/latin1';
import { type StateReader, type StateWriter, badState } from '../state.ts';
import {
  type AttributeChange,
  FileFault,
  type DirectoryEntry,
  type FileTree,
  MODE_DIRECTORY,
  MODE_LINK,
  MODE_PERMISSIONS,
  NAME_BYTES_MAX,
  faultNumbers,
} from './file-tree.ts';
import {
  ANSWER_HEADER_BYTES,
  ENTRY_BYTES,
  MAJOR,
  MINOR,
  OTHERS_VALID_SECONDS,
  OWN_VALID_SECONDS,
  REQUEST_HEADER_BYTES,
  attributesAnswer,
  directoryEntryBytes,
  operations,
  statisticsAnswer,
  writeDirectoryEntry,
  writeEntry,
} from './protocol.ts';

/** Bytes that one read or write moves. */
export const TRANSFER_BYTES_MAX = 2 ** 20;
/** Longest request: the largest write with its header and arguments. */
export const REQUEST_BYTES_MAX = TRANSFER_BYTES_MAX + REQUEST_HEADER_BYTES + 40;
/** Directories that a guest has open at once. */
export const OPEN_DIRECTORIES_MAX = 4096;
/** Entries that are remembered for them, together; a single directory may have more. */
export const OPEN_ENTRIES_MAX = 2 ** 18;

/** Flags of INIT that the server understands. */
const ASYNC_READ = 1;
const ATOMIC_TRUNCATE = 1 << 3;
const BIG_WRITES = 1 << 5;
const READ_DIRECTORY_PLUS = 1 << 13;
const READ_DIRECTORY_AUTO = 1 << 14;
const PARALLEL_DIRECTORIES = 1 << 18;
const MAX_PAGES = 1 << 22;
const CACHE_SYMLINKS = 1 << 23;
const FLAGS =
  ASYNC_READ |
  ATOMIC_TRUNCATE |
  BIG_WRITES |
  READ_DIRECTORY_PLUS |
  READ_DIRECTORY_AUTO |
  PARALLEL_DIRECTORIES |
  MAX_PAGES |
  CACHE_SYMLINKS;

/** Of SETATTR: which fields count. */
const SET_MODE = 1;
const SET_USER = 2;
const SET_GROUP = 4;
const SET_SIZE = 8;
const SET_ACCESSED = 16;
const SET_MODIFIED = 32;
const SET_ACCESSED_NOW = 128;
const SET_MODIFIED_NOW = 256;

const OPEN_TRUNCATE = 0o1000;
/** What the kernel has cached of the file stays good. */
const KEEP_CACHE = 2;
const CACHE_DIRECTORY = 8;
const RENAME_NEW = 1;
const RENAME_EXCHANGE = 2;
const EXTENDED_CREATE = 1;
const EXTENDED_REPLACE = 2;

/** One request on its way. */
interface Request {
  readonly node: number;
  readonly userId: number;
  readonly groupId: number;
  readonly args: DataView;
  readonly bytes: Uint8Array;
  /** Bytes that the results may have. */
  readonly room: number;
}

type Serve = (request: Request) => Uint8Array;

const EMPTY = new Uint8Array(0);

/** Answers what a kernel asks of a tree of files. */
export class FuseServer {
  readonly #tree: FileTree;
  /** How often the kernel was told of each node. */
  readonly #lookups = new Map<number, number>();
  /** What directories held when they were opened, by handle. */
  readonly #directories = new Map<number, readonly DirectoryEntry[]>();
  #openEntries = 0;
  #nextHandle = 1;
  readonly #table: ReadonlyMap<number, Serve>;
  readonly #openEntriesMax: number;
  readonly #validSeconds: bigint;
  /** Flags of what is opened. */
  readonly #keepCache: number;

  constructor(tree: FileTree, openEntriesMax = OPEN_ENTRIES_MAX) {
    this.#tree = tree;
    this.#validSeconds = tree.isChangedByOthers ? OTHERS_VALID_SECONDS : OWN_VALID_SECONDS;
    this.#keepCache = tree.isChangedByOthers ? 0 : KEEP_CACHE;
    this.#openEntriesMax = openEntriesMax;
    this.#table = this.#serving();
  }

  /**
   * @param request with its header; at most `REQUEST_BYTES_MAX` long
   * @param room bytes that the answer may have
   * @returns the answer; undefined where none is due
   */
  serve(request: Uint8Array, room: number): Uint8Array | undefined {
    if (request.length < REQUEST_HEADER_BYTES) return undefined;
    const view = new DataView(request.buffer, request.byteOffset, request.length);
    const operation = view.getUint32(4, true);
    const id = view.getBigUint64(8, true);
    const node = toNumber(view.getBigUint64(16, true));
    const bytes = request.subarray(REQUEST_HEADER_BYTES);
    const args = new DataView(request.buffer, bytes.byteOffset, bytes.length);
    if (operation === operations.FORGET || operation === operations.BATCH_FORGET) {
      this.#forgetAll(operation, node, args);
      return undefined;
    }
    if (room < ANSWER_HEADER_BYTES || operation === operations.INTERRUPT) return undefined;
    const serve = this.#table.get(operation);
    // Without the cost of an error: programs ask of every line that they read whether it is from a terminal (IOCTL).
    if (!serve) return answer(id, -faultNumbers.ENOSYS, EMPTY);
    try {
      const results = serve({
        node,
        userId: view.getUint32(24, true),
        groupId: view.getUint32(28, true),
        args,
        bytes,
        room: room - ANSWER_HEADER_BYTES,
      });
      if (results.length + ANSWER_HEADER_BYTES > room) throw new FileFault('EINVAL');
      return answer(id, 0, results);
    } catch (error) {
      // Arguments that are too short are the guest's fault, too.
      if (error instanceof FileFault) return answer(id, -faultNumbers[error.fault], EMPTY);
      if (error instanceof RangeError) return answer(id, -faultNumbers.EINVAL, EMPTY);
      throw error;
    }
  }

  /** The kernel is gone: nothing is held for it any more. */
  reset(): void {
    for (const node of this.#lookups.keys()) this.#tree.release(node);
    this.#lookups.clear();
    this.#directories.clear();
    this.#openEntries = 0;
  }

  saveState(out: StateWriter): void {
    out.u32(this.#lookups.size);
    for (const [node, count] of this.#lookups) out.number(node).number(count);
    out.u32(this.#nextHandle).u32(this.#directories.size);
    for (const [handle, entries] of this.#directories) {
      out.u32(handle).u32(entries.length);
      for (const { name, node, mode } of entries) {
        out.bytes(latin1ToBytes(name)).number(node).u32(mode);
      }
    }
  }

  /**
   * Over a tree that is as the saved one's was.
   * @throws HostError `machine-state` where it lacks a node
   */
  loadState(from: StateReader): void {
    this.reset();
    for (let left = from.u32(); left > 0; left--) {
      const node = from.number();
      this.#lookups.set(node, from.number());
      try {
        this.#tree.hold(node);
      } catch (error) {
        if (error instanceof FileFault) throw badState('is of another tree of files');
        throw error;
      }
    }
    this.#nextHandle = from.u32();
    for (let left = from.u32(OPEN_DIRECTORIES_MAX); left > 0; left--) {
      const handle = from.u32();
      const entries: DirectoryEntry[] = [];
      for (let more = from.u32(); more > 0; more--) {
        const name = bytesToLatin1(from.bytes(NAME_BYTES_MAX));
        entries.push({ name, node: from.number(), mode: from.u32() });
      }
      this.#remember(handle, entries);
    }
  }

  #serving(): ReadonlyMap<number, Serve> {
    const tree = this.#tree;
    const nothing: Serve = () => EMPTY;
    return new Map<number, Serve>([
      [operations.INIT, (request) => this.#init(request)],
      [operations.DESTROY, () => (this.reset(), EMPTY)],
      [
        operations.LOOKUP,
        ({ node, bytes }) => this.#entry(tree.lookup(node, nameAt(bytes, 0).name)),
      ],
      [
        operations.GETATTR,
        ({ node }) => attributesAnswer(node, tree.attributes(node), this.#validSeconds),
      ],
      [operations.SETATTR, (request) => this.#setAttributes(request)],
      [operations.READLINK, ({ node }) => tree.target(node)],
      [operations.SYMLINK, (request) => this.#symlink(request)],
      [
        operations.MKNOD,
        (r) => this.#create(r, 16, r.args.getUint32(0, true), r.args.getUint32(4, true)),
      ],
      [
        operations.MKDIR,
        (r) => this.#create(r, 8, MODE_DIRECTORY | (r.args.getUint32(0, true) & MODE_PERMISSIONS)),
      ],
      [operations.CREATE, (request) => this.#createAndOpen(request)],
      [
        operations.UNLINK,
        ({ node, bytes }) => (tree.remove(node, nameAt(bytes, 0).name, false), EMPTY),
      ],
      [
        operations.RMDIR,
        ({ node, bytes }) => (tree.remove(node, nameAt(bytes, 0).name, true), EMPTY),
      ],
      [operations.RENAME, (request) => this.#rename(request, 8, 0)],
      [operations.RENAME2, (request) => this.#rename(request, 16, request.args.getUint32(8, true))],
      [operations.LINK, (request) => this.#link(request)],
      [operations.OPEN, (request) => this.#open(request)],
      [operations.READ, (request) => this.#read(request)],
      [operations.WRITE, (request) => this.#write(request)],
      [operations.STATFS, () => statisticsAnswer(tree.statistics(), NAME_BYTES_MAX)],
      // FLUSH is not here: a kernel that hears so once doesn't ask again each time a file is closed.
      [operations.RELEASE, nothing],
      [operations.FSYNC, ({ node }) => (tree.flush(node), EMPTY)],
      [operations.FSYNCDIR, ({ node }) => (tree.flush(node), EMPTY)],
      [operations.OPENDIR, (request) => this.#openDirectory(request)],
      [operations.READDIR, (request) => this.#readDirectory(request, false)],
      [operations.READDIRPLUS, (request) => this.#readDirectory(request, true)],
      [operations.RELEASEDIR, (request) => this.#closeDirectory(request)],
      [operations.SETXATTR, (request) => this.#setExtended(request)],
      [operations.GETXATTR, (request) => this.#getExtended(request)],
      [operations.LISTXATTR, (request) => this.#listExtended(request)],
      [operations.REMOVEXATTR, (request) => this.#removeExtended(request)],
    ]);
  }

  #init({ args }: Request): Uint8Array {
    this.reset();
    const out = new Uint8Array(64);
    const view = new DataView(out.buffer);
    view.setUint32(0, MAJOR, true);
    view.setUint32(4, MINOR, true);
    view.setUint32(8, args.getUint32(8, true), true);
    view.setUint32(12, args.getUint32(12, true) & FLAGS, true);
    // max_background, congestion_threshold.
    view.setUint16(16, 64, true);
    view.setUint16(18, 48, true);
    view.setUint32(20, TRANSFER_BYTES_MAX, true);
    view.setUint32(24, 1, true);
    view.setUint16(28, TRANSFER_BYTES_MAX / 4096, true);
    return out;
  }

  /** Tells the kernel of a node, which it holds from now on. */
  #entry(node: number): Uint8Array {
    const out = new Uint8Array(ENTRY_BYTES);
    writeEntry(new DataView(out.buffer), 0, node, this.#tree.attributes(node), this.#validSeconds);
    this.#hold(node);
    return out;
  }

  #hold(node: number): void {
    this.#lookups.set(node, (this.#lookups.get(node) ?? 0) + 1);
    this.#tree.hold(node);
  }

  #forgetAll(operation: number, node: number, args: DataView): void {
    if (operation === operations.FORGET) {
      if (args.byteLength >= 8) this.#forget(node, toNumber(args.getBigUint64(0, true)));
      return;
    }
    for (let at = 8; at + 16 <= args.byteLength; at += 16) {
      const count = toNumber(args.getBigUint64(at + 8, true));
      this.#forget(toNumber(args.getBigUint64(at, true)), count);
    }
  }

  #forget(node: number, count: number): void {
    const left = (this.#lookups.get(node) ?? 0) - count;
    if (left > 0) {
      this.#lookups.set(node, left);
    } else if (this.#lookups.delete(node)) {
      this.#tree.release(node);
    }
  }

  #setAttributes({ node, args }: Request): Uint8Array {
    const valid = args.getUint32(0, true);
    const timeNs = (i: number): bigint =>
      args.getBigInt64(32 + 8 * i, true) * 1_000_000_000n +
      BigInt(args.getUint32(56 + 4 * i, true));
    const change: AttributeChange = {
      ...(valid & SET_MODE && { mode: args.getUint32(68, true) }),
      ...(valid & SET_USER && { userId: args.getUint32(76, true) }),
      ...(valid & SET_GROUP && { groupId: args.getUint32(80, true) }),
      ...(valid & SET_SIZE && { size: toNumber(args.getBigUint64(16, true)) }),
      ...(valid & SET_ACCESSED && { accessedNs: valid & SET_ACCESSED_NOW ? 'now' : timeNs(0) }),
      ...(valid & SET_MODIFIED && { modifiedNs: valid & SET_MODIFIED_NOW ? 'now' : timeNs(1) }),
    };
    this.#tree.change(node, change);
    return attributesAnswer(node, this.#tree.attributes(node), this.#validSeconds);
  }

  /** @param at where the name begins, behind the arguments */
  #create(
    { node, bytes, userId, groupId }: Request,
    at: number,
    mode: number,
    device = 0,
  ): Uint8Array {
    const what = { mode, userId, groupId, device };
    return this.#entry(this.#tree.create(node, nameAt(bytes, at).name, what));
  }

  #createAndOpen(request: Request): Uint8Array {
    const entry = this.#create(request, 16, request.args.getUint32(4, true));
    const out = new Uint8Array(ENTRY_BYTES + 16);
    out.set(entry);
    out[ENTRY_BYTES + 8] = this.#keepCache;
    return out;
  }

  #symlink({ node, bytes, userId, groupId }: Request): Uint8Array {
    const { name, end } = nameAt(bytes, 0);
    const content = bytes.slice(end, endOfString(bytes, end));
    const what = { mode: MODE_LINK | 0o777, userId, groupId, content };
    return this.#entry(this.#tree.create(node, name, what));
  }

  #rename({ node, args, bytes }: Request, at: number, flags: number): Uint8Array {
    const mode =
      flags === 0
        ? 'replace'
        : flags === RENAME_NEW
          ? 'new'
          : flags === RENAME_EXCHANGE
            ? 'exchange'
            : undefined;
    if (mode === undefined) throw new FileFault('EINVAL');
    const { name, end } = nameAt(bytes, at);
    const to = { directory: toNumber(args.getBigUint64(0, true)), name: nameAt(bytes, end).name };
    this.#tree.rename({ directory: node, name }, to, mode);
    return EMPTY;
  }

  #link({ node, args, bytes }: Request): Uint8Array {
    const linked = toNumber(args.getBigUint64(0, true));
    this.#tree.link(linked, node, nameAt(bytes, 8).name);
    return this.#entry(linked);
  }

  /** Files have no handles: a node is enough. */
  #open({ node, args }: Request): Uint8Array {
    if (args.getUint32(0, true) & OPEN_TRUNCATE) this.#tree.change(node, { size: 0 });
    else this.#tree.attributes(node);
    const out = new Uint8Array(16);
    out[8] = this.#keepCache;
    return out;
  }

  #read({ node, args, room }: Request): Uint8Array {
    const offset = toNumber(args.getBigUint64(8, true));
    const size = Math.min(args.getUint32(16, true), room, TRANSFER_BYTES_MAX);
    const out = new Uint8Array(size);
    return out.subarray(0, this.#tree.read(node, offset, out));
  }

  #write({ node, args, bytes }: Request): Uint8Array {
    const offset = toNumber(args.getBigUint64(8, true));
    const size = args.getUint32(16, true);
    const data = bytes.subarray(40, 40 + size);
    if (data.length !== size) throw new FileFault('EINVAL');
    if (!Number.isSafeInteger(offset + size)) throw new FileFault('EFBIG');
    this.#tree.write(node, offset, data);
    const out = new Uint8Array(8);
    new DataView(out.buffer).setUint32(0, size, true);
    return out;
  }

  #openDirectory({ node }: Request): Uint8Array {
    if (this.#directories.size >= OPEN_DIRECTORIES_MAX) throw new FileFault('ENFILE');
    const own = { name: '.', node, mode: MODE_DIRECTORY };
    const parent = { name: '..', node: this.#tree.parent(node), mode: MODE_DIRECTORY };
    const entries = [own, parent, ...this.#tree.entries(node)];
    const isFirst = this.#directories.size === 0;
    if (!isFirst && this.#openEntries + entries.length > this.#openEntriesMax) {
      throw new FileFault('ENFILE');
    }
    const handle = this.#nextHandle;
    this.#nextHandle = (handle + 1) >>> 0 || 1;
    this.#remember(handle, entries);
    const out = new Uint8Array(16);
    const view = new DataView(out.buffer);
    view.setBigUint64(0, BigInt(handle), true);
    if (this.#keepCache !== 0) view.setUint32(8, KEEP_CACHE | CACHE_DIRECTORY, true);
    return out;
  }

  #remember(handle: number, entries: readonly DirectoryEntry[]): void {
    this.#directories.set(handle, entries);
    this.#openEntries += entries.length;
  }

  #closeDirectory({ args }: Request): Uint8Array {
    const handle = toNumber(args.getBigUint64(0, true));
    this.#openEntries -= this.#directories.get(handle)?.length ?? 0;
    this.#directories.delete(handle);
    return EMPTY;
  }

  /** As many entries as there is room for, each with the number of the next. */
  #readDirectory({ args, room }: Request, isPlus: boolean): Uint8Array {
    const entries = this.#directories.get(toNumber(args.getBigUint64(0, true)));
    if (!entries) throw new FileFault('EINVAL');
    const out = new Uint8Array(Math.min(args.getUint32(16, true), room, TRANSFER_BYTES_MAX));
    const head = isPlus ? ENTRY_BYTES : 0;
    let at = 0;
    for (let i = toNumber(args.getBigUint64(8, true)); i < entries.length; i++) {
      const { name, node, mode } = entries[i]!;
      const bytes = latin1ToBytes(name);
      const length = head + directoryEntryBytes(bytes.length);
      if (at + length > out.length) break;
      if (isPlus) this.#writePlus(out, at, entries[i]!);
      writeDirectoryEntry(out, at + head, { node, mode, name: bytes }, i + 1);
      at += length;
    }
    return out.subarray(0, at);
  }

  /** A node of 0 says that the kernel has to look the name up itself. */
  #writePlus(out: Uint8Array, at: number, { name, node }: DirectoryEntry): void {
    if (name === '.' || name === '..') return;
    try {
      writeEntry(
        new DataView(out.buffer),
        at,
        node,
        this.#tree.attributes(node),
        this.#validSeconds,
      );
    } catch (error) {
      // Gone since the directory was opened.
      if (error instanceof FileFault) return;
      throw error;
    }
    this.#hold(node);
  }

  #setExtended({ node, args, bytes }: Request): Uint8Array {
    const size = args.getUint32(0, true);
    const flags = args.getUint32(4, true);
    const { name, end } = nameAt(bytes, 8);
    const value = bytes.slice(end, end + size);
    if (value.length !== size) throw new FileFault('EINVAL');
    const has = this.#tree.extended(node).has(name);
    if (has && flags & EXTENDED_CREATE) throw new FileFault('EEXIST');
    if (!has && flags & EXTENDED_REPLACE) throw new FileFault('ENODATA');
    this.#tree.setExtended(node, name, value);
    return EMPTY;
  }

  #getExtended({ node, args, bytes }: Request): Uint8Array {
    const value = this.#tree.extended(node).get(nameAt(bytes, 8).name);
    if (!value) throw new FileFault('ENODATA');
    return sized(value, args.getUint32(0, true));
  }

  #listExtended({ node, args }: Request): Uint8Array {
    const names = Array.from(this.#tree.extended(node).keys(), (name) => `${name}\0`).join('');
    return sized(latin1ToBytes(names), args.getUint32(0, true));
  }

  #removeExtended({ node, bytes }: Request): Uint8Array {
    const { name } = nameAt(bytes, 0);
    if (!this.#tree.extended(node).has(name)) throw new FileFault('ENODATA');
    this.#tree.setExtended(node, name, undefined);
    return EMPTY;
  }
}

function answer(id: bigint, error: number, results: Uint8Array): Uint8Array {
  const out = new Uint8Array(ANSWER_HEADER_BYTES + results.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, out.length, true);
  view.setInt32(4, error, true);
  view.setBigUint64(8, id, true);
  out.set(results, ANSWER_HEADER_BYTES);
  return out;
}

/** The value, or its length where the kernel asks for that with a size of 0. */
function sized(value: Uint8Array, size: number): Uint8Array {
  if (size >= value.length && size > 0) return value;
  if (size > 0) throw new FileFault('ERANGE');
  const out = new Uint8Array(8);
  new DataView(out.buffer).setUint32(0, value.length, true);
  return out;
}

/** A name that ends with a zero byte, and where the next begins. */
function nameAt(bytes: Uint8Array, at: number): { name: string; end: number } {
  const end = endOfString(bytes, at);
  if (end - at > NAME_BYTES_MAX) throw new FileFault('ENAMETOOLONG');
  const name = bytesToLatin1(bytes.subarray(at, end));
  // The kernel resolves these itself, and a name has no slash in it.
  if (name === '' || name === '.' || name === '..' || name.includes('/')) {
    throw new FileFault('EINVAL');
  }
  return { name, end: end + 1 };
}

function endOfString(bytes: Uint8Array, at: number): number {
  const end = bytes.indexOf(0, at);
  if (end < 0) throw new FileFault('EINVAL');
  return end;
}

/**
 * What a number can't hold is no node, handle or offset of ours; the largest that it can is none
 * either.
 */
function toNumber(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}
