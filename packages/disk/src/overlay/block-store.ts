import { assert } from '@polyvisor/errors/assert';
import { equalBytes } from '@polyvisor/bytes/bytes';
import { HostError } from '@polyvisor/errors/host-error';
import { diskFault } from '../block-device.ts';
import type { BlockDevice } from '../block-device.ts';
import { contentHash } from '../content-hash.ts';
import type { FileDoor } from '../file-door.ts';
import { BlockMap, FIRST_SLOT, ZERO, levelsFor } from './block-map.ts';
import { encodeChanges } from './changes.ts';
import type { Change } from './changes.ts';
import { Journal } from './journal.ts';
import { Overlay } from './overlay.ts';
import { checkpoint, restore } from './restore.ts';
import type { StoredDisk } from './restore.ts';
import { Slots } from './slots.ts';
import { WaitingRoom } from './waiting-room.ts';

/** The files of a store. Nobody else may have them open for writing. */
export interface StoreFiles {
  /** Slots of one block each. */
  readonly data: FileDoor;
  readonly journals: readonly [FileDoor, FileDoor];
}

export interface StoreOptions {
  /** Bytes of a block, a power of two from 512 to 65536, for a new store; one that is there keeps its own. */
  readonly blockBytes?: number;
  /** Written blocks that wait for a flush take at most so much memory, over all overlays. Default: 16 MiB. */
  readonly waitingBytesMax?: number;
  /** Most bytes of the data file. Default: no limit. */
  readonly dataBytesMax?: number;
  /** Most overlays. Default: 4096. */
  readonly disksMax?: number;
  /** The journal begins anew when it has so many bytes, and twice what it began with. Default: 4 MiB. */
  readonly journalBytesMin?: number;
}

export interface OverlayOptions {
  /** Size of the disk. Default: of the base. */
  readonly bytes?: number;
  /** Most bytes of blocks that differ from the base, zeros apart. Default: no limit. */
  readonly quotaBytes?: number;
  readonly base?: Base;
}

/** A disk that overlays are over. It must never change. */
export interface Base {
  /** What it is, say its digest; the store remembers it and refuses another. 1 to 200 characters. */
  readonly name: string;
  readonly device: BlockDevice;
}

export interface DiskInfo {
  readonly name: string;
  readonly bytes: number;
  readonly quotaBytes: number;
  readonly heldBytes: number;
  readonly baseName: string | undefined;
}

/**
 * Overlays by name, whose blocks are kept by their content: equal blocks, of one disk or many, take room once. A
 * fork shares everything with its origin. What a flush acknowledged outlives a crash at any moment: blocks go to
 * slots that nothing durable names, and are synced, before the journal names them, and is synced.
 *
 * After a failed sync nobody knows what is on the disk, so the store refuses everything until it is opened again.
 */
export class BlockStore implements Disposable {
  readonly #files: StoreFiles;
  readonly #limits: Required<StoreOptions>;
  readonly #journal: Journal;
  readonly #slots: Slots;
  readonly #room: WaitingRoom;
  readonly #disks: Map<string, StoredDisk>;
  readonly #overlays = new Map<string, Overlay>();
  #nextId: number;
  #waitingCount = 0;
  /** Bytes of the journal when it last began anew. */
  #journalStartBytes: number;
  #isClosed = false;
  /** Whether a sync of the data failed. */
  #isBroken = false;

  /**
   * Opens the store in the files; makes one where they are empty.
   * @throws HostError `disk-store-damaged`
   */
  static open(files: StoreFiles, options: StoreOptions = {}): BlockStore {
    const limits = { ...DEFAULTS, ...options };
    if (!isBlockSize(limits.blockBytes)) {
      throw new HostError('disk-option', `blocks of ${limits.blockBytes} bytes`);
    }
    let journal = Journal.open(files.journals);
    if (!journal) {
      // Before the first commit there is no data, so this is a new store, or one whose making was cut short.
      if (files.data.bytes > 0) {
        throw new HostError('disk-store-damaged', 'neither journal of the block store is whole');
      }
      journal = Journal.create(files.journals, limits.blockBytes);
    }
    if (!isBlockSize(journal.blockBytes)) {
      throw new HostError('disk-store-damaged', `blocks of ${journal.blockBytes} bytes`);
    }
    return new BlockStore(files, limits, journal);
  }

  private constructor(files: StoreFiles, limits: Required<StoreOptions>, journal: Journal) {
    this.#files = files;
    this.#limits = limits;
    this.#journal = journal;
    this.#slots = new Slots();
    this.#room = new WaitingRoom(limits.waitingBytesMax);
    const { disks, nextId } = restore(journal, this.#slots);
    this.#disks = disks;
    this.#nextId = nextId;
    this.#journalStartBytes = journal.bytes;
  }

  get blockBytes(): number {
    return this.#journal.blockBytes;
  }

  /** Bytes of slots in use. */
  get dataBytes(): number {
    return this.#slots.usedCount * this.blockBytes;
  }

  /** About how many bytes of memory it takes: what waits, the maps, and what is known of each slot. */
  get memoryBytes(): number {
    const { nodeCount, end } = this.#slots;
    return this.#waitingCount * this.blockBytes + nodeCount * NODE_BYTES + end * SLOT_BYTES;
  }

  list(): DiskInfo[] {
    return [...this.#disks.values()].map(({ name, bytes, quotaBytes, baseName, map }) => ({
      name,
      bytes,
      quotaBytes,
      heldBytes: this.#overlays.get(name)?.heldBytes ?? map.heldCount * this.blockBytes,
      baseName: baseName === '' ? undefined : baseName,
    }));
  }

  /** @throws HostError `disk-exists`, `disk-option`, `disk-quota`, `disk-failed` */
  create(name: string, options: OverlayOptions): Overlay {
    const { base, quotaBytes = Infinity, bytes = base?.device.bytes ?? 0 } = options;
    this.#checkNew(name, quotaBytes);
    const blockCount = Math.ceil(bytes / this.blockBytes);
    if (!Number.isSafeInteger(bytes) || bytes < 0 || blockCount > BLOCKS_MAX) {
      throw new HostError('disk-option', `disk ${name}: a size of ${bytes} bytes`);
    }
    if (base && (base.name === '' || base.name.length > BASE_NAME_MAX)) {
      throw new HostError('disk-option', `disk ${name}: a base needs a name`);
    }
    const disk = this.#nextId++;
    const baseName = base?.name ?? '';
    this.#record([{ kind: 'create', disk, name, bytes, quotaBytes, base: baseName }]);
    const map = new BlockMap(levelsFor(blockCount), this.#slots);
    this.#disks.set(name, { id: disk, name, bytes, quotaBytes, baseName, map });
    return this.open(name, base);
  }

  /**
   * The overlay with this name; the same one each time.
   * @throws HostError `disk-unknown`, `disk-base` when it is over another base
   */
  open(name: string, base?: Base): Overlay {
    const disk = this.#find(name);
    const opened = this.#overlays.get(name);
    if (disk.baseName !== (base?.name ?? '')) {
      throw new HostError(
        'disk-base',
        `disk ${name} is over ${disk.baseName || 'no base'}, not ${base?.name ?? 'none'}`,
      );
    }
    if (opened) return opened;
    const overlay = new Overlay({
      ...disk,
      base: base?.device,
      blockBytes: this.blockBytes,
      data: this.#files.data,
      room: this.#room,
      commit: () => this.flush(),
      waiting: (count) => this.#wait(count),
    });
    this.#overlays.set(name, overlay);
    return overlay;
  }

  /**
   * A new overlay that has what `from` has now, and goes its own way. Takes as long as a flush of what waits.
   * @throws HostError `disk-unknown`, `disk-exists`, `disk-option`, `disk-quota`, `disk-failed`
   */
  fork(from: string, name: string, options: Pick<OverlayOptions, 'quotaBytes'> = {}): void {
    const origin = this.#find(from);
    const { quotaBytes = origin.quotaBytes } = options;
    this.#checkNew(name, quotaBytes);
    this.flush();
    const id = this.#nextId++;
    this.#record([{ kind: 'fork', from: origin.id, disk: id, name, quotaBytes }]);
    this.#disks.set(name, { ...origin, id, name, quotaBytes, map: origin.map.fork() });
  }

  /**
   * Each disk named first has from now on what the second has; all of them or, after a crash, none. What they had is
   * gone, and overlays of them that were open fail: open them again.
   * @throws HostError `disk-unknown`, `disk-failed`
   */
  revert(pairs: readonly (readonly [name: string, from: string])[]): void {
    const changes: Change[] = [];
    const reverted: StoredDisk[] = [];
    for (const [name, from] of pairs) {
      const { id: before, quotaBytes } = this.#find(name);
      const origin = this.#find(from);
      assert(!this.#overlays.get(from)?.dirty.size, 'what disks go back to is not written to');
      const id = this.#nextId++;
      changes.push({ kind: 'fork', from: origin.id, disk: id, name, quotaBytes });
      changes.push({ kind: 'remove', disk: before });
      reverted.push({ ...origin, id, name, quotaBytes });
    }
    this.#record(changes);
    for (const [index, disk] of reverted.entries()) {
      const from = this.#find(pairs[index]![1]);
      const before = this.#forget(disk.name);
      this.#disks.set(disk.name, { ...disk, map: from.map.fork() });
      before.drop();
    }
    this.#slots.settle();
  }

  /** Requests to it fail from now on. @throws HostError `disk-unknown`, `disk-failed` */
  remove(name: string): void {
    this.#record([{ kind: 'remove', disk: this.#find(name).id }]);
    this.#forget(name).drop();
    this.#slots.settle();
  }

  /**
   * Makes everything durable that any of the overlays has.
   * @throws HostError `disk-quota`, `disk-failed`; what was written waits on
   */
  flush(): void {
    this.#checkWhole();
    const dirty = [...this.#overlays.values()].filter((overlay) => overlay.dirty.size > 0);
    if (dirty.length === 0) return;
    const changes: Change[] = [];
    try {
      for (const overlay of dirty) this.#store(overlay, changes);
      this.#syncData();
      this.#record(changes);
    } catch (error) {
      // Slots that were added have no name in a map yet, so this frees them.
      this.#slots.settle();
      throw error;
    }
    const maps = new Map(dirty.map(({ parts }) => [parts.id, parts.map]));
    for (const change of changes) {
      if (change.kind === 'set') maps.get(change.disk)!.set(change.block, change.value);
    }
    for (const overlay of dirty) overlay.committed();
    this.#waitingCount = 0;
    this.#room.clear();
    this.#slots.settle();
  }

  /** Compares all blocks with their hashes. @returns names of the disks with blocks that are not what was written */
  verify(): string[] {
    const damaged = new Set<number>();
    const content = new Uint8Array(this.blockBytes);
    for (let slot = 0; slot < this.#slots.end; slot++) {
      if (!this.#slots.isUsed(slot)) continue;
      this.#files.data.read(slot * this.blockBytes, content);
      if (!equalBytes(contentHash(content), this.#slots.hashOf(slot))) damaged.add(slot);
    }
    if (damaged.size === 0) return [];
    const hasDamage = ({ map, bytes }: StoredDisk): boolean =>
      map.held(0, Math.ceil(bytes / this.blockBytes)).some((block) => {
        return damaged.has(map.get(block) - FIRST_SLOT);
      });
    return [...this.#disks.values()].filter(hasDamage).map(({ name }) => name);
  }

  /** Flushes, and closes the files. Once is enough. */
  close(): void {
    if (this.#isClosed) return;
    try {
      if (!this.#isBroken && !this.#journal.isBroken) this.flush();
    } finally {
      this.#isClosed = true;
      for (const file of [this.#files.data, ...this.#files.journals]) file.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @returns the map of a disk that is one no more */
  #forget(name: string): BlockMap {
    const { map } = this.#find(name);
    const overlay = this.#overlays.get(name);
    this.#waitingCount -= overlay?.dirty.size ?? 0;
    overlay?.removed();
    this.#overlays.delete(name);
    this.#disks.delete(name);
    return map;
  }

  /** Puts what waits in an overlay into slots, and adds what the journal is to say about it. */
  #store(overlay: Overlay, changes: Change[]): void {
    const fresh: Uint8Array[] = [];
    let first = 0;
    const writeOut = (): void => {
      if (fresh.length > 0) this.#writeSlots(first, fresh);
      fresh.length = 0;
    };
    for (const [block, content] of [...overlay.dirty].toSorted(([a], [b]) => a - b)) {
      let value = ZERO;
      if (content !== overlay.zeros && !isZeros(content)) {
        const hash = contentHash(content);
        const found = this.#slots.find(hash);
        const slot = found ?? this.#add(hash);
        if (found === undefined) {
          changes.push({ kind: 'slot', slot, hash });
          if (slot !== first + fresh.length || fresh.length === RUN_BLOCKS_MAX) writeOut();
          if (fresh.length === 0) first = slot;
          fresh.push(content);
        }
        value = slot + FIRST_SLOT;
      }
      changes.push({ kind: 'set', disk: overlay.parts.id, block, value });
    }
    writeOut();
  }

  #add(hash: Uint8Array): number {
    const slot = this.#slots.add(hash);
    const { dataBytesMax } = this.#limits;
    if ((slot + 1) * this.blockBytes > dataBytesMax || slot >= SLOTS_MAX) {
      throw diskFault('disk-quota', `the block store has ${this.dataBytes} bytes, and no more`);
    }
    return slot;
  }

  /** Writes blocks to slots that lie one after the other. */
  #writeSlots(first: number, blocks: readonly Uint8Array[]): void {
    const { blockBytes } = this;
    this.#files.data.write(first * blockBytes, inOnePiece(blocks, blockBytes));
  }

  #record(changes: readonly Change[]): void {
    this.#checkWhole();
    const limit = Math.max(this.#limits.journalBytesMin, 2 * this.#journalStartBytes);
    if (this.#journal.bytes > limit) {
      this.#journal.restart(checkpoint(this.#disks.values(), this.#slots));
      this.#journalStartBytes = this.#journal.bytes;
    }
    this.#journal.append(encodeChanges(changes));
    this.#journal.sync();
  }

  #syncData(): void {
    try {
      this.#files.data.sync();
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
  }

  #wait(count: number): void {
    this.#waitingCount += count;
    // Asked for with 0 when a request is done, so that all of a write is in one commit.
    const bytes = this.#waitingCount * this.blockBytes;
    if (count === 0 && bytes > this.#limits.waitingBytesMax) this.flush();
  }

  #find(name: string): StoredDisk {
    const disk = this.#disks.get(name);
    if (!disk) throw new HostError('disk-unknown', `there is no disk ${name}`);
    return disk;
  }

  #checkNew(name: string, quotaBytes: number): void {
    if (!NAME.test(name)) {
      throw new HostError(
        'disk-option',
        `'${name}' is no name of a disk`,
        'letters, digits, "." "_" "-" ":", 128 at most',
      );
    }
    if (!(quotaBytes >= 0)) throw new HostError('disk-option', `a quota of ${quotaBytes} bytes`);
    if (this.#disks.has(name)) throw new HostError('disk-exists', `there is a disk ${name}`);
    if (this.#disks.size >= this.#limits.disksMax) {
      throw new HostError('disk-option', `the store has ${this.#disks.size} disks, and no more`);
    }
  }

  #checkWhole(): void {
    if (this.#isClosed || this.#isBroken || this.#journal.isBroken) {
      throw diskFault('disk-failed', 'the block store failed or was closed');
    }
  }
}

const DEFAULTS: Required<StoreOptions> = {
  blockBytes: 4096,
  waitingBytesMax: 16 * 1024 * 1024,
  dataBytesMax: Infinity,
  disksMax: 4096,
  journalBytesMin: 4 * 1024 * 1024,
};
const NAME = /^[\w.:-]{1,128}$/;
const BASE_NAME_MAX = 200;
/** 512 entries of 4 bytes, and their object. */
const NODE_BYTES = 2200;
/** A hash, a count, and two links. */
const SLOT_BYTES = 44;
/** Numbers of blocks and slots are 32 bits in the journal: 16 TiB in blocks of 4 KiB. */
const BLOCKS_MAX = 2 ** 32;
const SLOTS_MAX = 2 ** 32 - FIRST_SLOT;
/** Most blocks in one write to the data file. */
const RUN_BLOCKS_MAX = 256;

function isBlockSize(bytes: number): boolean {
  return bytes >= 512 && bytes <= 65_536 && (bytes & (bytes - 1)) === 0;
}

/** Blocks that were written at once are so already. */
function inOnePiece(blocks: readonly Uint8Array[], blockBytes: number): Uint8Array {
  const { buffer, byteOffset } = blocks[0]!;
  const isSo = blocks.every(
    (each, index) => each.buffer === buffer && each.byteOffset === byteOffset + index * blockBytes,
  );
  if (isSo) return new Uint8Array(buffer, byteOffset, blocks.length * blockBytes);
  const piece = new Uint8Array(blocks.length * blockBytes);
  for (const [index, each] of blocks.entries()) piece.set(each, index * blockBytes);
  return piece;
}

function isZeros(content: Uint8Array): boolean {
  const words = new Uint32Array(content.buffer, content.byteOffset, content.length / 4);
  for (let at = 0; at < words.length; at++) if (words[at] !== 0) return false;
  return true;
}
