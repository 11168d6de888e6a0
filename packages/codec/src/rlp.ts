import { EMPTY_BYTES, bigIntToMinimalBytes } from '@polyvisor/bytes/bytes';

/** Recursive Length Prefix. @see Yellow Paper, appendix B */
export type RlpItem = Uint8Array | readonly RlpItem[];

/** Why bytes are no canonical RLP. */
export class RlpError extends Error {
  override readonly name = 'RlpError';
}

/** Nested lists deeper than this are refused: no format in use needs more than a few. */
const DEPTH_MAX = 1024;

export function encodeRlp(item: RlpItem): Uint8Array {
  const out = new Uint8Array(encodedSize(item));
  write(item, out, 0);
  return out;
}

/** Reads one item that takes up all the bytes. @throws RlpError if not canonical */
export function decodeRlp(bytes: Uint8Array): RlpItem {
  const { item, end } = readItem(bytes, 0, bytes.length, 0);
  if (end !== bytes.length) throw new RlpError('bytes behind the item');
  return item;
}

/** An integer as RLP has it: big-endian, no leading zeros. */
export function rlpInteger(value: bigint | number): Uint8Array {
  return value === 0 ? EMPTY_BYTES : bigIntToMinimalBytes(BigInt(value));
}

function encodedSize(item: RlpItem): number {
  if (item instanceof Uint8Array) {
    if (item.length === 1 && item[0]! < 0x80) return 1;
    return prefixSize(item.length) + item.length;
  }
  const size = payloadSize(item);
  return prefixSize(size) + size;
}

function payloadSize(items: readonly RlpItem[]): number {
  let size = 0;
  for (const item of items) size += encodedSize(item);
  return size;
}

function prefixSize(size: number): number {
  return size < 56 ? 1 : 1 + sizeOfSize(size);
}

function sizeOfSize(size: number): number {
  return size < 0x100 ? 1 : size < 0x1_0000 ? 2 : size < 0x100_0000 ? 3 : 4;
}

function write(item: RlpItem, out: Uint8Array, at: number): number {
  if (item instanceof Uint8Array) {
    if (item.length === 1 && item[0]! < 0x80) {
      out[at] = item[0]!;
      return at + 1;
    }
    const start = writePrefix(item.length, 0x80, out, at);
    out.set(item, start);
    return start + item.length;
  }
  let next = writePrefix(payloadSize(item), 0xc0, out, at);
  for (const entry of item) next = write(entry, out, next);
  return next;
}

function writePrefix(size: number, base: number, out: Uint8Array, at: number): number {
  if (size < 56) {
    out[at] = base + size;
    return at + 1;
  }
  const count = sizeOfSize(size);
  out[at] = base + 55 + count;
  for (let i = 0; i < count; i++) out[at + 1 + i] = (size >>> (8 * (count - 1 - i))) & 0xff;
  return at + 1 + count;
}

function readItem(
  bytes: Uint8Array,
  at: number,
  limit: number,
  depth: number,
): { item: RlpItem; end: number } {
  if (at >= limit) throw new RlpError('bytes end before the item');
  if (depth > DEPTH_MAX) throw new RlpError('lists nested too deep');
  const first = bytes[at]!;
  if (first < 0x80) return { item: bytes.subarray(at, at + 1), end: at + 1 };
  const isList = first >= 0xc0;
  const code = first - (isList ? 0xc0 : 0x80);
  let start = at + 1;
  let size = code;
  if (code > 55) {
    const count = code - 55;
    size = readSize(bytes, start, count, limit);
    start += count;
  }
  const end = start + size;
  if (end > limit) throw new RlpError('bytes end inside the item');
  if (!isList) {
    if (size === 1 && bytes[start]! < 0x80) throw new RlpError('a small byte has a prefix');
    return { item: bytes.subarray(start, end), end };
  }
  const items: RlpItem[] = [];
  for (let next = start; next < end;) {
    const entry = readItem(bytes, next, end, depth + 1);
    items.push(entry.item);
    next = entry.end;
  }
  return { item: items, end };
}

function readSize(bytes: Uint8Array, at: number, count: number, limit: number): number {
  if (at + count > limit) throw new RlpError('bytes end inside a length');
  if (bytes[at] === 0) throw new RlpError('a length has a leading zero');
  if (count > 6) throw new RlpError('a length beyond the bytes');
  let size = 0;
  for (let i = 0; i < count; i++) size = size * 256 + bytes[at + i]!;
  if (size < 56) throw new RlpError('a short length in the long form');
  return size;
}
