import { bytesToLatin1, latin1ToBytes } from '@polyvisor/bytes/latin1';
import { keccak256, keccak256Latin1 } from '@polyvisor/crypto/keccak';

/**
 * A Merkle-Patricia trie as an immutable value: a change copies the path to the root and shares the rest, so a
 * version is a reference. Nodes remember their hash, so a root costs what changed since the last one.
 * Keys have 32 bytes (the caller has hashed them); all strings hold a byte a character.
 * @see Yellow Paper, appendix D
 */
export class MerkleTrie {
  readonly #root: Node | undefined;

  private constructor(root: Node | undefined) {
    this.#root = root;
  }

  static readonly empty: MerkleTrie = new MerkleTrie(undefined);

  get(key: string): string | undefined {
    let node = this.#root;
    let depth = 0;
    while (node) {
      if (node instanceof Leaf) return node.key === key ? node.value : undefined;
      if (node instanceof Extension) {
        if (!matches(key, depth, node.path)) return undefined;
        depth += node.path.length;
        node = node.child;
      } else {
        node = node.child(nibble(key, depth));
        depth++;
      }
    }
    return undefined;
  }

  /** An empty value removes the key. */
  set(key: string, value: string): MerkleTrie {
    if (value.length === 0) return this.#delete(key);
    return new MerkleTrie(insert(this.#root, key, 0, value));
  }

  /** The root hash, 32 bytes. */
  root(): Uint8Array {
    if (!this.#root) return EMPTY_ROOT.slice();
    const reference = referenceOf(this.#root);
    // A root is hashed even when it is shorter than a hash.
    return reference.length === HASH_SIZE && !isInline(this.#root)
      ? latin1ToBytes(reference)
      : keccak256(encode(this.#root));
  }

  /** RLP of the nodes on the way to a key, root first: proves its value, or that it has none. */
  proof(key: string): Uint8Array[] {
    const nodes: Uint8Array[] = [];
    let node = this.#root;
    let depth = 0;
    while (node) {
      const bytes = encode(node).slice();
      if (nodes.length === 0 || bytes.length >= HASH_SIZE) nodes.push(bytes);
      if (node instanceof Leaf) break;
      if (node instanceof Extension) {
        if (!matches(key, depth, node.path)) break;
        depth += node.path.length;
        node = node.child;
      } else {
        node = node.child(nibble(key, depth));
        depth++;
      }
    }
    return nodes;
  }

  *entries(): IterableIterator<[key: string, value: string]> {
    for (const leaf of leaves(this.#root)) yield [leaf.key, leaf.value];
  }

  #delete(key: string): MerkleTrie {
    if (!this.#root || this.get(key) === undefined) return this;
    return new MerkleTrie(remove(this.#root, key, 0));
  }
}

const HASH_SIZE = 32;
/** Keccak-256 of the RLP of nothing: 0x80. */
export const EMPTY_ROOT: Uint8Array = keccak256(Uint8Array.of(0x80));

class Leaf {
  readonly key: string;
  readonly value: string;
  /** How much of the key lies above. */
  readonly depth: number;
  reference: string | undefined = undefined;

  constructor(key: string, value: string, depth: number) {
    this.key = key;
    this.value = value;
    this.depth = depth;
  }
}

class Extension {
  /** Nibbles, one a character. */
  readonly path: string;
  readonly child: Node;
  reference: string | undefined = undefined;

  constructor(path: string, child: Node) {
    this.path = path;
    this.child = child;
  }
}

/** Most have few children, and every version of a trie has branches of its own: only those that are there take room. */
class Branch {
  /** Which of the 16 children there are. */
  readonly bitmap: number;
  readonly children: readonly Node[];
  reference: string | undefined = undefined;

  constructor(bitmap: number, children: readonly Node[]) {
    this.bitmap = bitmap;
    this.children = children;
  }

  child(index: number): Node | undefined {
    return this.bitmap & (1 << index) ? this.children[this.#place(index)] : undefined;
  }

  with(index: number, child: Node): Branch {
    const bit = 1 << index;
    const place = this.#place(index);
    if (this.bitmap & bit) return new Branch(this.bitmap, this.children.with(place, child));
    return new Branch(this.bitmap | bit, this.children.toSpliced(place, 0, child));
  }

  without(index: number): Branch {
    return new Branch(this.bitmap & ~(1 << index), this.children.toSpliced(this.#place(index), 1));
  }

  /** How many children are before one. */
  #place(index: number): number {
    let bits = this.bitmap & ((1 << index) - 1);
    bits -= (bits >>> 1) & 0x5555;
    bits = (bits & 0x3333) + ((bits >>> 2) & 0x3333);
    bits = (bits + (bits >>> 4)) & 0x0f0f;
    return (bits + (bits >>> 8)) & 31;
  }
}

function branchOfTwo(a: number, first: Node, b: number, second: Node): Branch {
  return new Branch((1 << a) | (1 << b), a < b ? [first, second] : [second, first]);
}

type Node = Leaf | Extension | Branch;

/** Nibble `index` of a key of bytes. */
function nibble(key: string, index: number): number {
  const byte = key.charCodeAt(index >> 1);
  return index & 1 ? byte & 15 : byte >> 4;
}

function nibbles(key: string, from: number, to: number): string {
  let path = '';
  for (let i = from; i < to; i++) path += String.fromCharCode(nibble(key, i));
  return path;
}

function matches(key: string, depth: number, path: string): boolean {
  for (let i = 0; i < path.length; i++) {
    if (nibble(key, depth + i) !== path.charCodeAt(i)) return false;
  }
  return true;
}

function insert(node: Node | undefined, key: string, depth: number, value: string): Node {
  if (!node) return new Leaf(key, value, depth);
  if (node instanceof Branch) {
    const index = nibble(key, depth);
    return node.with(index, insert(node.child(index), key, depth + 1, value));
  }
  if (node instanceof Leaf) {
    if (node.key === key) return new Leaf(key, value, depth);
    let shared = depth;
    while (nibble(node.key, shared) === nibble(key, shared)) shared++;
    const branch = branchOfTwo(
      nibble(node.key, shared),
      new Leaf(node.key, node.value, shared + 1),
      nibble(key, shared),
      new Leaf(key, value, shared + 1),
    );
    return extend(nibbles(key, depth, shared), branch);
  }
  let shared = 0;
  while (
    shared < node.path.length &&
    node.path.charCodeAt(shared) === nibble(key, depth + shared)
  ) {
    shared++;
  }
  if (shared === node.path.length) {
    return new Extension(node.path, insert(node.child, key, depth + shared, value));
  }
  const branch = branchOfTwo(
    node.path.charCodeAt(shared),
    extend(node.path.slice(shared + 1), node.child),
    nibble(key, depth + shared),
    new Leaf(key, value, depth + shared + 1),
  );
  return extend(node.path.slice(0, shared), branch);
}

/** The child behind a path; an extension's path is joined to it. */
function extend(path: string, child: Node): Node {
  if (path.length === 0) return child;
  if (child instanceof Extension) return new Extension(path + child.path, child.child);
  return new Extension(path, child);
}

/** The key is there. */
function remove(node: Node, key: string, depth: number): Node | undefined {
  if (node instanceof Leaf) return undefined;
  if (node instanceof Extension) {
    const child = remove(node.child, key, depth + node.path.length)!;
    return child instanceof Leaf
      ? new Leaf(child.key, child.value, depth)
      : extend(node.path, child);
  }
  const index = nibble(key, depth);
  const child = remove(node.child(index)!, key, depth + 1);
  if (child) return node.with(index, child);
  const rest = node.without(index);
  const [only] = rest.children;
  if (rest.children.length > 1) return rest;
  // A branch of one child is no branch.
  if (only instanceof Leaf) return new Leaf(only.key, only.value, depth);
  return extend(String.fromCharCode(31 - Math.clz32(rest.bitmap)), only!);
}

function* leaves(node: Node | undefined): IterableIterator<Leaf> {
  if (node instanceof Leaf) yield node;
  else if (node instanceof Extension) yield* leaves(node.child);
  else if (node) for (const child of node.children) yield* leaves(child);
}

// --- encoding

/** Nodes are encoded here, children before their parents, so one buffer serves all. */
let buffer = new Uint8Array(4096);

/** How a parent holds a node: its hash, or its RLP when that is shorter. */
function referenceOf(node: Node): string {
  if (node.reference !== undefined) return node.reference;
  const bytes = encode(node);
  const reference = bytes.length < HASH_SIZE ? bytesToLatin1(bytes) : keccak256Latin1(bytes);
  node.reference = reference;
  return reference;
}

/** Whether a reference of 32 characters could still be an inline node: never, those are shorter. */
function isInline(node: Node): boolean {
  return referenceOf(node).length < HASH_SIZE;
}

/** RLP of a node, valid until the next call. */
function encode(node: Node): Uint8Array {
  if (node instanceof Branch) return encodeBranch(node);
  const [path, isLeaf] =
    node instanceof Leaf
      ? [hexPrefix(nibbles(node.key, node.depth, 2 * node.key.length), true), true]
      : [hexPrefix(node.path, false), false];
  const second = isLeaf ? (node as Leaf).value : referenceOf((node as Extension).child);
  const secondSize = isLeaf ? stringSize(second) : referenceSize(second);
  let at = header(0xc0, stringSize(path) + secondSize, 0);
  at = writeString(path, at);
  at = isLeaf ? writeString(second, at) : writeReference(second, at);
  return buffer.subarray(0, at);
}

function encodeBranch(node: Branch): Uint8Array {
  const references: string[] = [];
  let size = 1;
  for (let index = 0; index < 16; index++) {
    const child = node.child(index);
    const reference = child ? referenceOf(child) : '';
    references.push(reference);
    size += referenceSize(reference);
  }
  let at = header(0xc0, size, 0);
  for (const reference of references) at = writeReference(reference, at);
  // No key ends at a branch: all have the same length.
  buffer[at++] = 0x80;
  return buffer.subarray(0, at);
}

/** @see Yellow Paper, appendix C */
function hexPrefix(path: string, isLeaf: boolean): string {
  const flag = isLeaf ? 0x20 : 0;
  const isOdd = path.length % 2 === 1;
  let text = String.fromCharCode(isOdd ? flag | 0x10 | path.charCodeAt(0) : flag);
  for (let i = isOdd ? 1 : 0; i < path.length; i += 2) {
    text += String.fromCharCode((path.charCodeAt(i) << 4) | path.charCodeAt(i + 1));
  }
  return text;
}

function referenceSize(reference: string): number {
  if (reference.length === 0) return 1;
  return reference.length < HASH_SIZE ? reference.length : HASH_SIZE + 1;
}

function writeReference(reference: string, start: number): number {
  if (reference.length === 0) {
    buffer[start] = 0x80;
    return start + 1;
  }
  if (reference.length === HASH_SIZE) return writeString(reference, start);
  return writeRaw(reference, start);
}

function stringSize(text: string): number {
  if (text.length === 1 && text.charCodeAt(0) < 0x80) return 1;
  return text.length + (text.length < 56 ? 1 : text.length < 256 ? 2 : 3);
}

function writeString(text: string, start: number): number {
  if (text.length === 1 && text.charCodeAt(0) < 0x80) return writeRaw(text, start);
  return writeRaw(text, header(0x80, text.length, start));
}

function writeRaw(text: string, start: number): number {
  reserve(start + text.length);
  for (let i = 0; i < text.length; i++) buffer[start + i] = text.charCodeAt(i);
  return start + text.length;
}

function header(base: number, size: number, start: number): number {
  reserve(start + size + 4);
  if (size < 56) {
    buffer[start] = base + size;
    return start + 1;
  }
  if (size < 256) {
    buffer[start] = base + 56;
    buffer[start + 1] = size;
    return start + 2;
  }
  buffer[start] = base + 57;
  buffer[start + 1] = size >> 8;
  buffer[start + 2] = size & 0xff;
  return start + 3;
}

function reserve(size: number): void {
  if (size <= buffer.length) return;
  const next = new Uint8Array(2 * size);
  next.set(buffer);
  buffer = next;
}
