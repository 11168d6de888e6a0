/**
 * IEEE 754 binary arithmetic on bit patterns, exact by unbounded integers: what the fast paths are compared with, and
 * where they turn to.
 * @see IEEE 754-2019; RISC-V Unprivileged ISA 20240411, chapters 20 and 21
 */
export interface FloatFormat {
  readonly bits: number;
  /** Bits of the fraction, without the leading one. */
  readonly fractionBits: number;
  readonly exponentBits: number;
}

export const SINGLE: FloatFormat = { bits: 32, fractionBits: 23, exponentBits: 8 };
export const DOUBLE: FloatFormat = { bits: 64, fractionBits: 52, exponentBits: 11 };

/** Rounding modes as `frm` has them. */
export const NEAREST_EVEN = 0;
export const TOWARDS_ZERO = 1;
export const DOWN = 2;
export const UP = 3;
export const NEAREST_AWAY = 4;
/** In an instruction's `rm`: the mode is that of `frm`. */
export const DYNAMIC = 7;

/** Bits of `fflags`. */
export const INEXACT = 1;
export const UNDERFLOW = 2;
export const OVERFLOW = 4;
export const DIVIDED_BY_ZERO = 8;
export const INVALID = 16;

export interface FloatContext {
  readonly mode: number;
  /** Flags raised so far. */
  flags: number;
}

/** A finite number is ±significand · 2^exponent. */
interface Unpacked {
  readonly kind: 'finite' | 'infinite' | 'nan';
  readonly isNegative: boolean;
  readonly significand: bigint;
  readonly exponent: number;
  readonly isSignaling: boolean;
}

export function canonicalNan({ fractionBits, exponentBits }: FloatFormat): bigint {
  return ((1n << BigInt(exponentBits + 1)) - 1n) << BigInt(fractionBits - 1);
}

function infinity({ bits, fractionBits, exponentBits }: FloatFormat, isNegative: boolean): bigint {
  const magnitude = ((1n << BigInt(exponentBits)) - 1n) << BigInt(fractionBits);
  return isNegative ? magnitude | (1n << BigInt(bits - 1)) : magnitude;
}

function zero({ bits }: FloatFormat, isNegative: boolean): bigint {
  return isNegative ? 1n << BigInt(bits - 1) : 0n;
}

function bias({ exponentBits }: FloatFormat): number {
  return 2 ** (exponentBits - 1) - 1;
}

function unpack(format: FloatFormat, pattern: bigint): Unpacked {
  const { bits, fractionBits, exponentBits } = format;
  const fraction = BigInt.asUintN(fractionBits, pattern);
  const field = Number(BigInt.asUintN(exponentBits, pattern >> BigInt(fractionBits)));
  const isNegative = ((pattern >> BigInt(bits - 1)) & 1n) === 1n;
  if (field === 2 ** exponentBits - 1) {
    const isSignaling = fraction !== 0n && ((fraction >> BigInt(fractionBits - 1)) & 1n) === 0n;
    const kind = fraction === 0n ? 'infinite' : 'nan';
    return { kind, isNegative, significand: 0n, exponent: 0, isSignaling };
  }
  const significand = field === 0 ? fraction : fraction | (1n << BigInt(fractionBits));
  const exponent = Math.max(field, 1) - bias(format) - fractionBits;
  return { kind: 'finite', isNegative, significand, exponent, isSignaling: false };
}

function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

/** Whether a magnitude `quotient` with what was cut off goes one up. */
function roundsUp(
  mode: number,
  isNegative: boolean,
  quotient: bigint,
  toHalf: number,
  isInexact: boolean,
): boolean {
  switch (mode) {
    case NEAREST_EVEN:
      return toHalf > 0 || (toHalf === 0 && (quotient & 1n) === 1n);
    case NEAREST_AWAY:
      return toHalf >= 0;
    case DOWN:
      return isNegative && isInexact;
    case UP:
      return !isNegative && isInexact;
    default:
      return false;
  }
}

/**
 * Cuts `shift` bits off. `isMore`: the exact value lies a little beyond the significand.
 * @returns the rounded quotient, and whether it is not the exact value
 */
function cut(
  mode: number,
  isNegative: boolean,
  significand: bigint,
  shift: number,
  isMore: boolean,
): { quotient: bigint; isInexact: boolean } {
  if (shift <= 0) {
    const quotient = significand << BigInt(-shift);
    const isUp = roundsUp(mode, isNegative, quotient, -1, isMore);
    return { quotient: quotient + (isUp ? 1n : 0n), isInexact: isMore };
  }
  const quotient = significand >> BigInt(shift);
  const rest = significand - (quotient << BigInt(shift));
  const half = 1n << BigInt(shift - 1);
  const isInexact = rest !== 0n || isMore;
  const toHalf = rest > half ? 1 : rest < half ? -1 : isMore ? 1 : 0;
  const isUp = roundsUp(mode, isNegative, quotient, toHalf, isInexact);
  return { quotient: quotient + (isUp ? 1n : 0n), isInexact };
}

/** The number's pattern, rounded. Tininess is found after rounding, as RISC-V demands. */
function pack(
  format: FloatFormat,
  context: FloatContext,
  isNegative: boolean,
  significand: bigint,
  exponent: number,
  isMore = false,
): bigint {
  if (significand === 0n && !isMore) return zero(format, isNegative);
  const { fractionBits } = format;
  const leastNormal = 1 - bias(format);
  const highest = exponent + bitLength(significand) - 1;
  const { mode } = context;
  const lowest = Math.max(highest, leastNormal) - fractionBits;
  const packed = cut(mode, isNegative, significand, lowest - exponent, isMore);
  if (packed.isInexact) {
    context.flags |= INEXACT;
    if (highest < leastNormal) {
      const free = cut(mode, isNegative, significand, highest - fractionBits - exponent, isMore);
      const isTiny = highest + bitLength(free.quotient) - (fractionBits + 1) < leastNormal;
      if (isTiny) context.flags |= UNDERFLOW;
    }
  }
  let { quotient } = packed;
  let top = lowest;
  if (bitLength(quotient) > fractionBits + 1) {
    quotient >>= 1n;
    top++;
  }
  if (top + fractionBits > bias(format)) return overflowed(format, context, isNegative);
  const isNormal = quotient >> BigInt(fractionBits) !== 0n;
  const field = isNormal ? BigInt(top + fractionBits + bias(format)) : 0n;
  const fraction = BigInt.asUintN(fractionBits, quotient);
  return zero(format, isNegative) | (field << BigInt(fractionBits)) | fraction;
}

function overflowed(format: FloatFormat, context: FloatContext, isNegative: boolean): bigint {
  context.flags |= OVERFLOW | INEXACT;
  const { mode } = context;
  const isInfinite =
    mode === NEAREST_EVEN || mode === NEAREST_AWAY || mode === (isNegative ? DOWN : UP);
  const limit = infinity(format, isNegative);
  return isInfinite ? limit : limit - 1n;
}

function invalid(format: FloatFormat, context: FloatContext): bigint {
  context.flags |= INVALID;
  return canonicalNan(format);
}

/** The result where an operand is no number; a signaling one raises the flag. */
function nanOf(format: FloatFormat, context: FloatContext, ...operands: Unpacked[]): bigint {
  if (operands.some(({ isSignaling }) => isSignaling)) context.flags |= INVALID;
  return canonicalNan(format);
}

export function negate(format: FloatFormat, a: bigint): bigint {
  return a ^ (1n << BigInt(format.bits - 1));
}

export function add(format: FloatFormat, context: FloatContext, a: bigint, b: bigint): bigint {
  const x = unpack(format, a);
  const y = unpack(format, b);
  if (x.kind === 'nan' || y.kind === 'nan') return nanOf(format, context, x, y);
  if (x.kind === 'infinite' && y.kind === 'infinite' && x.isNegative !== y.isNegative) {
    return invalid(format, context);
  }
  if (x.kind === 'infinite') return a;
  if (y.kind === 'infinite') return b;
  return sum(format, context, x, y);
}

/** Of two finite numbers. */
function sum(
  format: FloatFormat,
  context: FloatContext,
  x: Pick<Unpacked, 'isNegative' | 'significand' | 'exponent'>,
  y: Pick<Unpacked, 'isNegative' | 'significand' | 'exponent'>,
): bigint {
  const exponent = Math.min(x.exponent, y.exponent);
  const signed = ({ isNegative, significand, exponent: e }: typeof x): bigint =>
    (isNegative ? -significand : significand) << BigInt(e - exponent);
  const total = signed(x) + signed(y);
  if (total === 0n) {
    const isNegative = x.isNegative === y.isNegative ? x.isNegative : context.mode === DOWN;
    return zero(format, isNegative);
  }
  return pack(format, context, total < 0n, total < 0n ? -total : total, exponent);
}

export function multiply(format: FloatFormat, context: FloatContext, a: bigint, b: bigint): bigint {
  const x = unpack(format, a);
  const y = unpack(format, b);
  if (x.kind === 'nan' || y.kind === 'nan') return nanOf(format, context, x, y);
  const isNegative = x.isNegative !== y.isNegative;
  if (x.kind === 'infinite' || y.kind === 'infinite') {
    return isZeroTimesInfinity(x, y) ? invalid(format, context) : infinity(format, isNegative);
  }
  const exponent = x.exponent + y.exponent;
  return pack(format, context, isNegative, x.significand * y.significand, exponent);
}

function isZeroTimesInfinity(x: Unpacked, y: Unpacked): boolean {
  const isZero = ({ kind, significand }: Unpacked): boolean =>
    kind === 'finite' && significand === 0n;
  return (x.kind === 'infinite' && isZero(y)) || (y.kind === 'infinite' && isZero(x));
}

/** a · b + c with one rounding. */
export function multiplyAdd(
  format: FloatFormat,
  context: FloatContext,
  a: bigint,
  b: bigint,
  c: bigint,
): bigint {
  const x = unpack(format, a);
  const y = unpack(format, b);
  const z = unpack(format, c);
  // RISC-V raises the flag for 0 · ∞ even where the addend is a quiet NaN.
  if (isZeroTimesInfinity(x, y)) return invalid(format, context);
  if (x.kind === 'nan' || y.kind === 'nan' || z.kind === 'nan') {
    return nanOf(format, context, x, y, z);
  }
  const isNegative = x.isNegative !== y.isNegative;
  if (x.kind === 'infinite' || y.kind === 'infinite') {
    const isOpposite = z.kind === 'infinite' && z.isNegative !== isNegative;
    return isOpposite ? invalid(format, context) : infinity(format, isNegative);
  }
  if (z.kind === 'infinite') return c;
  const significand = x.significand * y.significand;
  return sum(format, context, { isNegative, significand, exponent: x.exponent + y.exponent }, z);
}

export function divide(format: FloatFormat, context: FloatContext, a: bigint, b: bigint): bigint {
  const x = unpack(format, a);
  const y = unpack(format, b);
  if (x.kind === 'nan' || y.kind === 'nan') return nanOf(format, context, x, y);
  const isNegative = x.isNegative !== y.isNegative;
  if (x.kind === 'infinite') {
    return y.kind === 'infinite' ? invalid(format, context) : infinity(format, isNegative);
  }
  if (y.kind === 'infinite') return zero(format, isNegative);
  if (y.significand === 0n) {
    if (x.significand === 0n) return invalid(format, context);
    context.flags |= DIVIDED_BY_ZERO;
    return infinity(format, isNegative);
  }
  // More bits of the quotient than any rounding looks at; the rest is only zero or not.
  const extra = BigInt(2 * format.fractionBits + 6);
  const dividend = x.significand << extra;
  const quotient = dividend / y.significand;
  const isMore = quotient * y.significand !== dividend;
  const exponent = x.exponent - y.exponent - Number(extra);
  return pack(format, context, isNegative, quotient, exponent, isMore);
}

export function squareRoot(format: FloatFormat, context: FloatContext, a: bigint): bigint {
  const x = unpack(format, a);
  if (x.kind === 'nan') return nanOf(format, context, x);
  if (x.kind === 'finite' && x.significand === 0n) return a;
  if (x.isNegative) return invalid(format, context);
  if (x.kind === 'infinite') return a;
  const extra = 2 * format.fractionBits + 8 + (x.exponent & 1);
  const radicand = x.significand << BigInt(extra);
  const root = integerRoot(radicand);
  return pack(format, context, false, root, (x.exponent - extra) / 2, root * root !== radicand);
}

/** The greatest integer whose square is not above, by Newton's iteration from above. */
function integerRoot(value: bigint): bigint {
  let root = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

export function compare(
  format: FloatFormat,
  context: FloatContext,
  relation: 'equal' | 'less' | 'less-or-equal',
  a: bigint,
  b: bigint,
): boolean {
  const x = unpack(format, a);
  const y = unpack(format, b);
  if (x.kind === 'nan' || y.kind === 'nan') {
    if (relation !== 'equal' || x.isSignaling || y.isSignaling) context.flags |= INVALID;
    return false;
  }
  const [p, q] = [order(format, a), order(format, b)];
  if (relation === 'equal') return p === q;
  return relation === 'less' ? p < q : p <= q;
}

/** Numbers in order as integers; both zeros are 0. */
function order(format: FloatFormat, a: bigint): bigint {
  const magnitude = BigInt.asUintN(format.bits - 1, a);
  return magnitude === a ? magnitude : -magnitude;
}

/** The lesser or greater, -0 below 0, a number rather than a NaN. */
export function extreme(
  format: FloatFormat,
  context: FloatContext,
  which: 'minimum' | 'maximum',
  a: bigint,
  b: bigint,
): bigint {
  const x = unpack(format, a);
  const y = unpack(format, b);
  if (x.isSignaling || y.isSignaling) context.flags |= INVALID;
  if (x.kind === 'nan') return y.kind === 'nan' ? canonicalNan(format) : b;
  if (y.kind === 'nan') return a;
  const [p, q] = [order(format, a), order(format, b)];
  const isFirstLess = p < q || (p === q && x.isNegative);
  return isFirstLess === (which === 'minimum') ? a : b;
}

/** @see RISC-V Unprivileged ISA 20240411, table 28 "Format of result of FCLASS instruction" */
export function classify(format: FloatFormat, a: bigint): bigint {
  const { kind, isNegative, significand, isSignaling } = unpack(format, a);
  if (kind === 'nan') return isSignaling ? 1n << 8n : 1n << 9n;
  const isNormal = significand >> BigInt(format.fractionBits) !== 0n;
  const magnitude = kind === 'infinite' ? 3n : isNormal ? 2n : significand === 0n ? 0n : 1n;
  return 1n << (isNegative ? 3n - magnitude : 4n + magnitude);
}

export function convert(
  from: FloatFormat,
  to: FloatFormat,
  context: FloatContext,
  a: bigint,
): bigint {
  const x = unpack(from, a);
  if (x.kind === 'nan') return nanOf(to, context, x);
  if (x.kind === 'infinite') return infinity(to, x.isNegative);
  return pack(to, context, x.isNegative, x.significand, x.exponent);
}

export function fromInteger(format: FloatFormat, context: FloatContext, value: bigint): bigint {
  return pack(format, context, value < 0n, value < 0n ? -value : value, 0);
}

/** The integer, or the nearest limit with the flag; NaN is the highest. */
export function toInteger(
  format: FloatFormat,
  context: FloatContext,
  a: bigint,
  least: bigint,
  greatest: bigint,
): bigint {
  const x = unpack(format, a);
  if (x.kind !== 'finite') {
    context.flags |= INVALID;
    return x.kind === 'infinite' && x.isNegative ? least : greatest;
  }
  const { quotient, isInexact } = cut(
    context.mode,
    x.isNegative,
    x.significand,
    -x.exponent,
    false,
  );
  const value = x.isNegative ? -quotient : quotient;
  if (value < least || value > greatest) {
    context.flags |= INVALID;
    return value < least ? least : greatest;
  }
  if (isInexact) context.flags |= INEXACT;
  return value;
}
