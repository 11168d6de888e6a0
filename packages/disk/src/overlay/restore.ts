import { HostError } from '@polyvisor/errors/host-error';
import { BlockMap, FIRST_SLOT, levelsFor } from './block-map.ts';
import type { MapNode } from './block-map.ts';
import { decodeChanges, encodeChanges } from './changes.ts';
import type { Change } from './changes.ts';
import type { Journal } from './journal.ts';
import type { Slots } from './slots.ts';

export interface StoredDisk {
  readonly id: number;
  readonly name: string;
  readonly bytes: number;
  readonly quotaBytes: number;
  readonly baseName: string;
  readonly map: BlockMap;
}

export interface Restored {
  readonly disks: Map<string, StoredDisk>;
  readonly nextId: number;
}

/** Changes in one record of a checkpoint: leaves have 2 KiB each. */
const RECORD_CHANGES_MAX = 512;

/** What a journal says is there. @throws HostError `disk-store-damaged` when it contradicts itself */
export function restore(journal: Journal, slots: Slots): Restored {
  const reader = new Reader(journal.blockBytes, slots);
  try {
    for (const payload of journal.replay()) {
      for (const change of decodeChanges(payload)) reader.apply(change);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new HostError('disk-store-damaged', `the journal: ${error.message}`, undefined, {
      cause: error,
    });
  }
  slots.restored();
  const disks = new Map([...reader.disks.values()].map((disk) => [disk.name, disk]));
  return { disks, nextId: reader.nextId };
}

class Reader {
  readonly disks = new Map<number, StoredDisk>();
  nextId = 0;
  readonly #blockBytes: number;
  readonly #slots: Slots;
  readonly #nodes: MapNode[] = [];

  constructor(blockBytes: number, slots: Slots) {
    this.#blockBytes = blockBytes;
    this.#slots = slots;
  }

  apply(change: Change): void {
    switch (change.kind) {
      case 'slot':
        this.#slots.restore(change.slot, change.hash);
        return;
      case 'create':
        this.#add({
          id: change.disk,
          name: change.name,
          bytes: change.bytes,
          quotaBytes: change.quotaBytes,
          baseName: change.base,
          map: new BlockMap(levelsFor(Math.ceil(change.bytes / this.#blockBytes)), this.#slots),
        });
        return;
      case 'fork': {
        const from = this.#disk(change.from);
        const { disk: id, name, quotaBytes } = change;
        this.#add({ ...from, id, name, quotaBytes, map: from.map.fork() });
        return;
      }
      case 'remove':
        this.#disk(change.disk).map.drop();
        this.disks.delete(change.disk);
        return;
      case 'set': {
        const disk = this.#disk(change.disk);
        const isInside = change.block * this.#blockBytes < disk.bytes;
        if (!isInside || !this.#isValue(change.value)) throw new RangeError('a block of no disk');
        disk.map.set(change.block, change.value);
        return;
      }
      case 'leaf':
        for (const value of change.entries) {
          if (!this.#isValue(value)) throw new RangeError('a slot that was not handed out');
          if (value >= FIRST_SLOT) this.#slots.retain(value - FIRST_SLOT);
        }
        this.#slots.nodeCount++;
        this.#nodes[change.node] = { references: 0, values: change.entries };
        return;
      case 'inner': {
        const kids = Array.from(change.entries, (number) => {
          return number === 0 ? undefined : this.#node(number);
        });
        for (const kid of kids) if (kid) kid.references++;
        this.#slots.nodeCount++;
        this.#nodes[change.node] = { references: 0, kids };
        return;
      }
      case 'root': {
        const disk = this.#disk(change.disk);
        const map = new BlockMap(disk.map.levels, this.#slots, this.#node(change.node));
        this.disks.set(change.disk, { ...disk, map });
        return;
      }
      default:
        change satisfies never;
    }
  }

  #add(disk: StoredDisk): void {
    this.disks.set(disk.id, disk);
    this.nextId = Math.max(this.nextId, disk.id + 1);
  }

  #disk(id: number): StoredDisk {
    const disk = this.disks.get(id);
    if (!disk) throw new RangeError('a disk that was not made');
    return disk;
  }

  #node(number: number): MapNode {
    const node = this.#nodes[number];
    if (!node) throw new RangeError('a node that was not written');
    return node;
  }

  #isValue(value: number): boolean {
    return value < FIRST_SLOT || value - FIRST_SLOT < this.#slots.end;
  }
}

/** All that is there as payloads of a new journal. Nodes that maps share are written once. */
export function* checkpoint(disks: Iterable<StoredDisk>, slots: Slots): Generator<Uint8Array> {
  let changes: Change[] = [];
  for (const change of state(disks, slots)) {
    changes.push(change);
    if (changes.length < RECORD_CHANGES_MAX) continue;
    yield encodeChanges(changes);
    changes = [];
  }
  if (changes.length > 0) yield encodeChanges(changes);
}

function* state(disks: Iterable<StoredDisk>, slots: Slots): Generator<Change> {
  for (let slot = 0; slot < slots.end; slot++) {
    if (slots.isUsed(slot)) yield { kind: 'slot', slot, hash: slots.hashOf(slot) };
  }
  /** 0 stands for no node. */
  const numbers = new Map<MapNode, number>();
  for (const { id, name, bytes, quotaBytes, baseName, map } of disks) {
    yield { kind: 'create', disk: id, name, bytes, quotaBytes, base: baseName };
    if (!map.root) continue;
    yield* writeNode(map.root, numbers);
    yield { kind: 'root', disk: id, node: numbers.get(map.root)! };
  }
}

/** Kids come first. */
function* writeNode(node: MapNode, numbers: Map<MapNode, number>): Generator<Change> {
  if (numbers.has(node)) return;
  if ('kids' in node) for (const kid of node.kids) if (kid) yield* writeNode(kid, numbers);
  const number = numbers.size + 1;
  numbers.set(node, number);
  if ('values' in node) yield { kind: 'leaf', node: number, entries: node.values };
  else {
    const entries = Uint32Array.from(node.kids, (kid) => (kid ? numbers.get(kid)! : 0));
    yield { kind: 'inner', node: number, entries };
  }
}
