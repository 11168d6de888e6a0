import type { Expression, Local } from '@polyvisor/wasm/assembler';
import type { PlainInstruction } from '@polyvisor/wasm/instructions';
import { F32, F64, I32 } from '@polyvisor/wasm/types';
import type { Emitter } from '../emitter.ts';
import { isNearest, needFloat, raiseInexact, writeFloat } from './float-state.ts';
import { TOWARDS_ZERO } from './soft-float.ts';

/**
 * Fast paths of floating point. WebAssembly rounds to nearest even and raises no flags; so a path holds where that mode
 * is in force, operands and result are far from the limits, and the one flag that is left, "inexact", can be told by
 * arithmetic that is exact. Else the instruction is left to `evaluate`.
 */
export interface FloatType {
  readonly prefix: 'f32' | 'f64';
  readonly type: typeof F32 | typeof F64;
  /** Of the pattern in a register, or NaN. */
  readonly read: (e: Emitter, register: Expression) => Expression;
  readonly write: (e: Emitter, value: Expression) => void;
  readonly exponentShift: bigint;
  readonly exponentMax: number;
}

const BOX = -0x1_0000_0000n;

export const f32: FloatType = {
  prefix: 'f32',
  type: F32,
  read: (e, register) => {
    const bits = e.op('i32.wrap_i64', register);
    const isBoxed = e.op('i64.ge_u', register, BOX);
    return e.op('f32.reinterpret_i32', e.a.select(isBoxed, bits, 0x7fc0_0000));
  },
  write: (e, value) => {
    const bits = e.op('i64.extend_i32_u', e.op('i32.reinterpret_f32', value));
    writeFloat(e, e.op('i64.or', bits, BOX));
  },
  exponentShift: 23n,
  exponentMax: 0xff,
};

export const f64: FloatType = {
  prefix: 'f64',
  type: F64,
  read: (e, register) => e.op('f64.reinterpret_i64', register),
  write: (e, value) => writeFloat(e, e.op('i64.reinterpret_f64', value)),
  exponentShift: 52n,
  exponentMax: 0x7ff,
};

type Operation = 'add' | 'sub' | 'mul' | 'div' | 'eq' | 'ne' | 'lt' | 'le' | 'ge' | 'min' | 'max';

const op = (e: Emitter, t: FloatType, name: Operation | 'sqrt', ...operands: Expression[]) =>
  e.op(`${t.prefix}.${name}` as PlainInstruction, ...operands);

const and = (e: Emitter, ...conditions: Expression[]): Expression =>
  conditions.reduce((a, b) => e.op('i32.and', a, b));
const or = (e: Emitter, ...conditions: Expression[]): Expression =>
  conditions.reduce((a, b) => e.op('i32.or', a, b));

function zero(e: Emitter, t: FloatType): Expression {
  return t === f64 ? e.op('f64.reinterpret_i64', 0n) : e.op('f32.reinterpret_i32', 0);
}

/** The biased exponent as an i32 local. */
function exponent(e: Emitter, t: FloatType, value: Expression): Local {
  const bits =
    t === f64
      ? e.op('i64.reinterpret_f64', value)
      : e.op('i64.extend_i32_u', e.op('i32.reinterpret_f32', value));
  const field = e.op('i32.wrap_i64', e.op('i64.shr_u', bits, t.exponentShift));
  return e.inLocal(e.op('i32.and', field, t.exponentMax), I32);
}

/** Whether an exponent is in [least, most]. */
function within(e: Emitter, value: Expression, least: number, most: number): Expression {
  return e.op('i32.le_u', e.op('i32.sub', value, least), most - least);
}

function unless(e: Emitter, holds: Expression): void {
  e.a.when(e.op('i32.eqz', holds), () => e.evaluate());
}

/** What is missing from a rounded sum: exact where nothing overflows. @see Knuth, TAOCP 2, section 4.2.2 */
function sumError(e: Emitter, t: FloatType, a: Local, b: Local, sum: Local): Expression {
  const part = e.inLocal(op(e, t, 'sub', sum, a), t.type);
  return op(e, t, 'add', op(e, t, 'sub', a, op(e, t, 'sub', sum, part)), op(e, t, 'sub', b, part));
}

export function emitAdd(t: FloatType, name: 'add' | 'sub'): (e: Emitter) => void {
  return (e) => {
    needFloat(e);
    const a = e.inLocal(t.read(e, e.rs1), t.type);
    const second = t.read(e, e.rs2);
    const negated = e.op(`${t.prefix}.neg` as PlainInstruction, second);
    const b = e.inLocal(name === 'add' ? second : negated, t.type);
    const sum = e.inLocal(op(e, t, 'add', a, b), t.type);
    // A sum below the normal numbers is exact.
    const isFar = e.op('i32.lt_u', exponent(e, t, sum), t.exponentMax - 1);
    unless(e, and(e, isFar, isNearest(e)));
    raiseInexact(e, op(e, t, 'ne', sumError(e, t, a, b, sum), zero(e, t)));
    t.write(e, sum);
  };
}

/** The significand as an i64, of a normal number. */
function significand(e: Emitter, value: Expression): Expression {
  const bits = e.op('i64.reinterpret_f64', value);
  const fraction = e.op('i64.and', bits, (1n << 52n) - 1n);
  return e.op('i64.or', fraction, 1n << 52n);
}

function shifted(e: Emitter, value: Expression, amount: Expression): Expression {
  return e.op('i64.shl', value, e.op('i64.extend_i32_u', amount));
}

/**
 * Product, quotient or root. Exact if the significands' equation holds, of which 64 bits tell, for the two sides differ
 * by less than 2^54:
 *
 *     r = a·b:  mr·2^k = ma·mb      r = a/b:  ma·2^k = mr·mb      r = √a:  ma·2^k = mr·mr       k is 52 or 53
 */
function emitDouble(name: 'mul' | 'div' | 'sqrt'): (e: Emitter) => void {
  return (e) => {
    needFloat(e);
    const a = e.inLocal(f64.read(e, e.rs1), F64);
    const b = name === 'sqrt' ? a : e.inLocal(f64.read(e, e.rs2), F64);
    const result = name === 'sqrt' ? op(e, f64, 'sqrt', a) : op(e, f64, name, a, b);
    const r = e.inLocal(result, F64);
    const [ea, eb, er] = [exponent(e, f64, a), exponent(e, f64, b), exponent(e, f64, r)];
    const isNormal = (value: Local): Expression => within(e, value, 1, 0x7fd);
    const isZero = (value: Local): Expression => op(e, f64, 'eq', value, zero(e, f64));
    // A factor or dividend of zero, where the result is a zero, too.
    const zeros = name === 'mul' ? or(e, isZero(a), isZero(b)) : isZero(a);
    const isExactZero = e.inLocal(and(e, isZero(r), zeros), I32);
    const areNormal = and(e, isNormal(ea), isNormal(eb), isNormal(er));
    unless(e, and(e, or(e, areNormal, isExactZero), isNearest(e)));
    const [ma, mb, mr] = [significand(e, a), significand(e, b), significand(e, r)];
    const times = (x: Expression, y: Expression): Expression => e.op('i64.mul', x, y);
    const sum = (x: Expression, y: Expression): Expression => e.op('i32.add', x, y);
    const less = (x: Expression, y: Expression): Expression => e.op('i32.sub', x, y);
    const [left, right] =
      name === 'mul'
        ? [shifted(e, mr, sum(less(less(er, ea), eb), 1023 + 52)), times(ma, mb)]
        : name === 'div'
          ? [shifted(e, ma, sum(less(less(ea, eb), er), 1023 + 52)), times(mr, mb)]
          : [shifted(e, ma, sum(less(less(ea, er), er), 1023 + 52)), times(mr, mr)];
    raiseInexact(e, and(e, e.op('i64.ne', left, right), e.op('i32.eqz', isExactZero)));
    f64.write(e, r);
  };
}

/** As `emitDouble`; here doubles hold the products of two singles exactly. */
function emitSingle(name: 'mul' | 'div' | 'sqrt'): (e: Emitter) => void {
  return (e) => {
    needFloat(e);
    const a = e.inLocal(f32.read(e, e.rs1), F32);
    const b = name === 'sqrt' ? a : e.inLocal(f32.read(e, e.rs2), F32);
    const result = name === 'sqrt' ? op(e, f32, 'sqrt', a) : op(e, f32, name, a, b);
    const r = e.inLocal(result, F32);
    const isZero = (value: Local): Expression => op(e, f32, 'eq', value, zero(e, f32));
    const zeros = name === 'mul' ? or(e, isZero(a), isZero(b)) : isZero(a);
    const isNormal = within(e, exponent(e, f32, r), 1, 0xfd);
    // Then the divisor is a finite number.
    const isFinite = within(e, exponent(e, f32, b), 0, 0xfe);
    unless(e, and(e, or(e, isNormal, and(e, isZero(r), zeros)), isFinite, isNearest(e)));
    const wide = (value: Expression): Expression => e.op('f64.promote_f32', value);
    const times = (x: Expression, y: Expression): Expression => op(e, f64, 'mul', wide(x), wide(y));
    raiseInexact(
      e,
      name === 'mul'
        ? op(e, f64, 'ne', wide(r), times(a, b))
        : op(e, f64, 'ne', wide(a), times(r, name === 'div' ? b : r)),
    );
    f32.write(e, r);
  };
}

export function emitProduct(t: FloatType, name: 'mul' | 'div' | 'sqrt'): (e: Emitter) => void {
  return t === f64 ? emitDouble(name) : emitSingle(name);
}

/** The sum rounded to odd: the neighbour towards zero, its last bit set, unless exact. @param error what `sum` lacks */
function roundedToOdd(e: Emitter, sum: Local, error: Local): Local {
  const bits = e.inLocal(e.op('i64.reinterpret_f64', sum));
  const sign = (value: Expression): Expression => e.op('i64.shr_u', value, 63n);
  const errorBits = e.op('i64.reinterpret_f64', error);
  const isAway = e.op('i64.xor', sign(bits), sign(errorBits));
  const odd = e.op('i64.or', e.op('i64.sub', bits, isAway), 1n);
  const isExact = op(e, f64, 'eq', error, zero(e, f64));
  return e.inLocal(e.op('f64.reinterpret_i64', e.a.select(isExact, bits, odd)), F64);
}

/** ±(a·b) ± c, rounded once. */
export function emitFused(
  t: FloatType,
  isProductNegated: boolean,
  isAddendNegated: boolean,
): (e: Emitter) => void {
  return (e) => {
    needFloat(e);
    const signed = (value: Expression, isNegated: boolean): Local =>
      e.inLocal(isNegated ? e.op(`${t.prefix}.neg` as PlainInstruction, value) : value, t.type);
    const a = signed(t.read(e, e.rs1), isProductNegated);
    const b = signed(t.read(e, e.rs2), false);
    const c = signed(t.read(e, e.rs3), isAddendNegated);
    if (t === f64) fusedDouble(e, a, b, c);
    else fusedSingle(e, a, b, c);
  };
}

function fusedSingle(e: Emitter, a: Local, b: Local, c: Local): void {
  const wide = (value: Local): Local => e.inLocal(e.op('f64.promote_f32', value), F64);
  const product = e.inLocal(op(e, f64, 'mul', wide(a), wide(b)), F64);
  const addend = wide(c);
  const sum = e.inLocal(op(e, f64, 'add', product, addend), F64);
  const error = e.inLocal(sumError(e, f64, product, addend, sum), F64);
  const odd = roundedToOdd(e, sum, error);
  const r = e.inLocal(e.op('f32.demote_f64', odd), F32);
  const isNormal = within(e, exponent(e, f32, r), 1, 0xfd);
  const isZero = op(e, f64, 'eq', sum, zero(e, f64));
  unless(e, and(e, or(e, isNormal, isZero), isNearest(e)));
  raiseInexact(e, op(e, f64, 'ne', e.op('f64.promote_f32', r), odd));
  f32.write(e, r);
}

/**
 * With the product as two doubles by Dekker, and the last sum rounded to odd before the final one.
 * @see Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008, figure 4
 */
function fusedDouble(e: Emitter, a: Local, b: Local, c: Local): void {
  const operate =
    (name: 'add' | 'sub' | 'mul') =>
    (x: Expression, y: Expression): Expression =>
      op(e, f64, name, x, y);
  const [add, sub, mul] = [operate('add'), operate('sub'), operate('mul')];
  const local = (value: Expression): Local => e.inLocal(value, F64);
  // Far enough from both ends that no step overflows, or loses bits.
  const isNear = (value: Local, range: number): Expression =>
    within(e, exponent(e, f64, value), 1023 - range, 1023 + range);
  const isZero = op(e, f64, 'eq', c, zero(e, f64));
  const operands = and(e, isNear(a, 400), isNear(b, 400), or(e, isNear(c, 900), isZero));
  unless(e, and(e, operands, isNearest(e)));
  const split = (value: Local): [Local, Local] => {
    const scaled = local(mul(value, e.op('f64.convert_i32_s', 2 ** 27 + 1)));
    const upper = local(sub(scaled, sub(scaled, value)));
    return [upper, local(sub(value, upper))];
  };
  const [ah, al] = split(a);
  const [bh, bl] = split(b);
  const uh = local(mul(a, b));
  const crossed = add(add(sub(mul(ah, bh), uh), mul(ah, bl)), mul(al, bh));
  const ul = local(add(crossed, mul(al, bl)));
  const th = local(add(c, ul));
  const tl = local(sumError(e, f64, c, ul, th));
  const vh = local(add(uh, th));
  const vl = local(sumError(e, f64, uh, th, vh));
  const low = local(add(tl, vl));
  const z = roundedToOdd(e, low, local(sumError(e, f64, tl, vl, low)));
  const r = local(add(vh, z));
  // Zero, whose sign is another matter, and what is near an end.
  unless(e, within(e, exponent(e, f64, r), 1, 0x7fd));
  raiseInexact(e, op(e, f64, 'ne', sumError(e, f64, vh, z, r), zero(e, f64)));
  f64.write(e, r);
}

/** Whether both are numbers. */
function areOrdered(e: Emitter, t: FloatType, a: Local, b: Local): Expression {
  return and(e, op(e, t, 'eq', a, a), op(e, t, 'eq', b, b));
}

export function emitExtreme(t: FloatType, name: 'min' | 'max'): (e: Emitter) => void {
  return (e) => {
    needFloat(e);
    const a = e.inLocal(t.read(e, e.rs1), t.type);
    const b = e.inLocal(t.read(e, e.rs2), t.type);
    unless(e, areOrdered(e, t, a, b));
    t.write(e, op(e, t, name, a, b));
  };
}

export function emitComparison(t: FloatType, name: 'eq' | 'lt' | 'le'): (e: Emitter) => void {
  return (e) => {
    needFloat(e);
    const a = e.inLocal(t.read(e, e.rs1), t.type);
    const b = e.inLocal(t.read(e, e.rs2), t.type);
    unless(e, areOrdered(e, t, a, b));
    e.write(e.op('i64.extend_i32_u', op(e, t, name, a, b)));
  };
}

export function emitWiden(e: Emitter): void {
  needFloat(e);
  const a = e.inLocal(f32.read(e, e.rs1), F32);
  unless(e, and(e, op(e, f32, 'eq', a, a), isNearest(e)));
  f64.write(e, e.op('f64.promote_f32', a));
}

export function emitNarrow(e: Emitter): void {
  needFloat(e);
  const a = e.inLocal(f64.read(e, e.rs1), F64);
  const r = e.inLocal(e.op('f32.demote_f64', a), F32);
  const isZero = op(e, f64, 'eq', a, zero(e, f64));
  const isNormal = within(e, exponent(e, f32, r), 1, 0xfd);
  unless(e, and(e, or(e, isNormal, isZero), isNearest(e)));
  raiseInexact(e, op(e, f64, 'ne', e.op('f64.promote_f32', r), a));
  f32.write(e, r);
}

/** Integers, of which a float may become one or the reverse. */
export interface IntegerType {
  readonly isSigned: boolean;
  readonly bits: 32 | 64;
}

export function emitToInteger(t: FloatType, { isSigned, bits }: IntegerType) {
  return (e: Emitter): void => {
    needFloat(e);
    const narrow = e.inLocal(t.read(e, e.rs1), t.type);
    const a = t === f64 ? narrow : e.inLocal(e.op('f64.promote_f32', narrow), F64);
    const isCut = e.inLocal(e.isRounding(TOWARDS_ZERO), I32);
    const whole = e.a.select(isCut, e.op('f64.trunc', a), e.op('f64.nearest', a));
    const r = e.inLocal(whole, F64);
    // Both limits are powers of two, or zero.
    const power = (two: number): Expression =>
      e.op('f64.reinterpret_i64', BigInt(1023 + two) << 52n);
    const least = isSigned ? e.op('f64.neg', power(bits - 1)) : zero(e, f64);
    const isInRange = and(
      e,
      op(e, f64, 'ge', r, least),
      op(e, f64, 'lt', r, power(isSigned ? bits - 1 : bits)),
    );
    unless(e, and(e, isInRange, or(e, isCut, isNearest(e))));
    raiseInexact(e, op(e, f64, 'ne', r, a));
    const value = e.op(isSigned ? 'i64.trunc_sat_f64_s' : 'i64.trunc_sat_f64_u', r);
    e.write(bits === 32 ? e.op('i64.extend32_s', value) : value);
  };
}

export function emitFromInteger(t: FloatType, { isSigned, bits }: IntegerType) {
  return (e: Emitter): void => {
    needFloat(e);
    unless(e, isNearest(e));
    const suffix = isSigned ? 's' : 'u';
    const cut = isSigned ? e.op('i64.extend32_s', e.rs1) : e.op('i64.and', e.rs1, 0xffff_ffffn);
    const a = e.inLocal(bits === 32 ? cut : e.rs1);
    const r = e.inLocal(e.op(`${t.prefix}.convert_i64_${suffix}`, a), t.type);
    // A number rounded up to the limit comes back as the limit less one, as if it had been that.
    const back = e.inLocal(e.op(`i64.trunc_sat_${t.prefix}_${suffix}`, r));
    const limit = isSigned ? 2n ** 63n - 1n : -1n;
    raiseInexact(e, or(e, e.op('i64.ne', back, a), e.op('i64.eq', back, limit)));
    t.write(e, r);
  };
}
