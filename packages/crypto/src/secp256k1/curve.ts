import { Assembler, type Expression } from '@polyvisor/wasm/assembler';
import type { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { I32 } from '@polyvisor/wasm/types';
import { limbOfWords, wordOfLimbs } from './bits.ts';
import { FIELD_BYTES, type FieldKernels, LIMBS, eachLimb, emitField } from './field.ts';
import { INVERSE_BYTES, emitInverse } from './inverse.ts';

/** @see SEC 2, version 2.0, section 2.4.1 */
export const FIELD_PRIME = 2n ** 256n - 2n ** 32n - 977n;
export const GROUP_ORDER =
  0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n;
export const GENERATOR_X =
  0x79be667e_f9dcbbac_55a06295_ce870b07_029bfcdb_2dce28d9_59f2815b_16f81798n;

/** beta * x is the x of lambda * (x, y), whose y is the same. @see GLV, "Faster point multiplication", 2001 */
const BETA = 0x7ae96a2b_657c0710_6e64479e_ac3434e9_9cf04975_12f58995_c1396c28_719501een;

const LIMB_BITS = 26;

/** Widths of the signed digits that scalars are written in: odd ones, so a table has 2^(width-2) points. */
export const GENERATOR_WIDTH = 8;
export const POINT_WIDTH = 5;
const GENERATOR_COUNT = 2 ** (GENERATOR_WIDTH - 2);
const POINT_COUNT = 2 ** (POINT_WIDTH - 2);

/** Digits of a scalar of 128 bits, and one more for what recoding carries. */
export const DIGITS = 130;

let top = 0;
function allot(bytes: number): number {
  const at = top;
  top += (bytes + 15) & -16;
  return at;
}

/** A point as the tables have it: x, y. */
const POINT_BYTES = 2 * FIELD_BYTES;

/** Where things are in the module's memory. */
export const layout = {
  /** Four words, least significant first: x of the point to lift, a number to invert; x of the result. */
  words: allot(32),
  /** y of the result. */
  secondWords: allot(32),
  /** Digits of the scalars for the generator, lambda times it, the point, lambda times it: bytes, lowest first. */
  digits: allot(4 * DIGITS),
} as const;

const at = {
  x: allot(FIELD_BYTES),
  y: allot(FIELD_BYTES),
  z: allot(FIELD_BYTES),
  isInfinite: allot(4),
  addendX: allot(FIELD_BYTES),
  addendY: allot(FIELD_BYTES),
  baseX: allot(FIELD_BYTES),
  baseY: allot(FIELD_BYTES),
  beta: allot(FIELD_BYTES),
  t: Array.from({ length: 12 }, () => allot(FIELD_BYTES)),
  inverse: allot(INVERSE_BYTES),
  orderInverse: allot(INVERSE_BYTES),
  /** Points of a table under construction: x, y, z and the product of all z up to it. */
  open: allot(GENERATOR_COUNT * 4 * FIELD_BYTES),
  tables: [GENERATOR_COUNT, GENERATOR_COUNT, POINT_COUNT, POINT_COUNT].map((count) =>
    allot(count * POINT_BYTES),
  ),
} as const;

export const MEMORY_BYTES = top;

/** Exports that act on the memory of `layout`. */
export interface CurveExports {
  /** words := 1 / words modulo the group's order. */
  invertScalar(): void;
  /** Makes the point with x = words and y of a parity the base. 0 where there is none. */
  lift(parity: number): number;
  /** Fills the generator's tables from the base. */
  setGenerator(): void;
  /** The sum of the four products of points and digits, to words and secondWords. 0 where it is at infinity. */
  multiply(): number;
}

export function emitCurve(m: ModuleWriter): void {
  m.data(at.beta, fieldBytes(BETA));
  const field = emitField(m);
  const invertWords = emitInverse(m, 'field', FIELD_PRIME, layout.words, at.inverse);
  const invert = emitFieldInverse(m, field, invertWords);
  const double = emitDouble(m, field);
  const add = emitAdd(m, field, double);
  const table = emitTable(m, field, { double, add, invert });
  const invertScalar = emitInverse(m, 'scalar', GROUP_ORDER, layout.words, at.orderInverse);
  m.exportFunction('invertScalar', invertScalar);
  m.exportFunction('lift', emitLift(m, field));
  m.exportFunction('setGenerator', emitSetGenerator(m, table));
  m.exportFunction('multiply', emitMultiply(m, field, { double, add, invert, table }));
}

/** Field operations on constant addresses. */
function operations(a: Assembler, field: FieldKernels) {
  return {
    mul: (out: number, x: number, y: number): void => void a.run(field.multiply, out, x, y),
    sqr: (out: number, x: number): void => void a.run(field.square, out, x),
    /** x^(2^times) */
    sqrTimes: (out: number, x: number, times: number): void => {
      const count = a.localI32();
      a.run(field.square, out, x).set(count, times - 1);
      a.while(count, () => a.run(field.square, out, out).set(count, a.i32.sub(count, 1)));
    },
    isZero: (x: number): Expression => a.call(field.isZero, x),
    sub: (out: number, x: number, y: number): void =>
      eachLimb(a, out, (load) => a.i32.sub(load(x), load(y))),
    scale: (out: number, x: number, by: number): void =>
      eachLimb(a, out, (load) => a.i32.mul(load(x), by)),
    copy: (out: number, x: number): void => copyPairs(a, out, x, FIELD_BYTES),
  };
}

function copyPairs(a: Assembler, out: Expression & number, x: number, bytes: number): void {
  for (let i = 0; i < bytes; i += 8) {
    a.store('i64.store', 0, a.load('i64.load', 0, x + i), out + i);
  }
}

function setSmall(a: Assembler, out: number, value: number): void {
  for (let i = 0; i < LIMBS; i++) a.store('i32.store', 0, i === 0 ? value : 0, out + 4 * i);
}

/** (x, y, z) := 2 (x, y, z). Magnitudes: of x and y at most 9, of z 2. @see EFD, shortw/jacobian-0, dbl-2009-l */
function emitDouble(m: ModuleWriter, field: FieldKernels): number {
  const a = new Assembler(m.function([], [], 'secp256k1-double'));
  const { mul, sqr, sub, scale } = operations(a, field);
  const { x, y, z } = at;
  const [xx, yy, yyyy, xyy, slope, rest] = at.t as [number, number, number, number, number, number];
  sqr(xx, x);
  sqr(yy, y);
  sqr(yyyy, yy);
  mul(xyy, x, yy);
  mul(z, y, z);
  scale(z, z, 2);
  scale(slope, xx, 3);
  sqr(x, slope);
  scale(xyy, xyy, 4);
  eachLimb(a, x, (load) => a.i32.sub(load(x), a.i32.mul(load(xyy), 2)));
  sub(rest, xyy, x);
  mul(y, slope, rest);
  eachLimb(a, y, (load) => a.i32.sub(load(y), a.i32.mul(load(yyyy), 8)));
  return a.f.index;
}

/** (x, y, z) += (addendX, addendY). Magnitudes: of x 4, of y 2, of z 1. @see EFD, shortw/jacobian-0, madd-2004-hmv */
function emitAdd(m: ModuleWriter, field: FieldKernels, double: number): number {
  const a = new Assembler(m.function([], [], 'secp256k1-add'));
  const { mul, sqr, sub, copy, isZero } = operations(a, field);
  const { x, y, z, addendX, addendY } = at;
  const [zz, h, slope, hh, hhh, v, rest] = at.t as [
    ...[number, number, number, number],
    ...[number, number, number],
  ];
  a.when(a.load('i32.load', 0, at.isInfinite), () => {
    copy(x, addendX);
    copy(y, addendY);
    setSmall(a, z, 1);
    a.store('i32.store', 0, 0, at.isInfinite);
    a.return();
  });
  sqr(zz, z);
  mul(h, addendX, zz);
  sub(h, h, x);
  mul(rest, z, zz);
  mul(slope, addendY, rest);
  sub(slope, slope, y);
  a.when(isZero(h), () => {
    a.when(
      isZero(slope),
      () => a.run(double),
      () => a.store('i32.store', 0, 1, at.isInfinite),
    );
    a.return();
  });
  sqr(hh, h);
  mul(hhh, h, hh);
  mul(v, x, hh);
  mul(z, z, h);
  sqr(x, slope);
  eachLimb(a, x, (load) => a.i32.sub(a.i32.sub(load(x), load(hhh)), a.i32.mul(load(v), 2)));
  sub(rest, v, x);
  mul(rest, slope, rest);
  mul(y, y, hhh);
  sub(y, rest, y);
  return a.f.index;
}

/** (out, x): out := 1 / x. */
function emitFieldInverse(m: ModuleWriter, field: FieldKernels, invertWords: number): number {
  const a = new Assembler(m.function([I32, I32], [], 'secp256k1-inverse'));
  const scratch = at.t[11]!;
  for (let i = 0; i < FIELD_BYTES; i += 4) {
    a.store('i32.store', 0, a.load('i32.load', a.param(1), i), scratch + i);
  }
  storeWords(a, field, scratch, layout.words);
  a.run(invertWords);
  for (let i = 0; i < LIMBS; i++) {
    a.store('i64.store32', a.param(0), limbOfWords(a, layout.words, LIMB_BITS, i), 4 * i);
  }
  return a.f.index;
}

/** Normalizes an element and writes it as four words. */
function storeWords(a: Assembler, field: FieldKernels, element: number, words: number): void {
  a.run(field.normalize, element);
  for (let word = 0; word < 4; word++) {
    const value = wordOfLimbs(
      a,
      (i) => a.load('i64.load32_u', 0, element + 4 * i),
      LIMB_BITS,
      LIMBS,
      word,
    );
    a.store('i64.store', 0, value, words + 8 * word);
  }
}

/** y is x^3 + 7 to the power (p + 1) / 4, if that is a root: blocks of ones of 223, 22 and 2 bits. */
function emitLift(m: ModuleWriter, field: FieldKernels): number {
  const a = new Assembler(m.function([I32], [I32], 'secp256k1-lift'));
  const { mul, sqr, sqrTimes, sub, scale, copy, isZero } = operations(a, field);
  const { baseX, baseY } = at;
  const [square, x2, x3, x11, x22, x44, x88, x220, root] = at.t as [
    ...[number, number, number, number, number],
    ...[number, number, number, number],
  ];
  for (let i = 0; i < LIMBS; i++) {
    a.store('i64.store32', 0, limbOfWords(a, layout.words, LIMB_BITS, i), baseX + 4 * i);
  }
  sqr(square, baseX);
  mul(square, square, baseX);
  a.store('i32.store', 0, a.i32.add(a.load('i32.load', 0, square), 7), square);
  /** out := x^(2^times) * y, whose exponents are blocks of ones. */
  const chain = (out: number, x: number, times: number, y: number): void => {
    sqrTimes(root, x, times);
    mul(out, root, y);
  };
  chain(x2, square, 1, square);
  chain(x3, x2, 1, square);
  chain(x11, x3, 3, x3);
  chain(x11, x11, 3, x3);
  chain(x11, x11, 2, x2);
  chain(x22, x11, 11, x11);
  chain(x44, x22, 22, x22);
  chain(x88, x44, 44, x44);
  chain(x220, x88, 88, x88);
  chain(x220, x220, 44, x44);
  chain(x220, x220, 3, x3);
  chain(root, x220, 23, x22);
  copy(x220, root);
  chain(root, x220, 6, x2);
  copy(x220, root);
  sqrTimes(baseY, x220, 2);
  sqr(root, baseY);
  sub(root, root, square);
  a.when(a.i32.eqz(isZero(root)), () => a.return(0));
  a.run(field.normalize, baseY);
  const parity = a.i32.and(a.load('i32.load', 0, baseY), 1);
  a.when(a.i32.ne(parity, a.param(0)), () => scale(baseY, baseY, -1));
  return a.return(1).f.index;
}

interface PointKernels {
  readonly double: number;
  readonly add: number;
  /** (out, x) of a field element */
  readonly invert: number;
}

/**
 * (table, lambdaTable, count): odd multiples 1, 3, … of the base, and of lambda times it. The points are added up with
 * one inversion, and all made affine with another.
 */
function emitTable(
  m: ModuleWriter,
  field: FieldKernels,
  { double, add, invert }: PointKernels,
): number {
  const a = new Assembler(m.function([I32, I32, I32], [], 'secp256k1-table'));
  const { i32 } = a;
  const [table, lambdaTable, count] = [a.param(0), a.param(1), a.param(2)];
  const { mul, sqr, copy } = operations(a, field);
  const { x, y, z, addendX, addendY, baseX, baseY } = at;
  const [inverse, zInverse, square, cube] = at.t.slice(7, 11) as [number, number, number, number];
  const [open, end] = [a.localI32(), a.localI32()];
  const [OPEN_Z, OPEN_PRODUCT] = [2 * FIELD_BYTES, 3 * FIELD_BYTES];
  const OPEN_BYTES = 4 * FIELD_BYTES;
  const startFromBase = (): void => {
    copy(x, baseX);
    copy(y, baseY);
    setSmall(a, z, 1);
    a.store('i32.store', 0, 0, at.isInfinite);
  };
  startFromBase();
  a.run(double).run(invert, inverse, z);
  sqr(square, inverse);
  mul(addendX, x, square);
  mul(cube, square, inverse);
  mul(addendY, y, cube);
  startFromBase();

  a.set(open, at.open).set(end, i32.add(at.open, i32.mul(count, OPEN_BYTES)));
  copyTo(a, open, x, 3 * FIELD_BYTES);
  copyTo(a, i32.add(open, OPEN_PRODUCT), z, FIELD_BYTES);
  a.set(open, i32.add(open, OPEN_BYTES));
  a.while(i32.ltU(open, end), () => {
    a.run(add);
    copyTo(a, open, x, 3 * FIELD_BYTES);
    const [product, before] = [i32.add(open, OPEN_PRODUCT), i32.sub(open, FIELD_BYTES)];
    a.run(field.multiply, product, before, z);
    a.set(open, i32.add(open, OPEN_BYTES));
  });
  // Backwards: the inverse of a product, times the product before, is the inverse of the last factor.
  a.run(invert, inverse, i32.sub(open, FIELD_BYTES));
  a.set(table, i32.add(table, i32.mul(count, POINT_BYTES)));
  a.set(lambdaTable, i32.add(lambdaTable, i32.mul(count, POINT_BYTES)));
  a.repeat(
    () => {
      a.set(open, i32.sub(open, OPEN_BYTES));
      a.set(table, i32.sub(table, POINT_BYTES)).set(lambdaTable, i32.sub(lambdaTable, POINT_BYTES));
      a.when(
        i32.ne(open, at.open),
        () => {
          a.run(field.multiply, zInverse, inverse, i32.sub(open, FIELD_BYTES));
          a.run(field.multiply, inverse, inverse, i32.add(open, OPEN_Z));
        },
        () => copy(zInverse, inverse),
      );
      sqr(square, zInverse);
      mul(cube, square, zInverse);
      a.run(field.multiply, table, open, square);
      a.run(field.multiply, i32.add(table, FIELD_BYTES), i32.add(open, FIELD_BYTES), cube);
      a.run(field.multiply, lambdaTable, table, at.beta);
      for (let i = FIELD_BYTES; i < POINT_BYTES; i += 8) {
        a.store('i64.store', lambdaTable, a.load('i64.load', table, i), i);
      }
    },
    i32.ne(open, at.open),
  );
  return a.f.index;
}

/** Copies from a constant address; what lies one behind the other goes along. */
function copyTo(a: Assembler, out: Expression, x: number, bytes: number): void {
  for (let i = 0; i < bytes; i += 8) {
    const gap = Math.floor(i / FIELD_BYTES) * (at.y - at.x - FIELD_BYTES);
    a.store('i64.store', out, a.load('i64.load', 0, x + i + gap), i);
  }
}

function emitSetGenerator(m: ModuleWriter, table: number): number {
  const a = new Assembler(m.function([], [], 'secp256k1-set-generator'));
  a.run(table, at.tables[0]!, at.tables[1]!, GENERATOR_COUNT);
  return a.f.index;
}

function emitMultiply(
  m: ModuleWriter,
  field: FieldKernels,
  { double, add, invert, table }: PointKernels & { readonly table: number },
): number {
  const a = new Assembler(m.function([], [I32], 'secp256k1-multiply-points'));
  const { i32 } = a;
  const { mul, sqr } = operations(a, field);
  const [index, digit, entry] = [a.localI32(), a.localI32(), a.localI32()];
  a.run(table, at.tables[2]!, at.tables[3]!, POINT_COUNT);
  a.store('i32.store', 0, 1, at.isInfinite);
  a.set(index, DIGITS);
  a.repeat(() => {
    a.set(index, i32.sub(index, 1));
    a.when(i32.eqz(a.load('i32.load', 0, at.isInfinite)), () => a.run(double));
    at.tables.forEach((points, stream) => {
      a.set(digit, a.load('i32.load8_s', index, layout.digits + stream * DIGITS));
      a.when(digit, () => {
        loadPoint(a, points, digit, entry);
        a.run(add);
      });
    });
  }, index);
  a.when(a.load('i32.load', 0, at.isInfinite), () => a.return(0));
  const [inverse, square] = at.t.slice(0, 2) as [number, number];
  a.run(invert, inverse, at.z);
  sqr(square, inverse);
  mul(at.x, at.x, square);
  mul(square, square, inverse);
  mul(at.y, at.y, square);
  storeWords(a, field, at.x, layout.words);
  storeWords(a, field, at.y, layout.secondWords);
  return a.return(1).f.index;
}

/** The addend := the point of an odd digit; a negative one negates y. */
function loadPoint(
  a: Assembler,
  points: number,
  digit: Expression & object,
  entry: Parameters<Assembler['set']>[0],
): void {
  const { i32 } = a;
  const sign = i32.shrS(digit, 31);
  const magnitude = i32.sub(i32.xor(digit, sign), sign);
  a.set(entry, i32.add(points, i32.mul(i32.shrU(magnitude, 1), POINT_BYTES)));
  for (let i = 0; i < FIELD_BYTES; i += 8) {
    a.store('i64.store', 0, a.load('i64.load', entry, i), at.addendX + i);
  }
  for (let i = 0; i < FIELD_BYTES; i += 4) {
    const limb = a.load('i32.load', entry, FIELD_BYTES + i);
    a.store('i32.store', 0, i32.sub(i32.xor(limb, sign), sign), at.addendY + i);
  }
}

function fieldBytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(FIELD_BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < LIMBS; i++) {
    view.setUint32(4 * i, Number((value >> BigInt(LIMB_BITS * i)) & 0x3ff_ffffn), true);
  }
  return bytes;
}
