import { Assembler, type Expression, type Local } from '@polyvisor/wasm/assembler';
import type { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { I32, I64 } from '@polyvisor/wasm/types';
import { WideMultiplier } from './wide.ts';

/**
 * Division of up to 512 bits by up to 256, in limbs of 64 bits. The divisor is shifted until its top bit is set and
 * its reciprocal taken; each quotient limb then costs a "3 by 2" division: two wide products, no division.
 * The last divisor's shift and reciprocal are kept, because hot loops divide by one modulus.
 * @see N. Möller and T. Granlund, "Improved division by invariant integers", IEEE Transactions on Computers, 2011:
 * algorithm 4 (quotient limb) and algorithm 6 (reciprocal)
 */
export interface DivisionLayout {
  /** 8 limbs, least significant first: the dividend, written by the caller. */
  readonly dividend: number;
  /** 4 limbs: the divisor, not zero, written by the caller. */
  readonly divisor: number;
  /** Low 4 limbs of the quotient. */
  readonly quotient: number;
  /** 4 limbs. */
  readonly remainder: number;
}

/** Offsets inside the 1 KiB of scratch. */
const DIVIDEND = 0;
const SHIFTED = 64;
const DIVISOR = 192;
const LAST_DIVISOR = 224;
const NORMAL = 256;
const RECIPROCAL = 288;
/** Whole limbs of the shift, in bytes. */
const SHIFT_BYTES = 296;
const SHIFT_BITS = 304;
const QUOTIENT = 320;
/** 4 limbs and 4 zeros above. */
const REMAINDER = 448;

export function emitDivision(
  m: ModuleWriter,
  scratch: number,
): { readonly divide: number; readonly layout: DivisionLayout } {
  const reciprocal = emitReciprocal(m);
  const prepare = emitPrepare(m, scratch, reciprocal);
  const divide = emitDivide(m, scratch, prepare);
  return {
    divide,
    layout: {
      dividend: scratch + DIVIDEND,
      divisor: scratch + DIVISOR,
      quotient: scratch + QUOTIENT,
      remainder: scratch + REMAINDER,
    },
  };
}

/** (d1, d0) with the top bit of d1 set -> floor((2^192 - 1) / (d1, d0)) - 2^64. */
function emitReciprocal(m: ModuleWriter): number {
  const a = new Assembler(m.function([I64, I64], [I64], 'reciprocal'));
  const { i64 } = a;
  const [d1, d0] = [a.param(0), a.param(1)];
  const wide = new WideMultiplier(a);
  const v = a.localI64();
  const p = a.localI64();
  const [t1, t0] = [a.localI64(), a.localI64()];
  // The dividend is (~d1, 2^64 - 1): what remains after the implicit leading 1 of the quotient.
  a.set(t1, i64.xor(d1, -1n));
  divideTwoByOne(a, t1, -1n, d1, v);
  // Algorithm 6: corrects the reciprocal of d1 for d0.
  a.set(p, i64.add(i64.mul(d1, v), d0));
  const decrement = (): void => void a.set(v, i64.sub(v, 1n));
  a.when(i64.ltU(p, d0), () => {
    decrement();
    a.when(i64.geU(p, d1), () => {
      decrement();
      a.set(p, i64.sub(p, d1));
    });
    a.set(p, i64.sub(p, d1));
  });
  wide.multiply(v, d0, t0, t1);
  a.set(p, i64.add(p, t1));
  a.when(i64.ltU(p, t1), () => {
    decrement();
    const isAbove = a.i32.or(i64.gtU(p, d1), a.i32.and(i64.eq(p, d1), i64.geU(t0, d0)));
    a.when(isAbove, decrement);
  });
  a.return(v);
  return a.f.index;
}

/**
 * Adds `(high, low, d) -> quotient, remainder` for a normalised d and high < d: Knuth's division with 32-bit digits.
 * @returns the function's index
 */
export function emitTwoByOne(m: ModuleWriter): number {
  const a = new Assembler(m.function([I64, I64, I64], [I64, I64], 'divide-2-by-1'));
  const quotient = a.localI64();
  const rest = divideTwoByOne(a, a.param(0), a.param(1), a.param(2), quotient);
  a.return(quotient, rest);
  return a.f.index;
}

/**
 * quotient := floor((top, low) / d) for a normalised d and top < d, which becomes part of the remainder.
 * @returns the local with the remainder
 */
function divideTwoByOne(
  a: Assembler,
  top: Local,
  low: Expression,
  d: Local,
  quotient: Local,
): Local {
  const { i64 } = a;
  const [high, below, digit, rest] = [a.localI64(), a.localI64(), a.localI64(), a.localI64()];
  const half = 32n;
  const mask = 0xffff_ffffn;
  a.set(high, i64.shrU(d, half));
  a.set(below, i64.and(d, mask));
  for (const isFirst of [true, false]) {
    const next = isFirst ? i64.shrU(low, half) : i64.and(low, mask);
    a.set(digit, i64.divU(top, high));
    a.set(rest, i64.sub(top, i64.mul(digit, high)));
    a.f.block().loop();
    const isTooBig = a.i32.or(
      i64.gtU(digit, mask),
      i64.gtU(i64.mul(digit, below), i64.or(i64.shl(rest, half), next)),
    );
    a.put(a.i32.eqz(isTooBig)).f.brIf(1);
    a.set(digit, i64.sub(digit, 1n));
    a.set(rest, i64.add(rest, high));
    a.put(i64.leU(rest, mask)).f.brIf(0);
    a.f.end().end();
    a.set(top, i64.sub(i64.or(i64.shl(top, half), next), i64.mul(digit, d)));
    if (isFirst) a.set(quotient, i64.shl(digit, half));
    else a.set(quotient, i64.or(quotient, digit));
  }
  return top;
}

/** Normalises the divisor and takes its reciprocal, unless it is the last one. */
function emitPrepare(m: ModuleWriter, scratch: number, reciprocal: number): number {
  const a = new Assembler(m.function([], [], 'prepare-divisor'));
  const { i32, i64 } = a;
  const limb = (base: number, i: number): Expression =>
    a.load('i64.load', 0, scratch + base + 8 * i);
  const difference = [0, 1, 2, 3]
    .map((i) => i64.xor(limb(DIVISOR, i), limb(LAST_DIVISOR, i)))
    .reduce((x, y) => i64.or(x, y));
  a.when(i64.eqz(difference), () => a.return());
  const bytes = a.localI32();
  const bits = a.localI64();
  const at = a.localI32();
  for (let i = 0; i < 4; i++) {
    a.store('i64.store', 0, limb(DIVISOR, i), scratch + LAST_DIVISOR + 8 * i);
    a.store('i64.store', 0, 0n, scratch + NORMAL + 8 * i);
  }
  a.while(i64.eqz(a.load('i64.load', i32.sub(scratch + DIVISOR + 24, bytes))), () =>
    a.set(bytes, i32.add(bytes, 8)),
  );
  a.set(bits, i64.clz(a.load('i64.load', i32.sub(scratch + DIVISOR + 24, bytes))));
  // From the top limb down: limb i of the result is made of limbs i and i - 1 of the source.
  a.set(at, 24);
  a.while(i32.eqz(i32.ltS(at, bytes)), () => {
    const from = i32.sub(i32.add(at, scratch + DIVISOR), bytes);
    const below = a.choose(I64, i32.eq(at, bytes), 0n, a.load('i64.load', i32.sub(from, 8)));
    a.store(
      'i64.store',
      at,
      shiftedLimb(a, a.load('i64.load', from), below, bits),
      scratch + NORMAL,
    );
    a.set(at, i32.sub(at, 8));
  });
  a.store('i32.store', 0, bytes, scratch + SHIFT_BYTES);
  a.store('i64.store', 0, bits, scratch + SHIFT_BITS);
  const v = a.call(reciprocal, limb(NORMAL, 3), limb(NORMAL, 2));
  a.store('i64.store', 0, v, scratch + RECIPROCAL);
  return a.f.index;
}

/** (limb << bits) | (below >> (64 - bits)), for bits from 0 to 63. */
function shiftedLimb(a: Assembler, limb: Expression, below: Expression, bits: Local): Expression {
  const { i64 } = a;
  return i64.or(i64.shl(limb, bits), i64.shrU(i64.shrU(below, 1n), i64.sub(63n, bits)));
}

/** `divide(n)`: divides the lowest n limbs of the dividend, n from 1 to 8. */
function emitDivide(m: ModuleWriter, scratch: number, prepare: number): number {
  const a = new Assembler(m.function([I32], [], 'divide'));
  const { i32, i64 } = a;
  const count = a.param(0);
  const bytes = a.localI32();
  const bits = a.localI64();
  const at = a.localI32();
  a.run(prepare);
  a.set(bytes, a.load('i32.load', 0, scratch + SHIFT_BYTES));
  a.set(bits, a.load('i64.load', 0, scratch + SHIFT_BITS));

  for (let i = 0; i < 13; i++) a.store('i64.store', 0, 0n, scratch + SHIFTED + 8 * i);
  for (let i = 0; i < 4; i++) a.store('i64.store', 0, 0n, scratch + QUOTIENT + 8 * i);
  // Leading zero limbs of the dividend give no quotient.
  const topLimb = a.load('i64.load', i32.shl(count, 3), scratch + DIVIDEND - 8);
  a.f.block().loop();
  a.put(i32.eqz(count)).f.brIf(1);
  a.put(i64.ne(topLimb, 0n)).f.brIf(1);
  a.set(count, i32.sub(count, 1));
  a.f.br(0).end().end();
  const below = a.localI64();
  const limb = a.localI64();
  const end = a.localI32();
  a.set(end, i32.shl(count, 3));
  a.while(i32.ltU(at, end), () => {
    a.set(limb, a.load('i64.load', at, scratch + DIVIDEND));
    a.store('i64.store', i32.add(at, bytes), shiftedLimb(a, limb, below, bits), scratch + SHIFTED);
    a.set(below, limb);
    a.set(at, i32.add(at, 8));
  });
  const overflow = i64.shrU(i64.shrU(below, 1n), i64.sub(63n, bits));
  a.store('i64.store', i32.add(at, bytes), overflow, scratch + SHIFTED);

  // The remainder starts as the top four limbs: the highest is only what was shifted out, so it is below the divisor.
  a.set(at, i32.add(i32.add(at, bytes), 8));
  a.set(at, a.select(i32.ltU(at, 32), 32, at));
  const d = limbs(a);
  const r = limbs(a);
  const v = a.localI64();
  d.forEach((local, i) => a.set(local, a.load('i64.load', 0, scratch + NORMAL + 8 * i)));
  a.set(v, a.load('i64.load', 0, scratch + RECIPROCAL));
  r.forEach((local, i) => a.set(local, a.load('i64.load', at, scratch + SHIFTED - 32 + 8 * i)));
  a.set(at, i32.sub(at, 32));
  const step = new QuotientLimb(a, d, r, v);
  a.while(at, () => {
    a.set(at, i32.sub(at, 8));
    const q = step.write(a.load('i64.load', at, scratch + SHIFTED));
    a.when(i32.ltU(at, 32), () => a.store('i64.store', at, q, scratch + QUOTIENT));
  });

  for (let i = 0; i < 4; i++) {
    const above = i === 3 ? (0n as Expression) : r[i + 1]!;
    const low = i64.shrU(r[i]!, bits);
    const shifted = i64.or(low, i64.shl(i64.shl(above, 1n), i64.sub(63n, bits)));
    a.store('i64.store', 0, shifted, scratch + REMAINDER + 8 * i);
  }
  a.when(bytes, () => {
    // Whole limbs go down; above the remainder stand zeros.
    for (let i = 0; i < 4; i++) {
      a.store(
        'i64.store',
        0,
        a.load('i64.load', bytes, scratch + REMAINDER + 8 * i),
        scratch + REMAINDER + 8 * i,
      );
    }
  });
  return a.f.index;
}

/** One quotient limb: (r, next) divided by d, leaving the remainder in r. */
class QuotientLimb {
  readonly #a: Assembler;
  readonly #d: readonly Local[];
  readonly #r: readonly Local[];
  readonly #v: Local;
  readonly #wide: WideMultiplier;
  readonly #next: Local;
  readonly #q: Local;
  readonly #q0: Local;
  readonly #s1: Local;
  readonly #s0: Local;
  readonly #t: readonly Local[];

  constructor(a: Assembler, d: readonly Local[], r: readonly Local[], v: Local) {
    this.#a = a;
    this.#d = d;
    this.#r = r;
    this.#v = v;
    this.#wide = new WideMultiplier(a);
    this.#next = a.localI64();
    this.#q = a.localI64();
    this.#q0 = a.localI64();
    this.#s1 = a.localI64();
    this.#s0 = a.localI64();
    this.#t = limbs(a);
  }

  write(next: Expression): Local {
    const a = this.#a;
    const { i32, i64 } = a;
    a.set(this.#next, next);
    const isEqual = i32.and(i64.eq(this.#r[3]!, this.#d[3]!), i64.eq(this.#r[2]!, this.#d[2]!));
    a.when(
      isEqual,
      () => this.#largest(),
      () => this.#threeByTwo(),
    );
    return this.#q;
  }

  /** The top limbs are equal, so the quotient limb is 2^64 - 1: (r, next) - (2^64 - 1) d = (r - d, next) + d. */
  #largest(): void {
    const a = this.#a;
    const [r, d] = [this.#r, this.#d];
    // Modulo 2^256: limbs (r2 - d2.., next) + d; the top one cancels out.
    const t = this.#t;
    a.set(this.#q, -1n);
    subtract(a, [t[0]!, t[1]!, t[2]!], [r[0]!, r[1]!, r[2]!], [d[0]!, d[1]!, d[2]!], this.#q0);
    a.set(r[3]!, t[2]!);
    a.set(r[2]!, t[1]!);
    a.set(r[1]!, t[0]!);
    a.set(r[0]!, this.#next);
    addTo(a, r, d, this.#q0);
  }

  /** Algorithm 4 on the top three limbs, then the two lower limbs of the divisor, then at most one correction. */
  #threeByTwo(): void {
    const a = this.#a;
    const { i32, i64 } = a;
    const [d0, d1, d2, d3] = this.#d as readonly [Local, Local, Local, Local];
    const [r0, r1, r2, r3] = this.#r as readonly [Local, Local, Local, Local];
    const [t0, t1, t2, t3] = this.#t as readonly [Local, Local, Local, Local];
    const [q, q0, s1, s0] = [this.#q, this.#q0, this.#s1, this.#s0];

    this.#wide.multiply(this.#v, r3, q0, q);
    a.set(q0, i64.add(q0, r2));
    a.set(q, i64.add(i64.add(q, r3), i64.extendU(i64.ltU(q0, r2))));
    a.set(s1, i64.sub(r2, i64.mul(q, d3)));
    this.#wide.multiply(d2, q, t0, t1);
    // (s1, s0) = (s1, r1) - (t1, t0) - (d3, d2)
    const subtractPair = (high: Expression, low: Local): void => {
      a.set(t2, i64.extendU(i64.ltU(s0, low)));
      a.set(s0, i64.sub(s0, low));
      a.set(s1, i64.sub(i64.sub(s1, high), t2));
    };
    a.set(s0, r1);
    subtractPair(t1, t0);
    subtractPair(d3, d2);
    a.set(q, i64.add(q, 1n));
    a.when(i64.geU(s1, q0), () => {
      a.set(q, i64.sub(q, 1n));
      a.set(s0, i64.add(s0, d2));
      a.set(s1, i64.add(i64.add(s1, d3), i64.extendU(i64.ltU(s0, d2))));
    });
    const isAbove = i32.or(i64.gtU(s1, d3), i32.and(i64.eq(s1, d3), i64.geU(s0, d2)));
    a.when(isAbove, () => {
      a.set(q, i64.add(q, 1n));
      subtractPair(d3, d2);
    });

    // (s1, s0, r0, next) - q (d1, d0)
    this.#wide.multiply(q, d0, t0, t1);
    this.#wide.multiply(q, d1, t2, t3);
    a.set(t1, i64.add(t1, t2));
    a.set(t2, i64.add(t3, i64.extendU(i64.ltU(t1, t2))));
    a.set(t3, 0n);
    a.set(r3, s1);
    a.set(r2, s0);
    a.set(r1, r0);
    a.set(r0, this.#next);
    subtract(a, this.#r, this.#r, this.#t, q0);
    a.when(i64.ne(q0, 0n), () => {
      a.set(q, i64.sub(q, 1n));
      addTo(a, this.#r, this.#d, q0);
    });
  }
}

/** out := x - y over equally many limbs; `borrow` is left 1 if it went below zero. out may be x. */
export function subtract(
  a: Assembler,
  out: readonly Local[],
  x: readonly Local[],
  y: readonly Local[],
  borrow: Local,
): void {
  const { i32, i64 } = a;
  const [left, difference] = [a.localI64(), a.localI64()];
  out.forEach((limb, i) => {
    a.set(left, x[i]!);
    a.set(difference, i64.sub(left, y[i]!));
    if (i === 0) {
      a.set(borrow, i64.extendU(i64.ltU(left, y[i]!)));
      a.set(limb, difference);
      return;
    }
    const isBelow = i32.or(i64.ltU(left, y[i]!), i64.ltU(difference, borrow));
    const next = a.localI64();
    a.set(next, i64.extendU(isBelow));
    a.set(limb, i64.sub(difference, borrow));
    a.set(borrow, next);
  });
}

/** x += y over limbs; `carry` is left 1 if it went over the top. */
export function addTo(a: Assembler, x: readonly Local[], y: readonly Local[], carry: Local): void {
  const { i32, i64 } = a;
  const [sum, next] = [a.localI64(), a.localI64()];
  x.forEach((limb, i) => {
    a.set(sum, i64.add(limb, y[i]!));
    if (i === 0) {
      a.set(carry, i64.extendU(i64.ltU(sum, limb)));
      a.set(limb, sum);
      return;
    }
    a.set(next, i64.add(sum, carry));
    a.set(carry, i64.extendU(i32.or(i64.ltU(sum, limb), i64.ltU(next, sum))));
    a.set(limb, next);
  });
}

export function limbs(a: Assembler): Local[] {
  return [a.localI64(), a.localI64(), a.localI64(), a.localI64()];
}
