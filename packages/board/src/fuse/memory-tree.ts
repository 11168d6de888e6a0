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
} from './file-tree.ts';

interface Node {
  mode: number;
  /** Names that lead here; a directory has one, and its own `.` and its children's `..` beside. */
  links: number;
  userId: number;
  groupId: number;
  readonly device: number;
  accessedNs: bigint;
  modifiedNs: bigint;
  changedNs: bigint;
  /** Of a file: `size` bytes of an array that is as long or longer. Of a link: its target. */
  bytes: Uint8Array;
  /** Whether somebody else has the array, too: it is copied before it changes. */
  isShared: boolean;
  size: number;
  /** Of a directory. */
  readonly children: Map<string, number> | undefined;
  parent: number;
  readonly extended: Map<string, Uint8Array>;
  isHeld: boolean;
}

export interface MemoryTreeOptions {
  /** The time, in nanoseconds since 1970. */
  readonly now: () => bigint;
  /** Bytes of all files together; default 256 MiB. */
  readonly bytesMax?: number;
  /** Files, directories and links; default 2^20. */
  readonly nodesMax?: number;
}

/** Bytes of the extended attributes of one node, as Linux's own limit for a list. */
export const EXTENDED_BYTES_MAX = 65_536;

/** Files in memory. Forks share the contents of files until one of them writes. */
export class MemoryTree implements FileTree {
  readonly root = 1;
  readonly isChangedByOthers = false;
  readonly #options: MemoryTreeOptions;
  readonly #now: () => bigint;
  readonly #bytesMax: number;
  readonly #nodesMax: number;
  readonly #nodes = new Map<number, Node>();
  #nextNode = 1;
  #bytes = 0;
  #isReadOnly = false;

  constructor(options: MemoryTreeOptions) {
    const { now, bytesMax = 2 ** 28, nodesMax = 2 ** 20 } = options;
    this.#options = options;
    this.#now = now;
    this.#bytesMax = bytesMax;
    this.#nodesMax = nodesMax;
    const root = this.#add({ mode: MODE_DIRECTORY | 0o755, userId: 0, groupId: 0 }, 1);
    this.#nodes.get(root)!.links = 1;
  }

  /** A tree of its own that begins as this one is, in time that goes with the number of nodes. */
  fork(): MemoryTree {
    const fork = new MemoryTree(this.#options);
    for (const [number, node] of this.#nodes) {
      node.isShared = true;
      const { children, extended } = node;
      const own = { children: children && new Map(children), extended: new Map(extended) };
      fork.#nodes.set(number, { ...node, ...own });
    }
    fork.#nextNode = this.#nextNode;
    fork.#bytes = this.#bytes;
    fork.#isReadOnly = this.#isReadOnly;
    return fork;
  }

  /** From now on nothing changes. */
  seal(): void {
    this.#isReadOnly = true;
  }

  lookup(directory: number, name: string): number {
    const node = this.#children(directory).get(name);
    if (node === undefined) throw new FileFault('ENOENT');
    return node;
  }

  attributes(number: number): Attributes {
    const node = this.#node(number);
    const { mode, userId, groupId, device, size, accessedNs, modifiedNs, changedNs } = node;
    const links = node.links + (node.children ? 1 + this.#subdirectories(node.children) : 0);
    return { mode, links, userId, groupId, device, size, accessedNs, modifiedNs, changedNs };
  }

  change(number: number, change: AttributeChange): void {
    const node = this.#writable(number);
    const now = this.#now();
    if (change.size !== undefined) this.#resize(node, change.size);
    if (change.mode !== undefined) {
      node.mode = (node.mode & MODE_KIND) | (change.mode & MODE_PERMISSIONS);
    }
    node.userId = change.userId ?? node.userId;
    node.groupId = change.groupId ?? node.groupId;
    const time = (value: bigint | 'now' | undefined, old: bigint): bigint =>
      value === 'now' ? now : (value ?? old);
    node.accessedNs = time(change.accessedNs, node.accessedNs);
    node.modifiedNs = time(change.modifiedNs, node.modifiedNs);
    node.changedNs = now;
  }

  target(number: number): Uint8Array {
    const node = this.#node(number);
    if ((node.mode & MODE_KIND) !== MODE_LINK) throw new FileFault('EINVAL');
    return node.bytes;
  }

  create(directory: number, name: string, what: NewNode): number {
    const parent = this.#writable(directory);
    const children = this.#children(directory);
    if (children.has(name)) throw new FileFault('EEXIST');
    if (parent.links === 0) throw new FileFault('ENOENT');
    if (this.#nodes.size >= this.#nodesMax) throw new FileFault('ENOSPC');
    const isFile = (what.mode & MODE_KIND) === MODE_FILE;
    const fileBytes = isFile ? (what.content?.length ?? 0) : 0;
    if (this.#bytes + fileBytes > this.#bytesMax) throw new FileFault('ENOSPC');
    this.#bytes += fileBytes;
    const number = this.#add(what, directory);
    children.set(name, number);
    this.#nodes.get(number)!.links = 1;
    this.#touch(parent);
    return number;
  }

  link(number: number, directory: number, name: string): void {
    const node = this.#writable(number);
    const children = this.#children(directory);
    if (node.children) throw new FileFault('EISDIR');
    if (children.has(name)) throw new FileFault('EEXIST');
    children.set(name, number);
    node.links++;
    node.changedNs = this.#now();
    this.#touch(this.#node(directory));
  }

  remove(directory: number, name: string, isDirectory: boolean): void {
    const parent = this.#writable(directory);
    const number = this.lookup(directory, name);
    this.#checkKind(this.#node(number), isDirectory);
    this.#children(directory).delete(name);
    this.#unlink(number);
    this.#touch(parent);
  }

  rename(from: Place, to: Place, mode: RenameMode): void {
    this.#writable(from.directory);
    const source = this.#children(from.directory);
    const target = this.#children(to.directory);
    const moved = this.lookup(from.directory, from.name);
    const replaced = target.get(to.name);
    if (mode === 'exchange' && replaced === undefined) throw new FileFault('ENOENT');
    if (mode === 'new' && replaced !== undefined) throw new FileFault('EEXIST');
    this.#checkCircle(moved, to.directory);
    if (mode === 'exchange') {
      this.#checkCircle(replaced!, from.directory);
      source.set(from.name, replaced!);
      this.#node(replaced!).parent = from.directory;
    } else {
      if (moved === replaced) return;
      if (replaced !== undefined) {
        this.#checkKind(this.#node(replaced), this.#node(moved).children !== undefined);
        this.#unlink(replaced);
      }
      source.delete(from.name);
    }
    target.set(to.name, moved);
    this.#node(moved).parent = to.directory;
    this.#touch(this.#node(from.directory));
    this.#touch(this.#node(to.directory));
  }

  read(number: number, offset: number, into: Uint8Array): number {
    const node = this.#file(number);
    const count = Math.max(0, Math.min(into.length, node.size - offset));
    if (count > 0) into.set(node.bytes.subarray(offset, offset + count));
    return count;
  }

  write(number: number, offset: number, from: Uint8Array): void {
    const node = this.#file(number);
    this.#writable(number);
    if (from.length === 0) return;
    const end = offset + from.length;
    if (end > node.size) this.#resize(node, end);
    this.#own(node);
    node.bytes.set(from, offset);
    node.modifiedNs = node.changedNs = this.#now();
  }

  entries(directory: number): readonly DirectoryEntry[] {
    return Array.from(this.#children(directory), ([name, node]) => ({
      name,
      node,
      mode: this.#node(node).mode,
    }));
  }

  parent(directory: number): number {
    return this.#node(directory).parent;
  }

  /** Memory does not outlive anything. */
  flush(): void {}

  hold(number: number): void {
    this.#node(number).isHeld = true;
  }

  release(number: number): void {
    const node = this.#nodes.get(number);
    if (!node) return;
    node.isHeld = false;
    this.#dropUnnamed(number, node);
  }

  statistics(): TreeStatistics {
    return {
      bytes: this.#bytesMax,
      bytesFree: this.#bytesMax - this.#bytes,
      nodes: this.#nodesMax,
      nodesFree: this.#nodesMax - this.#nodes.size,
    };
  }

  extended(number: number): ReadonlyMap<string, Uint8Array> {
    return this.#node(number).extended;
  }

  setExtended(number: number, name: string, value: Uint8Array | undefined): void {
    const { extended } = this.#writable(number);
    if (value === undefined) {
      extended.delete(name);
      return;
    }
    let total = name.length + value.length;
    for (const [other, { length }] of extended) if (other !== name) total += other.length + length;
    if (total > EXTENDED_BYTES_MAX) throw new FileFault('ENOSPC');
    extended.set(name, value);
  }

  #add(what: NewNode, parent: number): number {
    const { mode, userId, groupId, device = 0, content = new Uint8Array(0) } = what;
    const now = this.#now();
    const number = this.#nextNode++;
    this.#nodes.set(number, {
      mode,
      links: 0,
      userId,
      groupId,
      device,
      accessedNs: now,
      modifiedNs: now,
      changedNs: now,
      bytes: content,
      isShared: true,
      size: content.length,
      children: (mode & MODE_KIND) === MODE_DIRECTORY ? new Map() : undefined,
      parent,
      extended: new Map(),
      isHeld: false,
    });
    return number;
  }

  #node(number: number): Node {
    const node = this.#nodes.get(number);
    if (!node) throw new FileFault('ENOENT');
    return node;
  }

  #writable(number: number): Node {
    if (this.#isReadOnly) throw new FileFault('EROFS');
    return this.#node(number);
  }

  #children(number: number): Map<string, number> {
    const { children } = this.#node(number);
    if (!children) throw new FileFault('ENOTDIR');
    return children;
  }

  #file(number: number): Node {
    const node = this.#node(number);
    if (node.children) throw new FileFault('EISDIR');
    if ((node.mode & MODE_KIND) !== MODE_FILE) throw new FileFault('EINVAL');
    return node;
  }

  #resize(node: Node, size: number): void {
    if ((node.mode & MODE_KIND) !== MODE_FILE) throw new FileFault('EINVAL');
    if (this.#bytes + size - node.size > this.#bytesMax) throw new FileFault('ENOSPC');
    this.#bytes += size - node.size;
    if (size > node.bytes.length) {
      // Files grow by appending: a factor keeps that linear.
      const grown = new Uint8Array(Math.min(Math.max(size, 2 * node.bytes.length), this.#bytesMax));
      grown.set(node.bytes.subarray(0, node.size));
      node.bytes = grown;
      node.isShared = false;
    } else {
      this.#own(node);
      node.bytes.fill(0, Math.min(size, node.size), node.size);
    }
    node.size = size;
    node.modifiedNs = node.changedNs = this.#now();
  }

  /** Makes the array one that nobody else has. */
  #own(node: Node): void {
    if (node.isShared) node.bytes = node.bytes.slice();
    node.isShared = false;
  }

  #checkKind(node: Node, isDirectory: boolean): void {
    if (isDirectory && !node.children) throw new FileFault('ENOTDIR');
    if (!isDirectory && node.children) throw new FileFault('EISDIR');
    if (node.children && node.children.size > 0) throw new FileFault('ENOTEMPTY');
  }

  /** A directory does not move into itself. */
  #checkCircle(moved: number, directory: number): void {
    for (let at = directory; ; at = this.#node(at).parent) {
      if (at === moved) throw new FileFault('EINVAL');
      if (at === this.root) return;
    }
  }

  #unlink(number: number): void {
    const node = this.#node(number);
    node.links--;
    node.changedNs = this.#now();
    this.#dropUnnamed(number, node);
  }

  #dropUnnamed(number: number, node: Node): void {
    if (node.isHeld || node.links > 0) return;
    if ((node.mode & MODE_KIND) === MODE_FILE) this.#bytes -= node.size;
    this.#nodes.delete(number);
  }

  #subdirectories(children: ReadonlyMap<string, number>): number {
    let count = 0;
    for (const child of children.values()) if (this.#node(child).children) count++;
    return count;
  }

  #touch(directory: Node): void {
    directory.modifiedNs = directory.changedNs = this.#now();
  }
}
