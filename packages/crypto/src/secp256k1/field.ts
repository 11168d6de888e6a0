import { Assembler, type Expression, type Local } from '@polyvisor/wasm/assembler';
import type { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { I32 } from '@polyvisor/wasm/types';

/**
 * Arithmetic modulo p = 2^256 - 2^32 - 977, emitted as WebAssembly. An element has ten signed limbs of 26 bits, 32
 * bits apart in memory, so sums and differences are ten additions without a carry. Its magnitude m says that no limb
 * is above m * 2^26: a product has magnitude 1, sums add theirs up. Two factors may have magnitudes whose product is
 * at most 196: ten products of their limbs then fit 63 bits.
 * @see libsecp256k1, src/field_10x26_impl.h, for the order of the reduction
 */
export const LIMBS = 10;
export const FIELD_BYTES = 4 * LIMBS;

const LIMB_BITS = 26;
const LIMB_MASK = 2n ** 26n - 1n;
/** The top limb has bits 234 to 255. */
const TOP_BITS = 22n;
const TOP_MASK = 2n ** 22n - 1n;
/** 2^260 = 2^10 * 2^26 + 15632 modulo p. */
const FOLD_LOW = 15632n;
const FOLD_HIGH = 1024n;
/** 2^256 = 2^6 * 2^26 + 977 modulo p. */
const WRAP_LOW = 977n;
const WRAP_HIGH = 64n;

/** Indexes of the functions; parameters are addresses. */
export interface FieldKernels {
  /** (out, x, y) */
  readonly multiply: number;
  /** (out, x) */
  readonly square: number;
  /** (x): limbs from 0 to 2^26 - 1, value below p */
  readonly normalize: number;
  /** (x) -> 1 where x is 0 modulo p */
  readonly isZero: number;
}

export function emitField(m: ModuleWriter): FieldKernels {
  return {
    multiply: emitMultiply(m),
    square: emitSquare(m),
    normalize: emitNormalize(m),
    isZero: emitIsZero(m),
  };
}

/** Sums of products of limbs whose indexes add up to a column. */
type Columns = (column: number) => Expression;

function emitMultiply(m: ModuleWriter): number {
  const a = new Assembler(m.function([I32, I32, I32], [], 'secp256k1-multiply'));
  const x = loadLimbs(a, a.param(1));
  const y = loadLimbs(a, a.param(2));
  reduce(a, a.param(0), (column) =>
    sum(
      a,
      pairs(column).map(([i, j]) => a.i64.mul(x[i]!, y[j]!)),
    ),
  );
  return a.f.index;
}

function emitSquare(m: ModuleWriter): number {
  const a = new Assembler(m.function([I32, I32], [], 'secp256k1-square'));
  const x = loadLimbs(a, a.param(1));
  const twice = x.map((limb) => {
    const local = a.localI64();
    a.set(local, a.i64.shl(limb, 1n));
    return local;
  });
  reduce(a, a.param(0), (column) =>
    sum(
      a,
      pairs(column)
        .filter(([i, j]) => i <= j)
        .map(([i, j]) => a.i64.mul(i === j ? x[i]! : twice[i]!, x[j]!)),
    ),
  );
  return a.f.index;
}

function pairs(column: number): [number, number][] {
  const found: [number, number][] = [];
  for (let i = 0; i < LIMBS; i++) {
    const j = column - i;
    if (j >= 0 && j < LIMBS) found.push([i, j]);
  }
  return found;
}

/** Columns 0 to 18 of a product become ten limbs: column k + 10 is folded into k and k + 1 as it gets carried. */
function reduce(a: Assembler, out: Local, columns: Columns): void {
  const { i64 } = a;
  const [low, high, fold] = [a.localI64(), a.localI64(), a.localI64()];
  const limbs = Array.from({ length: LIMBS }, () => a.localI64());
  const carry = (from: Local, bits: bigint): void => void a.set(from, i64.shrS(from, bits));
  const add = (to: Local, value: Expression): void => void a.set(to, i64.add(to, value));

  a.set(high, columns(9));
  a.set(limbs[9]!, i64.and(high, LIMB_MASK));
  carry(high, 26n);
  for (let k = 0; k < 9; k++) {
    add(low, columns(k));
    add(high, columns(k + 10));
    a.set(fold, i64.and(high, LIMB_MASK));
    carry(high, 26n);
    add(low, i64.mul(fold, FOLD_LOW));
    a.set(limbs[k]!, i64.and(low, LIMB_MASK));
    carry(low, 26n);
    add(low, i64.mul(fold, FOLD_HIGH));
  }
  add(low, i64.add(i64.mul(high, FOLD_LOW), limbs[9]!));
  a.set(limbs[9]!, i64.and(low, TOP_MASK));
  carry(low, TOP_BITS);
  add(low, i64.mul(high, FOLD_HIGH << 4n));
  // What is above bit 256 now goes to the lowest limbs; the third takes the last carry.
  a.set(high, i64.add(i64.mul(low, WRAP_LOW), limbs[0]!));
  a.set(limbs[0]!, i64.and(high, LIMB_MASK));
  carry(high, 26n);
  add(high, i64.add(i64.mul(low, WRAP_HIGH), limbs[1]!));
  a.set(limbs[1]!, i64.and(high, LIMB_MASK));
  carry(high, 26n);
  add(limbs[2]!, high);
  storeLimbs(a, out, limbs);
}

function emitNormalize(m: ModuleWriter): number {
  const a = new Assembler(m.function([I32], [], 'secp256k1-normalize'));
  const limbs = loadLimbs(a, a.param(0));
  normalizeLimbs(a, limbs);
  storeLimbs(a, a.param(0), limbs);
  return a.f.index;
}

function emitIsZero(m: ModuleWriter): number {
  const a = new Assembler(m.function([I32], [I32], 'secp256k1-is-zero'));
  const limbs = loadLimbs(a, a.param(0));
  normalizeLimbs(a, limbs);
  a.return(a.i64.eqz(limbs.reduce<Expression>((all, limb) => a.i64.or(all, limb), 0n)));
  return a.f.index;
}

/** From any limbs of magnitude up to 16, the second carry ends between 0 and 2^256 - 1. */
function normalizeLimbs(a: Assembler, limbs: readonly Local[]): void {
  const { i64 } = a;
  const top = limbs[9]!;
  const over = a.localI64();
  for (let pass = 0; pass < 2; pass++) {
    a.set(over, i64.shrS(top, TOP_BITS));
    a.set(top, i64.and(top, TOP_MASK));
    a.set(limbs[0]!, i64.add(limbs[0]!, i64.mul(over, WRAP_LOW)));
    a.set(limbs[1]!, i64.add(limbs[1]!, i64.mul(over, WRAP_HIGH)));
    propagate(a, limbs);
  }
  // p or more: what 2^256 - p makes of it has bit 256, which falls away.
  const isAbove = a.localI64();
  const isFull = limbs
    .slice(2, 9)
    .reduce<Expression>(
      (all, limb) => a.i32.and(all, i64.eq(limb, LIMB_MASK)),
      i64.eq(top, TOP_MASK),
    );
  const second = i64.add(
    i64.add(limbs[1]!, WRAP_HIGH),
    i64.shrU(i64.add(limbs[0]!, WRAP_LOW), BigInt(LIMB_BITS)),
  );
  a.set(isAbove, i64.extendU(a.i32.and(isFull, i64.gtU(second, LIMB_MASK))));
  a.set(limbs[0]!, i64.add(limbs[0]!, i64.mul(isAbove, WRAP_LOW)));
  a.set(limbs[1]!, i64.add(limbs[1]!, i64.mul(isAbove, WRAP_HIGH)));
  propagate(a, limbs);
  a.set(top, i64.and(top, TOP_MASK));
}

function propagate(a: Assembler, limbs: readonly Local[]): void {
  const { i64 } = a;
  for (let i = 0; i < LIMBS - 1; i++) {
    a.set(limbs[i + 1]!, i64.add(limbs[i + 1]!, i64.shrS(limbs[i]!, BigInt(LIMB_BITS))));
    a.set(limbs[i]!, i64.and(limbs[i]!, LIMB_MASK));
  }
}

function sum(a: Assembler, terms: readonly Expression[]): Expression {
  return terms.reduce((left, right) => a.i64.add(left, right));
}

function loadLimbs(a: Assembler, address: Local): Local[] {
  return Array.from({ length: LIMBS }, (_, i) => {
    const limb = a.localI64();
    a.set(limb, a.load('i64.load32_s', address, 4 * i));
    return limb;
  });
}

function storeLimbs(a: Assembler, address: Local, limbs: readonly Local[]): void {
  limbs.forEach((limb, i) => a.store('i64.store32', address, limb, 4 * i));
}

/** Ten limbs at a constant address, each computed as i32: sums, differences and small multiples in line. */
export function eachLimb(
  a: Assembler,
  out: number,
  limb: (load: (address: number) => Expression) => Expression,
): void {
  for (let i = 0; i < FIELD_BYTES; i += 4) {
    a.store(
      'i32.store',
      0,
      limb((address) => a.load('i32.load', 0, address + i)),
      out + i,
    );
  }
}
