import { type Assembler, type Expression, Local } from '@polyvisor/wasm/assembler';

/** 64 bits of a word: a constant or a local that nobody writes any more. */
export type Limb = bigint | Local;

/** A 256-bit number while code is emitted: least significant limb first. */
export type Word = readonly [Limb, Limb, Limb, Limb];

export const LIMB_MAX = (1n << 64n) - 1n;
export const ZERO: Word = [0n, 0n, 0n, 0n];
export const ONE: Word = [1n, 0n, 0n, 0n];

/**
 * Emits arithmetic on words. Constants are folded and limbs known to be zero cost nothing, so code for small
 * numbers is small: an address has a zero top limb, a boolean three of them.
 */
export class WordEmitter {
  readonly a: Assembler;
  /** A fresh i64 local; the caller decides when locals are used again. */
  readonly allocate: () => Local;

  /** i32 locals with the same number as a limb, so that a condition need not become a limb and back again. */
  readonly #flags: Map<Limb, Local> | undefined;

  /** @param keepsFlags whether words are used long after they are made, as compiled code does */
  constructor(a: Assembler, allocate: () => Local, keepsFlags = false) {
    this.a = a;
    this.allocate = allocate;
    this.#flags = keepsFlags ? new Map() : undefined;
  }

  /** The i32 local that has the same number as the limb, if there is one. */
  flagOf(limb: Limb): Local | undefined {
    return this.#flags?.get(limb);
  }

  /** Evaluates an expression into a new limb. */
  limb(value: Expression): Local {
    const local = this.allocate();
    this.a.set(local, value);
    return local;
  }

  /** A small unsigned number as a word. */
  fromI32(value: Expression): Word {
    if (!this.#flags) return [this.limb(this.a.i64.extendU(value)), 0n, 0n, 0n];
    if (typeof value === 'number') return [BigInt(value >>> 0), 0n, 0n, 0n];
    const flag = this.a.localI32();
    this.a.set(flag, value);
    const limb = this.limb(this.a.i64.extendU(flag));
    this.#flags.set(limb, flag);
    return [limb, 0n, 0n, 0n];
  }

  fromI64(value: Expression): Word {
    return [this.limb(value), 0n, 0n, 0n];
  }

  add(x: Word, y: Word): Word {
    const { i64 } = this.a;
    const out: Limb[] = [];
    let carry: Limb = 0n;
    for (let i = 0; i < 4; i++) {
      const [left, right] = [x[i]!, y[i]!];
      const sum = this.#sum(left, right);
      const total = this.#sum(sum, carry);
      out.push(total);
      if (i === 3) break;
      const carries: Expression[] = [];
      if (!isZero(left) && !isZero(right)) carries.push(i64.ltU(sum, left));
      if (!isZero(sum) && !isZero(carry)) carries.push(i64.ltU(total, sum));
      carry = this.#any(carries);
    }
    return out as unknown as Word;
  }

  sub(x: Word, y: Word): Word {
    const { i64 } = this.a;
    const out: Limb[] = [];
    let borrow: Limb = 0n;
    for (let i = 0; i < 4; i++) {
      const [left, right] = [x[i]!, y[i]!];
      const difference = isZero(right) ? left : this.#binary('sub', left, right);
      const total = isZero(borrow) ? difference : this.#binary('sub', difference, borrow);
      out.push(total);
      if (i === 3) break;
      const borrows: Expression[] = [];
      if (!isZero(right)) borrows.push(i64.ltU(left, right));
      if (!isZero(borrow)) borrows.push(i64.ltU(difference, borrow));
      borrow = this.#any(borrows);
    }
    return out as unknown as Word;
  }

  and(x: Word, y: Word): Word {
    return this.#each(x, y, (p, q) => this.and64(p, q));
  }

  or(x: Word, y: Word): Word {
    return this.#each(x, y, (p, q) => this.or64(p, q));
  }

  xor(x: Word, y: Word): Word {
    return this.#each(x, y, (p, q) => this.#xor(p, q));
  }

  not(x: Word): Word {
    return this.#each(x, x, (p) => this.#xor(p, LIMB_MAX));
  }

  /** Whether x is zero, as i32. */
  isZero(x: Word): Expression {
    const flag = this.#flagOfWord(x);
    if (flag) return this.a.i32.eqz(flag);
    return this.a.i64.eqz(this.orOfLimbs(x));
  }

  isNonZero(x: Word): Expression {
    return this.#flagOfWord(x) ?? this.a.i64.ne(this.orOfLimbs(x), 0n);
  }

  isEqual(x: Word, y: Word): Expression {
    const difference = x.map((limb, i) => this.#xor(limb, y[i]!));
    return this.a.i64.eqz(difference.reduce((p, q) => this.or64(p, q)));
  }

  /** x < y, unsigned or two's complement. */
  isBelow(x: Word, y: Word, isSigned = false): Expression {
    const { i32, i64 } = this.a;
    let below: Expression = i64.ltU(x[0], y[0]);
    for (let i = 1; i < 4; i++) {
      const [left, right] = [x[i]!, y[i]!];
      if (isZero(left) && isZero(right)) continue;
      const less = isSigned && i === 3 ? i64.ltS(left, right) : i64.ltU(left, right);
      below = i32.or(less, i32.and(i64.eq(left, right), below));
    }
    return below;
  }

  /** The limbs from `from` on, or-ed: zero when all are. */
  orOfLimbs(x: Word, from = 0): Limb {
    return x.slice(from).reduce((p, q) => this.or64(p, q), 0n as Limb);
  }

  /** A word by a function of the module that takes the limbs of `words` and returns four. */
  call(functionIndex: number, ...words: Word[]): Word {
    const out = [this.allocate(), this.allocate(), this.allocate(), this.allocate()] as const;
    this.a.callInto(out, functionIndex, ...words.flat());
    return out;
  }

  /** Like `call`, with `small` in line where both words fit 64 bits: it gives the low one or two limbs. */
  callUnlessSmall(
    functionIndex: () => number,
    x: Word,
    y: Word,
    limbCount: 1 | 2,
    small: (low: Local, high: Local) => void,
  ): Word {
    const { a } = this;
    const out = [this.allocate(), this.allocate(), this.allocate(), this.allocate()] as const;
    const high = this.or64(this.orOfLimbs(x, 1), this.orOfLimbs(y, 1));
    if (isZero(high)) {
      small(out[0], out[1]);
      return [out[0], limbCount === 2 ? out[1] : 0n, 0n, 0n];
    }
    a.when(
      a.i64.eqz(high),
      () => {
        a.set(out[1], 0n);
        small(out[0], out[1]);
        a.set(out[2], 0n);
        a.set(out[3], 0n);
      },
      () => void a.callInto(out, functionIndex(), ...x, ...y),
    );
    return out;
  }

  #flagOfWord(x: Word): Local | undefined {
    return x[1] === 0n && x[2] === 0n && x[3] === 0n ? this.flagOf(x[0]) : undefined;
  }

  #sum(x: Limb, y: Limb): Limb {
    if (isZero(x)) return y;
    if (isZero(y)) return x;
    return this.#binary('add', x, y);
  }

  // --- limbs

  and64(x: Limb, y: Limb): Limb {
    if (isZero(x) || isZero(y)) return 0n;
    if (x === LIMB_MAX) return y;
    if (y === LIMB_MAX) return x;
    return this.#binary('and', x, y);
  }

  /** x << bits, bits from 1 to 63. */
  shl64(x: Limb, bits: bigint): Limb {
    return isZero(x) ? x : this.#binary('shl', x, bits);
  }

  shr64(x: Limb, bits: bigint): Limb {
    return isZero(x) ? x : this.#binary('shrU', x, bits);
  }

  or64(x: Limb, y: Limb): Limb {
    if (isZero(x)) return y;
    if (isZero(y)) return x;
    return this.#binary('or', x, y);
  }

  #xor(x: Limb, y: Limb): Limb {
    if (isZero(x)) return y;
    if (isZero(y)) return x;
    return this.#binary('xor', x, y);
  }

  #binary(operation: keyof typeof fold, x: Limb, y: Limb): Limb {
    if (typeof x === 'bigint' && typeof y === 'bigint') {
      return BigInt.asUintN(64, fold[operation](x, y));
    }
    return this.limb(this.a.i64[operation](x, y));
  }

  /** 1 when one of the conditions holds; a constant 0 when there is none. */
  #any(conditions: readonly Expression[]): Limb {
    if (conditions.length === 0) return 0n;
    return this.limb(this.a.i64.extendU(conditions.reduce((p, q) => this.a.i32.or(p, q))));
  }

  #each(x: Word, y: Word, operation: (p: Limb, q: Limb) => Limb): Word {
    return [0, 1, 2, 3].map((i) => operation(x[i]!, y[i]!)) as unknown as Word;
  }
}

export function isZero(limb: Limb): boolean {
  return limb === 0n;
}

/** A constant as a word. */
export function constantWord(value: bigint): Word {
  return [0n, 64n, 128n, 192n].map((shift) => (value >> shift) & LIMB_MAX) as unknown as Word;
}

/** The number that a word of constants is. */
export function constantValue(word: Word | undefined): bigint | undefined {
  let value = 0n;
  for (let i = 3; i >= 0; i--) {
    const limb = word?.[i];
    if (typeof limb !== 'bigint') return undefined;
    value = (value << 64n) | limb;
  }
  return value;
}

const fold = {
  add: (x: bigint, y: bigint) => x + y,
  sub: (x: bigint, y: bigint) => x - y,
  and: (x: bigint, y: bigint) => x & y,
  or: (x: bigint, y: bigint) => x | y,
  xor: (x: bigint, y: bigint) => x ^ y,
  shl: (x: bigint, y: bigint) => x << y,
  shrU: (x: bigint, y: bigint) => x >> y,
};
