/** The kernels' meaning in plain numbers: arguments and results are in [0, 2^256). */
const MASK = (1n << 256n) - 1n;

const signed = (x: bigint): bigint => BigInt.asIntN(256, x);

export function mul(x: bigint, y: bigint): bigint {
  return (x * y) & MASK;
}

export function udiv(x: bigint, y: bigint): bigint {
  return y === 0n ? 0n : x / y;
}

export function umod(x: bigint, y: bigint): bigint {
  return y === 0n ? 0n : x % y;
}

export function sdiv(x: bigint, y: bigint): bigint {
  return y === 0n ? 0n : (signed(x) / signed(y)) & MASK;
}

export function smod(x: bigint, y: bigint): bigint {
  return y === 0n ? 0n : (signed(x) % signed(y)) & MASK;
}

export function addmod(x: bigint, y: bigint, n: bigint): bigint {
  return n === 0n ? 0n : (x + y) % n;
}

export function mulmod(x: bigint, y: bigint, n: bigint): bigint {
  return n === 0n ? 0n : (x * y) % n;
}

export function exp(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) & MASK;
    square = (square * square) & MASK;
  }
  return result;
}
