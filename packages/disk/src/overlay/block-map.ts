import { assert } from '@polyvisor/errors/assert';
import type { Slots } from './slots.ts';

/** Entries of a node. */
export const FAN_OUT = 512;
/** The overlay says nothing about the block: it is what the base has. */
export const ABSENT = 0;
/** The block is zeros. */
export const ZERO = 1;
/** Other values are a slot, plus this. */
export const FIRST_SLOT = 2;

/** `references` counts the nodes and maps that have it; with more than one it's copied before it changes. */
export interface Leaf {
  references: number;
  /** Per block: ABSENT, ZERO or a slot plus FIRST_SLOT. */
  readonly values: Uint32Array;
}

export interface Inner {
  references: number;
  readonly kids: (MapNode | undefined)[];
}

export type MapNode = Leaf | Inner;

/** How many levels of nodes, leaves included, it takes to map `blockCount` blocks. */
export function levelsFor(blockCount: number): number {
  let levels = 1;
  for (let reach = FAN_OUT; reach < blockCount; reach *= FAN_OUT) levels++;
  return levels;
}

/**
 * Which slot holds which block of a disk: a tree, as of page tables. Forks share its nodes, so a fork takes the same
 * time whatever the disk holds, and a change copies a path of `levels` nodes once.
 */
export class BlockMap {
  readonly levels: number;
  readonly #slots: Slots;
  #root: MapNode | undefined;
  #held: number;

  constructor(levels: number, slots: Slots, root?: MapNode) {
    this.levels = levels;
    this.#slots = slots;
    this.#root = root;
    this.#held = 0;
    if (root) {
      root.references++;
      for (const value of values(root)) if (value >= FIRST_SLOT) this.#held++;
    }
  }

  get root(): MapNode | undefined {
    return this.#root;
  }

  /** Blocks that are in a slot. */
  get heldCount(): number {
    return this.#held;
  }

  fork(): BlockMap {
    const other = new BlockMap(this.levels, this.#slots);
    other.#root = this.#root;
    other.#held = this.#held;
    if (this.#root) this.#root.references++;
    return other;
  }

  /** The map is not used after it. */
  drop(): void {
    if (this.#root) this.#dropNode(this.#root);
    this.#root = undefined;
    this.#held = 0;
  }

  get(block: number): number {
    let node = this.#root;
    let reach = FAN_OUT ** (this.levels - 1);
    let rest = block;
    while (node && 'kids' in node) {
      node = node.kids[Math.floor(rest / reach)];
      rest %= reach;
      reach /= FAN_OUT;
    }
    return node ? node.values[rest]! : ABSENT;
  }

  set(block: number, value: number): void {
    let reach = FAN_OUT ** (this.levels - 1);
    let node = (this.#root = this.#writable(this.#root, reach));
    let rest = block;
    while ('kids' in node) {
      const index = Math.floor(rest / reach);
      rest %= reach;
      reach /= FAN_OUT;
      node = node.kids[index] = this.#writable(node.kids[index], reach);
    }
    const before = node.values[rest]!;
    // In this order: the same slot may be what goes and what comes.
    if (value >= FIRST_SLOT) this.#slots.retain(value - FIRST_SLOT);
    if (before >= FIRST_SLOT) this.#slots.release(before - FIRST_SLOT);
    node.values[rest] = value;
    this.#held += Number(value >= FIRST_SLOT) - Number(before >= FIRST_SLOT);
  }

  /** Numbers of the blocks in `[start, end)` that are in a slot. */
  *held(start: number, end: number): Generator<number> {
    if (this.#root) yield* heldIn(this.#root, FAN_OUT ** (this.levels - 1), 0, start, end);
  }

  /** The node, or a copy when others have it too; `reach` blocks lie under each of its entries. */
  #writable(node: MapNode | undefined, reach: number): MapNode {
    if (node?.references === 1) return node;
    if (node) node.references--;
    this.#slots.nodeCount++;
    if (reach === 1) {
      assert(!node || 'values' in node, 'leaves are at the last level');
      const copy: Leaf = { references: 1, values: node?.values.slice() ?? emptyLeaf() };
      for (const value of copy.values) {
        if (value >= FIRST_SLOT) this.#slots.retain(value - FIRST_SLOT);
      }
      return copy;
    }
    assert(!node || 'kids' in node, 'inner nodes are above the last level');
    const copy: Inner = { references: 1, kids: node?.kids.slice() ?? emptyInner() };
    for (const kid of copy.kids) if (kid) kid.references++;
    return copy;
  }

  #dropNode(node: MapNode): void {
    if (--node.references > 0) return;
    this.#slots.nodeCount--;
    if ('kids' in node) {
      for (const kid of node.kids) if (kid) this.#dropNode(kid);
      return;
    }
    for (const value of node.values) {
      if (value >= FIRST_SLOT) this.#slots.release(value - FIRST_SLOT);
    }
  }
}

function emptyLeaf(): Uint32Array<ArrayBuffer> {
  return new Uint32Array(FAN_OUT);
}

function emptyInner(): (MapNode | undefined)[] {
  return Array.from<undefined>({ length: FAN_OUT });
}

function* values(node: MapNode): Generator<number> {
  if ('values' in node) yield* node.values;
  else for (const kid of node.kids) if (kid) yield* values(kid);
}

function* heldIn(
  node: MapNode,
  reach: number,
  base: number,
  start: number,
  end: number,
): Generator<number> {
  const first = Math.max(0, Math.floor((start - base) / reach));
  const last = Math.min(FAN_OUT, Math.ceil((end - base) / reach));
  for (let index = first; index < last; index++) {
    if ('values' in node) {
      if (node.values[index]! >= FIRST_SLOT) yield base + index;
      continue;
    }
    const kid = node.kids[index];
    if (kid) yield* heldIn(kid, reach / FAN_OUT, base + index * reach, start, end);
  }
}
