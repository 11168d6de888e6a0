import { bigIntToBytes, bytesToBigInt } from '@polyvisor/bytes/bytes';

/** Bytes [start, start + size) of an input that is followed by zeros without end. */
export function slicePadded(input: Uint8Array, start: number, size: number): Uint8Array {
  const out = new Uint8Array(size);
  out.set(input.subarray(start, start + size));
  return out;
}

/** The 32-byte word at `start`, zero-padded. */
export function wordAt(input: Uint8Array, start: number): bigint {
  return bytesToBigInt(slicePadded(input, start, 32));
}

export function boolWord(value: boolean): Uint8Array {
  return bigIntToBytes(value ? 1n : 0n, 32);
}
