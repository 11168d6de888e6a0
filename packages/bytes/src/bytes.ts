export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Lexicographic order: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** A big-endian number; nothing is 0. */
export function bytesToBigInt(bytes: Uint8Array): bigint {
  let value = 0n;
  let at = 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (; at + 8 <= bytes.length; at += 8) value = (value << 64n) | view.getBigUint64(at);
  for (; at < bytes.length; at++) value = (value << 8n) | BigInt(bytes[at]!);
  return value;
}

/** Big-endian in exactly `size` bytes; higher bits are cut off. */
export function bigIntToBytes(value: bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let rest = value;
  let at = size;
  for (; at >= 8; at -= 8) {
    view.setBigUint64(at - 8, BigInt.asUintN(64, rest));
    rest >>= 64n;
  }
  for (; at > 0; at--) {
    bytes[at - 1] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** Big-endian without leading zeros; 0 is no bytes. */
export function bigIntToMinimalBytes(value: bigint): Uint8Array {
  if (value === 0n) return EMPTY_BYTES;
  if (value > WORD_MAX) return bigIntToBytes(value, (value.toString(16).length + 1) >> 1);
  let start = WORD_BYTES;
  for (let rest = value; rest > 0n; rest >>= 64n) {
    start -= 8;
    wordView.setBigUint64(start, BigInt.asUintN(64, rest));
  }
  while (word[start] === 0) start++;
  return word.slice(start);
}

/** Where numbers of up to 256 bits, which nearly all are, are laid out. */
const WORD_BYTES = 32;
const WORD_MAX = 2n ** 256n - 1n;
const word = new Uint8Array(WORD_BYTES);
const wordView = new DataView(word.buffer);

/** Zeros in front up to `size` bytes. */
export function padLeft(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length >= size) return bytes;
  const out = new Uint8Array(size);
  out.set(bytes, size - bytes.length);
  return out;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function utf8ToBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

export function bytesToUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
