import * as fs from 'node:fs';
import {
  type AttributeChange,
  type Attributes,
  type DirectoryEntry,
  FileFault,
  type FileTree,
  MODE_DIRECTORY,
  MODE_FILE,
  MODE_KIND,
  MODE_LINK,
  MODE_PERMISSIONS,
  type NewNode,
  type Place,
  type RenameMode,
  type TreeStatistics,
  faultNumbers,
} from '@polyvisor/board/fuse/file-tree';
import type { FaultName } from '@polyvisor/board/fuse/file-tree';
import { latin1ToBytes } from '@polyvisor/bytes/latin1';
import { HostError } from '@polyvisor/errors/host-error';
import { preciseSeconds } from './file-times.ts';

/** A descriptor that names a file without opening it; Node lacks the name. @see Linux, asm-generic/fcntl.h */
const O_PATH = 0o10000000;
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = fs.constants;
/** Directories, and files, that are kept open between two requests. */
const OPEN_MAX = 64;
/** Files without a name that the guest's kernel still has open; of more, what they hold is gone with the name. */
const ORPHANS_MAX = 256;
/** Directories inside each other. */
export const DEPTH_MAX = 1024;

export interface HostTreeOptions {
  readonly isReadOnly: boolean;
  /** Files that the guest's kernel knows at once, and as many that it was only told of; default 2^20. */
  readonly nodesMax?: number;
}

interface Node {
  /** Where it was last found. */
  parent: number;
  name: string;
  /** Device and inode: what a name leads to now may be another file. */
  readonly key: string;
  isHeld: boolean;
  /** Of one without a name that the kernel still holds. */
  orphan: number | undefined;
}

/**
 * A folder of the host. Nothing outside it can be reached: every name is resolved alone, below the open directory
 * that it is in, and no symbolic link is followed, whatever others do to the folder meanwhile. That takes Linux, whose
 * `/proc/self/fd` leads to what is open. What the host's user may not do, the guest may not either.
 */
export class HostTree implements FileTree, Disposable {
  readonly root = 1;
  readonly isChangedByOthers = true;
  readonly #isReadOnly: boolean;
  readonly #nodesMax: number;
  readonly #nodes = new Map<number, Node>();
  readonly #numbers = new Map<string, number>();
  /** Nodes that nobody holds, the oldest first. */
  readonly #loose = new Set<number>();
  readonly #directories = new Map<number, number>();
  readonly #files = new Map<number, { readonly descriptor: number; readonly canWrite: boolean }>();
  readonly #rootDescriptor: number;
  #nextNode = 1;
  #orphanCount = 0;

  /** @throws HostError `share-folder` where it can't be shared */
  constructor(folder: string, { isReadOnly, nodesMax = 2 ** 20 }: HostTreeOptions) {
    this.#isReadOnly = isReadOnly;
    this.#nodesMax = nodesMax;
    if (process.platform !== 'linux') {
      const hint = 'copy files in and out with cp, or share them from a host that runs Linux';
      throw new HostError('share-folder', `folders can't be shared on ${process.platform}`, hint);
    }
    try {
      this.#rootDescriptor = fs.openSync(folder, O_PATH | O_DIRECTORY);
    } catch (error) {
      const message = `can't share ${folder}: ${(error as Error).message}`;
      throw new HostError('share-folder', message, 'name a folder that is there');
    }
    const key = keyOf(fs.fstatSync(this.#rootDescriptor, { bigint: true }));
    this.#numbers.set(key, this.#nextNode);
    const root = { parent: 1, name: '', key, isHeld: true, orphan: undefined };
    this.#nodes.set(this.#nextNode++, root);
  }

  lookup(directory: number, name: string): number {
    return this.#do(() => this.#found(directory, name, this.#stat(this.#below(directory, name))));
  }

  attributes(number: number): Attributes {
    return this.#do(() => {
      const stat = this.#statOf(number);
      return {
        mode: Number(stat.mode),
        links: Number(stat.nlink),
        userId: Number(stat.uid),
        groupId: Number(stat.gid),
        device: Number(BigInt.asUintN(32, stat.rdev)),
        size: Number(stat.size),
        accessedNs: stat.atimeNs,
        modifiedNs: stat.mtimeNs,
        changedNs: stat.ctimeNs,
      };
    });
  }

  change(number: number, change: AttributeChange): void {
    this.#alter(() => {
      const { mode, userId, groupId, size, accessedNs, modifiedNs } = change;
      const before = this.#statOf(number);
      if (size !== undefined) fs.ftruncateSync(this.#file(number, true), size);
      if (userId !== undefined || groupId !== undefined) {
        const [user, group] = [Number(before.uid), Number(before.gid)];
        if ((userId ?? user) !== user || (groupId ?? group) !== group) {
          const set = isLink(before) ? fs.lchownSync : fs.chownSync;
          this.#through(number, before, (path) => set(path, userId ?? user, groupId ?? group));
        }
      }
      if (mode !== undefined) {
        if (isLink(before)) throw new FileFault('EINVAL');
        this.#through(number, before, (path) => fs.chmodSync(path, mode & MODE_PERMISSIONS));
      }
      if (accessedNs !== undefined || modifiedNs !== undefined) {
        const nowNs = BigInt(Date.now()) * 1_000_000n;
        const secondsOf = (value: bigint | 'now' | undefined, old: bigint): number =>
          preciseSeconds(value === 'now' ? nowNs : (value ?? old));
        const accessed = secondsOf(accessedNs, before.atimeNs);
        const modified = secondsOf(modifiedNs, before.mtimeNs);
        const set = isLink(before) ? fs.lutimesSync : fs.utimesSync;
        this.#through(number, before, (path) => set(path, accessed, modified));
      }
    });
  }

  target(number: number): Uint8Array {
    return this.#do(() => {
      if (!isLink(this.#statOf(number))) throw new FileFault('EINVAL');
      return fs.readlinkSync(this.#path(number), { encoding: 'buffer' });
    });
  }

  create(directory: number, name: string, what: NewNode): number {
    return this.#alter(() => {
      const path = this.#below(directory, name);
      const kind = what.mode & MODE_KIND;
      const permissions = what.mode & MODE_PERMISSIONS;
      let descriptor: number | undefined;
      if (kind === MODE_DIRECTORY) fs.mkdirSync(path, permissions);
      else if (kind === MODE_LINK) fs.symlinkSync(Buffer.from(what.content ?? []), path);
      else if (kind === MODE_FILE) {
        descriptor = fs.openSync(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR, permissions);
      } else throw new FileFault('EPERM');
      const stat = this.#stat(path);
      const number = this.#found(directory, name, stat);
      if (descriptor !== undefined) {
        this.#closeFile(number);
        this.#files.set(number, { descriptor, canWrite: true });
      }
      // Who isn't root makes files of its own only.
      if (process.geteuid!() === 0) fs.lchownSync(path, what.userId, what.groupId);
      // The guest's kernel has taken its own mask away; this process has another.
      if (kind !== MODE_LINK) {
        this.#through(number, stat, (exact) => fs.chmodSync(exact, permissions));
      }
      return number;
    });
  }

  link(number: number, directory: number, name: string): void {
    this.#alter(() => {
      this.#statOf(number);
      fs.linkSync(this.#path(number), this.#below(directory, name));
    });
  }

  remove(directory: number, name: string, isDirectory: boolean): void {
    this.#alter(() => {
      const path = this.#below(directory, name);
      const keep = this.#keepHeld(path);
      if (isDirectory) fs.rmdirSync(path);
      else fs.unlinkSync(path);
      keep();
    });
  }

  /** Node can only replace; programs that ask for another way have one of their own when they hear so. */
  rename(from: Place, to: Place, mode: RenameMode): void {
    this.#alter(() => {
      if (mode !== 'replace') throw new FileFault('EINVAL');
      const source = this.#below(from.directory, from.name);
      const target = this.#below(to.directory, to.name);
      const moved = this.#stat(source);
      const keep = this.#keepHeld(target);
      fs.renameSync(source, target);
      const number = this.#numbers.get(keyOf(moved));
      // Two names of one file stay both.
      if (this.#keyAt(target) === keyOf(moved) && number !== undefined) {
        const node = this.#nodes.get(number)!;
        node.parent = to.directory;
        node.name = to.name;
      }
      keep();
    });
  }

  read(number: number, offset: number, into: Uint8Array): number {
    return this.#do(() => {
      const file = this.#file(number, false);
      let done = 0;
      while (done < into.length) {
        const count = fs.readSync(file, into, done, into.length - done, offset + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    });
  }

  write(number: number, offset: number, from: Uint8Array): void {
    this.#alter(() => {
      const file = this.#file(number, true);
      for (let done = 0; done < from.length;) {
        done += fs.writeSync(file, from, done, from.length - done, offset + done);
      }
    });
  }

  entries(directory: number): readonly DirectoryEntry[] {
    return this.#do(() => {
      const names = fs.readdirSync(pathOf(this.#directory(directory)), { encoding: 'buffer' });
      return names.flatMap((bytes) => {
        const name = bytes.toString('latin1');
        const stat = fs.lstatSync(this.#below(directory, name), {
          bigint: true,
          throwIfNoEntry: false,
        });
        if (!stat) return [];
        return { name, node: this.#found(directory, name, stat), mode: Number(stat.mode) };
      });
    });
  }

  parent(directory: number): number {
    return this.#node(directory).parent;
  }

  flush(number: number): void {
    this.#do(() => {
      const isDirectory = (Number(this.#statOf(number).mode) & MODE_KIND) === MODE_DIRECTORY;
      if (!isDirectory) return fs.fsyncSync(this.#file(number, false));
      const descriptor = fs.openSync(pathOf(this.#directory(number)), O_RDONLY | O_DIRECTORY);
      try {
        fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
    });
  }

  hold(number: number): void {
    const node = this.#node(number);
    if (!node.isHeld && this.#nodes.size - this.#loose.size >= this.#nodesMax) {
      throw new FileFault('ENFILE');
    }
    node.isHeld = true;
    this.#loose.delete(number);
  }

  release(number: number): void {
    const node = this.#nodes.get(number);
    if (!node || number === this.root) return;
    node.isHeld = false;
    this.#drop(number, node);
  }

  statistics(): TreeStatistics {
    return this.#do(() => {
      const { bsize, blocks, bavail, files, ffree } = fs.statfsSync(pathOf(this.#rootDescriptor));
      return { bytes: blocks * bsize, bytesFree: bavail * bsize, nodes: files, nodesFree: ffree };
    });
  }

  /** Node can't read them. */
  extended(): ReadonlyMap<string, Uint8Array> {
    throw new FileFault('ENOSYS');
  }

  setExtended(): void {
    throw new FileFault('ENOSYS');
  }

  [Symbol.dispose](): void {
    for (const [number, node] of this.#nodes) this.#drop(number, node);
    fs.closeSync(this.#rootDescriptor);
  }

  /** One request. What is open beyond the limit is closed before, so that nothing goes while it is in use. */
  #do<T>(request: () => T): T {
    for (const [number] of this.#directories) {
      if (this.#directories.size <= OPEN_MAX) break;
      this.#closeDirectory(number);
    }
    for (const [number] of this.#files) {
      if (this.#files.size <= OPEN_MAX) break;
      this.#closeFile(number);
    }
    try {
      return request();
    } catch (error) {
      throw error instanceof FileFault ? error : new FileFault(faultOf(error));
    }
  }

  #alter<T>(request: () => T): T {
    if (this.#isReadOnly) throw new FileFault('EROFS');
    return this.#do(request);
  }

  #node(number: number): Node {
    const node = this.#nodes.get(number);
    if (!node) throw new FileFault('ENOENT');
    return node;
  }

  /** The node of what was found under a name. */
  #found(parent: number, name: string, stat: fs.BigIntStats): number {
    const key = keyOf(stat);
    const known = this.#numbers.get(key);
    if (known !== undefined) {
      const node = this.#nodes.get(known)!;
      if (known !== this.root && node.orphan === undefined) Object.assign(node, { parent, name });
      return known;
    }
    const number = this.#nextNode++;
    this.#nodes.set(number, { parent, name, key, isHeld: false, orphan: undefined });
    this.#numbers.set(key, number);
    this.#loose.add(number);
    if (this.#loose.size > this.#nodesMax) {
      const [oldest] = this.#loose;
      this.#drop(oldest!, this.#nodes.get(oldest!)!);
    }
    return number;
  }

  #drop(number: number, node: Node): void {
    this.#closeDirectory(number);
    this.#closeFile(number);
    if (node.orphan !== undefined) {
      fs.closeSync(node.orphan);
      this.#orphanCount--;
    }
    this.#nodes.delete(number);
    this.#loose.delete(number);
    if (this.#numbers.get(node.key) === number) this.#numbers.delete(node.key);
  }

  /** @returns what keeps the file that a name is about to be taken from, where the kernel holds it */
  #keepHeld(path: Buffer): () => void {
    const number = this.#numbers.get(this.#keyAt(path) ?? '');
    const node = number === undefined ? undefined : this.#nodes.get(number);
    const canKeep = node?.isHeld && node.orphan === undefined && this.#orphanCount < ORPHANS_MAX;
    if (!canKeep) return () => {};
    const descriptor = fs.openSync(path, O_PATH | O_NOFOLLOW);
    return () => {
      // It may have other names; the one that it is known by decides.
      if (keyOf(fs.fstatSync(descriptor, { bigint: true })) !== node.key || this.#isAt(number!)) {
        fs.closeSync(descriptor);
      } else {
        node.orphan = descriptor;
        this.#orphanCount++;
      }
    };
  }

  #isAt(number: number): boolean {
    try {
      return this.#keyAt(this.#path(number)) === this.#node(number).key;
    } catch {
      // The directory that it was in is not what it was.
      return false;
    }
  }

  #keyAt(path: Buffer): string | undefined {
    const stat = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return stat && keyOf(stat);
  }

  #stat(path: Buffer): fs.BigIntStats {
    return fs.lstatSync(path, { bigint: true });
  }

  /** @throws FileFault `ESTALE` where its name leads to another file now: the kernel looks again */
  #statOf(number: number): fs.BigIntStats {
    const { key, orphan } = this.#node(number);
    if (number === this.root) return fs.fstatSync(this.#rootDescriptor, { bigint: true });
    if (orphan !== undefined) return fs.fstatSync(orphan, { bigint: true });
    const stat = this.#stat(this.#path(number));
    if (keyOf(stat) !== key) throw new FileFault('ESTALE');
    return stat;
  }

  /** A name in a directory; what is there is not followed by who asks so. */
  #below(directory: number, name: string, depth = 0): Buffer {
    return Buffer.concat([pathOf(this.#directory(directory, depth)), SLASH, latin1ToBytes(name)]);
  }

  #path(number: number): Buffer {
    const { parent, name, orphan } = this.#node(number);
    if (orphan !== undefined) return pathOf(orphan);
    return number === this.root ? pathOf(this.#rootDescriptor) : this.#below(parent, name);
  }

  #directory(number: number, depth = 0): number {
    if (number === this.root) return this.#rootDescriptor;
    const open = this.#directories.get(number);
    if (open !== undefined) {
      // The one that was used last is closed last.
      this.#directories.delete(number);
      this.#directories.set(number, open);
      return open;
    }
    if (depth >= DEPTH_MAX) throw new FileFault('ENAMETOOLONG');
    const { parent, name, key, orphan } = this.#node(number);
    const path = orphan === undefined ? this.#below(parent, name, depth + 1) : pathOf(orphan);
    // A link that leads from /proc to a descriptor has to be followed.
    const flags = O_PATH | O_DIRECTORY | (orphan === undefined ? O_NOFOLLOW : 0);
    const descriptor = this.#opened(path, flags, key);
    this.#directories.set(number, descriptor);
    return descriptor;
  }

  /** Regular files only: opening others may wait for ever, or do something. */
  #file(number: number, canWrite: boolean): number {
    const open = this.#files.get(number);
    if (open && (open.canWrite || !canWrite)) {
      this.#files.delete(number);
      this.#files.set(number, open);
      return open.descriptor;
    }
    const kind = Number(this.#statOf(number).mode) & MODE_KIND;
    if (kind === MODE_DIRECTORY) throw new FileFault('EISDIR');
    if (kind !== MODE_FILE) throw new FileFault('EINVAL');
    const flags = (canWrite ? O_RDWR : O_RDONLY) | O_NONBLOCK;
    const descriptor = this.#exact(number, (path) => fs.openSync(path, flags));
    this.#closeFile(number);
    this.#files.set(number, { descriptor, canWrite });
    return descriptor;
  }

  /** Uses a path that leads to the very file, whatever its name leads to now. */
  #exact<T>(number: number, use: (path: Buffer) => T): T {
    const { key, orphan } = this.#node(number);
    if (number === this.root) return use(pathOf(this.#rootDescriptor));
    if (orphan !== undefined) return use(pathOf(orphan));
    const descriptor = this.#opened(this.#path(number), O_PATH | O_NOFOLLOW, key);
    try {
      return use(pathOf(descriptor));
    } finally {
      fs.closeSync(descriptor);
    }
  }

  /** As `exact`, but by its name for a symbolic link, which is not followed. */
  #through(number: number, stat: fs.BigIntStats, use: (path: Buffer) => void): void {
    if (isLink(stat)) use(this.#path(number));
    else this.#exact(number, use);
  }

  #opened(path: Buffer, flags: number, key: string): number {
    const descriptor = fs.openSync(path, flags);
    if (keyOf(fs.fstatSync(descriptor, { bigint: true })) === key) return descriptor;
    fs.closeSync(descriptor);
    throw new FileFault('ESTALE');
  }

  #closeDirectory(number: number): void {
    const descriptor = this.#directories.get(number);
    if (descriptor !== undefined) fs.closeSync(descriptor);
    this.#directories.delete(number);
  }

  #closeFile(number: number): void {
    const file = this.#files.get(number);
    if (file) fs.closeSync(file.descriptor);
    this.#files.delete(number);
  }
}

const SLASH = Buffer.from('/');

function pathOf(descriptor: number): Buffer {
  return Buffer.from(`/proc/self/fd/${descriptor}`);
}

function keyOf({ dev, ino }: fs.BigIntStats): string {
  return `${dev}:${ino}`;
}

function isLink({ mode }: fs.BigIntStats): boolean {
  return (Number(mode) & MODE_KIND) === MODE_LINK;
}

function faultOf(error: unknown): FaultName {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'EMFILE') return 'ENFILE';
  return Object.hasOwn(faultNumbers, code) ? (code as FaultName) : 'EIO';
}
