import * as u256 from '@polyvisor/math/u256-reference';

/**
 * What the pure instructions compute, in plain numbers in [0, 2^256); operands in the order in which they are popped.
 * @see Yellow Paper, appendix H.2, sections 0s and 10s
 */
const MASK = (1n << 256n) - 1n;
const signed = (x: bigint): bigint => BigInt.asIntN(256, x);
const flag = (condition: boolean): bigint => (condition ? 1n : 0n);

type Unary = (x: bigint) => bigint;
type Binary = (x: bigint, y: bigint) => bigint;

export const add: Binary = (x, y) => (x + y) & MASK;
export const sub: Binary = (x, y) => (x - y) & MASK;
export const mul: Binary = u256.mul;
export const div: Binary = u256.udiv;
export const sdiv: Binary = u256.sdiv;
export const mod: Binary = u256.umod;
export const smod: Binary = u256.smod;
export const addmod: (x: bigint, y: bigint, n: bigint) => bigint = u256.addmod;
export const mulmod: (x: bigint, y: bigint, n: bigint) => bigint = u256.mulmod;
export const exp: Binary = u256.exp;

/** x is the index of the byte whose top bit is the sign, from the least significant. */
export const signextend: Binary = (index, x) =>
  index >= 31n ? x : BigInt.asIntN(8 * (Number(index) + 1), x) & MASK;

export const lt: Binary = (x, y) => flag(x < y);
export const gt: Binary = (x, y) => flag(x > y);
export const slt: Binary = (x, y) => flag(signed(x) < signed(y));
export const sgt: Binary = (x, y) => flag(signed(x) > signed(y));
export const eq: Binary = (x, y) => flag(x === y);
export const iszero: Unary = (x) => flag(x === 0n);
export const and: Binary = (x, y) => x & y;
export const or: Binary = (x, y) => x | y;
export const xor: Binary = (x, y) => x ^ y;
export const not: Unary = (x) => x ^ MASK;

/** x is the index of the byte from the most significant. */
export const byte: Binary = (index, x) =>
  index > 31n ? 0n : (x >> BigInt(8 * (31 - Number(index)))) & 0xffn;

export const shl: Binary = (bits, x) => (bits > 255n ? 0n : (x << bits) & MASK);
export const shr: Binary = (bits, x) => (bits > 255n ? 0n : x >> bits);
export const sar: Binary = (bits, x) => (signed(x) >> (bits > 255n ? 255n : bits)) & MASK;
export const clz: Unary = (x) => BigInt(256 - bitLength(x));

/** How many bits a number has without leading zeros. */
export function bitLength(x: bigint): number {
  return x === 0n ? 0 : x.toString(2).length;
}
