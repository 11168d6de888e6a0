import { utf8ToBytes } from '@polyvisor/bytes/bytes';
import { assert } from '@polyvisor/errors/assert';

/** `true`: there, and empty; a text, or several; 32-bit cells; bytes. */
export type PropertyValue = true | string | readonly string[] | readonly number[] | Uint8Array;

export interface TreeNode {
  /** With its unit address, as `serial@10000000`; empty for the root. */
  readonly name: string;
  readonly properties: Readonly<Record<string, PropertyValue>>;
  readonly children?: readonly TreeNode[];
}

/** @see Devicetree Specification 0.4, chapter 5, "Flattened Devicetree (DTB) Format" */
const MAGIC = 0xd00d_feed;
const VERSION = 17;
const COMPATIBLE_VERSION = 16;
const HEADER_BYTES = 40;
const BEGIN_NODE = 1;
const END_NODE = 2;
const PROPERTY = 3;
const END = 9;

/** A 64-bit number as two cells. */
export function cells64(...values: readonly number[]): number[] {
  return values.flatMap((value) => [Math.floor(value / 2 ** 32), value % 2 ** 32]);
}

/**
 * A device tree as bytes, all big-endian:
 *
 *     header · memory reservations (none: two zero u64) · structure · strings
 */
export function flattenTree(root: TreeNode): Uint8Array {
  const structure: number[] = [];
  const strings: number[] = [];
  const offsets = new Map<string, number>();
  const word = (value: number): void => {
    structure.push(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
  };
  const align = (): void => {
    while (structure.length % 4 !== 0) structure.push(0);
  };
  const nameOffset = (name: string): number => {
    let offset = offsets.get(name);
    if (offset === undefined) {
      offset = strings.length;
      offsets.set(name, offset);
      strings.push(...utf8ToBytes(name), 0);
    }
    return offset;
  };
  const visit = ({ name, properties, children = [] }: TreeNode): void => {
    word(BEGIN_NODE);
    structure.push(...utf8ToBytes(name), 0);
    align();
    for (const [key, value] of Object.entries(properties)) {
      const bytes = valueBytes(value);
      word(PROPERTY);
      word(bytes.length);
      word(nameOffset(key));
      structure.push(...bytes);
      align();
    }
    children.forEach(visit);
    word(END_NODE);
  };
  visit(root);
  word(END);
  return assemble(structure, strings);
}

function assemble(structure: readonly number[], strings: readonly number[]): Uint8Array {
  const structureAt = HEADER_BYTES + 16;
  const stringsAt = structureAt + structure.length;
  const out = new Uint8Array(stringsAt + strings.length);
  const view = new DataView(out.buffer);
  const header = [
    MAGIC, out.length, structureAt, stringsAt, HEADER_BYTES, VERSION, COMPATIBLE_VERSION,
    /* boot CPU */ 0, strings.length, structure.length,
  ]; // prettier-ignore
  header.forEach((value, i) => view.setUint32(4 * i, value));
  out.set(structure, structureAt);
  out.set(strings, stringsAt);
  return out;
}

function valueBytes(value: PropertyValue): Uint8Array {
  if (value === true) return new Uint8Array(0);
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return utf8ToBytes(`${value}\0`);
  if (value.every((entry) => typeof entry === 'string'))
    return utf8ToBytes(`${value.join('\0')}\0`);
  const bytes = new Uint8Array(4 * value.length);
  const view = new DataView(bytes.buffer);
  value.forEach((cell, i) => {
    assert(typeof cell === 'number' && cell >= 0 && cell < 2 ** 32, 'a cell has 32 bits');
    view.setUint32(4 * i, cell);
  });
  return bytes;
}
