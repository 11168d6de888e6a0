/**
 * An immutable map with string keys: every change gives a new map that shares all but a path with the old one, so
 * keeping a version is keeping a reference. A hash array mapped trie, 32-way.
 * @see P. Bagwell, "Ideal Hash Trees", 2001
 */
export class PersistentMap<V> {
  readonly #root: Node<V> | undefined;
  readonly size: number;

  private constructor(root: Node<V> | undefined, size: number) {
    this.#root = root;
    this.size = size;
  }

  static empty<V>(): PersistentMap<V> {
    return EMPTY as PersistentMap<V>;
  }

  get(key: string): V | undefined {
    let node = this.#root;
    let hash = hashOf(key);
    while (node) {
      if (node.kind === 'leaf') return node.key === key ? node.value : undefined;
      if (node.kind === 'collision') return node.leaves.find((leaf) => leaf.key === key)?.value;
      const bit = 1 << (hash & 31);
      if (!(node.bitmap & bit)) return undefined;
      node = node.children[countBits(node.bitmap & (bit - 1))]!;
      hash >>>= 5;
    }
    return undefined;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  set(key: string, value: V): PersistentMap<V> {
    const change = { grew: 0 };
    const root = insert(this.#root, { kind: 'leaf', key, value }, hashOf(key), 0, change);
    return new PersistentMap(root, this.size + change.grew);
  }

  delete(key: string): PersistentMap<V> {
    if (!this.#root) return this;
    const root = remove(this.#root, key, hashOf(key));
    return root === this.#root ? this : new PersistentMap(root, this.size - 1);
  }

  /** In no particular order. */
  *entries(): IterableIterator<[key: string, value: V]> {
    for (const leaf of leaves(this.#root)) yield [leaf.key, leaf.value];
  }

  /** What differs between two versions; shared parts are skipped, so the cost is that of the changes between. */
  static *diff<V>(before: PersistentMap<V>, after: PersistentMap<V>): IterableIterator<Change<V>> {
    yield* difference(before.#root, after.#root);
  }
}

export interface Change<V> {
  readonly key: string;
  readonly before: V | undefined;
  readonly after: V | undefined;
}

interface Leaf<V> {
  readonly kind: 'leaf';
  readonly key: string;
  readonly value: V;
}

/** Keys whose whole hashes are equal. */
interface Collision<V> {
  readonly kind: 'collision';
  readonly leaves: readonly Leaf<V>[];
}

interface Branch<V> {
  readonly kind: 'branch';
  /** Which of the 32 children there are. */
  readonly bitmap: number;
  readonly children: readonly Node<V>[];
}

type Node<V> = Leaf<V> | Collision<V> | Branch<V>;

const EMPTY: PersistentMap<unknown> = new (PersistentMap as unknown as {
  new (root: undefined, size: number): PersistentMap<unknown>;
})(undefined, 0);

/** A hash has 32 bits: six levels of five, then two bits. */
const HASH_BITS = 32;

/** FNV-1a with a final mix. */
function hashOf(key: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function countBits(bits: number): number {
  let n = bits - ((bits >>> 1) & 0x5555_5555);
  n = (n & 0x3333_3333) + ((n >>> 2) & 0x3333_3333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** `hash` is what is left of the leaf's hash at `depth` bits. */
function insert<V>(
  node: Node<V> | undefined,
  leaf: Leaf<V>,
  hash: number,
  depth: number,
  change: { grew: number },
): Node<V> {
  if (!node) {
    change.grew = 1;
    return leaf;
  }
  if (node.kind === 'leaf') {
    if (node.key === leaf.key) return node.value === leaf.value ? node : leaf;
    change.grew = 1;
    return join(node, leaf, hash, depth);
  }
  if (node.kind === 'collision') {
    if (depth < HASH_BITS && hashOf(node.leaves[0]!.key) >>> depth !== hash) {
      change.grew = 1;
      return join(node, leaf, hash, depth);
    }
    const others = node.leaves.filter((other) => other.key !== leaf.key);
    change.grew = others.length === node.leaves.length ? 1 : 0;
    return { kind: 'collision', leaves: [...others, leaf] };
  }
  const bit = 1 << (hash & 31);
  const at = countBits(node.bitmap & (bit - 1));
  const children = node.children.slice();
  if (node.bitmap & bit) {
    const child = insert(children[at], leaf, hash >>> 5, depth + 5, change);
    if (child === children[at]) return node;
    children[at] = child;
    return { kind: 'branch', bitmap: node.bitmap, children };
  }
  change.grew = 1;
  children.splice(at, 0, leaf);
  return { kind: 'branch', bitmap: node.bitmap | bit, children };
}

/** Branches until the hashes of the two differ. */
function join<V>(old: Leaf<V> | Collision<V>, leaf: Leaf<V>, hash: number, depth: number): Node<V> {
  const oldKey = old.kind === 'leaf' ? old.key : old.leaves[0]!.key;
  if (depth >= HASH_BITS || hashOf(oldKey) === hashOf(leaf.key)) {
    const others = old.kind === 'leaf' ? [old] : old.leaves;
    return { kind: 'collision', leaves: [...others, leaf] };
  }
  const oldIndex = (hashOf(oldKey) >>> depth) & 31;
  const newIndex = hash & 31;
  if (oldIndex === newIndex) {
    return {
      kind: 'branch',
      bitmap: 1 << newIndex,
      children: [join(old, leaf, hash >>> 5, depth + 5)],
    };
  }
  return {
    kind: 'branch',
    bitmap: (1 << oldIndex) | (1 << newIndex),
    children: oldIndex < newIndex ? [old, leaf] : [leaf, old],
  };
}

function remove<V>(node: Node<V>, key: string, hash: number): Node<V> | undefined {
  if (node.kind === 'leaf') return node.key === key ? undefined : node;
  if (node.kind === 'collision') {
    const others = node.leaves.filter((leaf) => leaf.key !== key);
    if (others.length === node.leaves.length) return node;
    return others.length === 1 ? others[0]! : { kind: 'collision', leaves: others };
  }
  const bit = 1 << (hash & 31);
  if (!(node.bitmap & bit)) return node;
  const at = countBits(node.bitmap & (bit - 1));
  const child = remove(node.children[at]!, key, hash >>> 5);
  if (child === node.children[at]) return node;
  if (child) {
    // A lone leaf moves up.
    if (node.children.length === 1 && child.kind !== 'branch') return child;
    const children = node.children.slice();
    children[at] = child;
    return { kind: 'branch', bitmap: node.bitmap, children };
  }
  if (node.children.length === 1) return undefined;
  const children = node.children.filter((_, i) => i !== at);
  if (children.length === 1 && children[0]!.kind !== 'branch') return children[0]!;
  return { kind: 'branch', bitmap: node.bitmap & ~bit, children };
}

function* leaves<V>(node: Node<V> | undefined): IterableIterator<Leaf<V>> {
  if (!node) return;
  if (node.kind === 'leaf') yield node;
  else
    for (const child of node.kind === 'branch' ? node.children : node.leaves) yield* leaves(child);
}

function* difference<V>(
  before: Node<V> | undefined,
  after: Node<V> | undefined,
): IterableIterator<Change<V>> {
  if (before === after) return;
  if (before?.kind === 'branch' && after?.kind === 'branch') {
    for (let i = 0; i < 32; i++) {
      const bit = 1 << i;
      if ((before.bitmap | after.bitmap) & bit) {
        yield* difference(childAt(before, bit), childAt(after, bit));
      }
    }
    return;
  }
  const old = new Map([...leaves(before)].map((leaf) => [leaf.key, leaf.value]));
  for (const leaf of leaves(after)) {
    const value = old.get(leaf.key);
    if (!old.delete(leaf.key) || value !== leaf.value) {
      yield { key: leaf.key, before: value, after: leaf.value };
    }
  }
  for (const [key, value] of old) yield { key, before: value, after: undefined };
}

function childAt<V>(branch: Branch<V>, bit: number): Node<V> | undefined {
  return branch.bitmap & bit ? branch.children[countBits(branch.bitmap & (bit - 1))] : undefined;
}
