/** A virtual address as code gives it to JavaScript: two halves, each an i32. */
export type Halves = [low: number, high: number];

export function toAddress(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

export function halves(address: bigint): Halves {
  return [Number(BigInt.asIntN(32, address)), Number(BigInt.asIntN(32, address >> 32n))];
}

/** Halves of the address so many bytes behind one that is a multiple of them. */
export function behind(low: number, high: number, bytes: number): Halves {
  const next = (low + bytes) | 0;
  return [next, next === 0 ? (high + 1) | 0 : high];
}
