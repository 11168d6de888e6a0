import { Assembler, type Expression, type Local } from '@polyvisor/wasm/assembler';
import type { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { I32, I64, type ValueType } from '@polyvisor/wasm/types';
import { limbOfWords, wordOfLimbs } from './bits.ts';

/**
 * Inverses modulo an odd number of 256 bits by division steps, 30 at a time: what 30 steps do to the low bits of
 * (f, g) is a matrix, which is then applied to all of f and g and, modulo the modulus, to d and e, which hold f/x and
 * g/x. Numbers have nine signed limbs of 30 bits. Not of constant time: what is recovered is public.
 * @see D. Bernstein and B.-Y. Yang, "Fast constant-time gcd computation and modular inversion", 2019;
 *   libsecp256k1, doc/safegcd_implementation.md
 */
const LIMBS = 9;
const STEPS = 30;
const MASK = 2n ** 30n - 1n;

/** Memory of its own: modulus, d, e, f and g. */
export const INVERSE_BYTES = 5 * 4 * LIMBS;

/** Adds `invert()`: four words at `words`, below the modulus, become their inverse; 0 stays. */
export function emitInverse(
  m: ModuleWriter,
  name: string,
  modulus: bigint,
  words: number,
  scratch: number,
): number {
  const [mod, d, e, f, g] = [0, 1, 2, 3, 4].map((i) => scratch + 4 * LIMBS * i) as [
    number,
    number,
    number,
    number,
    number,
  ];
  m.data(mod, modulusLimbs(modulus));
  const steps = emitSteps(m, name, f, g);
  const a = new Assembler(m.function([], [], `${name}-invert`));
  const limb = (number: number, i: number): Expression => a.load('i64.load32_s', 0, number + 4 * i);
  const store = (number: number, i: number, value: Expression): void =>
    void a.store('i64.store32', 0, value, number + 4 * i);
  for (let i = 0; i < LIMBS; i++) {
    store(d, i, 0n);
    store(e, i, i === 0 ? 1n : 0n);
    store(f, i, limb(mod, i));
    store(g, i, limbOfWords(a, words, STEPS, i));
  }
  const eta = a.localI32();
  const [u, v, q, r] = [a.localI64(), a.localI64(), a.localI64(), a.localI64()];
  a.set(eta, -1);
  a.repeat(
    () => {
      a.callInto([eta, u, v, q, r], steps, eta);
      applyModulo(a, { d, e, mod, inverse: inverseOfLowBits(modulus) }, [u, v, q, r]);
      applyExactly(a, f, g, [u, v, q, r]);
    },
    a.i64.ne(
      Array.from({ length: LIMBS }, (_, i) => limb(g, i)).reduce((x, y) => a.i64.or(x, y)),
      0n,
    ),
  );
  finish(a, { d, f, mod }, words);
  return a.f.index;
}

/** The matrix of 30 steps: eta -> (eta, u, v, q, r). */
function emitSteps(m: ModuleWriter, name: string, fAt: number, gAt: number): number {
  const results: ValueType[] = [I32, I64, I64, I64, I64];
  const a = new Assembler(m.function([I32], results, `${name}-steps`));
  const { i32, i64 } = a;
  const eta = a.param(0);
  const [f, g, u, v, q, r] = Array.from({ length: 6 }, () => a.localI32()) as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  const [left, zeros, kept] = [a.localI32(), a.localI32(), a.localI32()];
  a.set(f, a.load('i32.load', 0, fAt)).set(g, a.load('i32.load', 0, gAt));
  // f and g continue in the limb above; the steps look at no more than 30 bits.
  a.set(f, i32.or(f, i32.shl(a.load('i32.load', 0, fAt + 4), STEPS)));
  a.set(g, i32.or(g, i32.shl(a.load('i32.load', 0, gAt + 4), STEPS)));
  a.set(u, 1).set(r, 1).set(left, STEPS);
  const exchange = (x: Local, y: Local): void => {
    a.set(kept, x).set(x, y).set(y, i32.sub(0, kept));
  };
  a.f.block().loop();
  a.set(zeros, () => a.put(i32.or(g, i32.shl(-1, left))).f.op('i32.ctz'));
  a.set(g, i32.shrU(g, zeros));
  a.set(u, i32.shl(u, zeros)).set(v, i32.shl(v, zeros));
  a.set(eta, i32.sub(eta, zeros)).set(left, i32.sub(left, zeros));
  a.put(i32.eqz(left)).f.brIf(1);
  a.when(i32.ltS(eta, 0), () => {
    a.set(eta, i32.sub(0, eta));
    exchange(f, g);
    exchange(u, q);
    exchange(v, r);
  });
  a.set(g, i32.add(g, f)).set(q, i32.add(q, u)).set(r, i32.add(r, v));
  a.f.br(0).end().end();
  a.return(eta, ...[u, v, q, r].map((entry) => i64.extendS(entry)));
  return a.f.index;
}

type Matrix = readonly [u: Local, v: Local, q: Local, r: Local];

/** (f, g) := matrix * (f, g) / 2^30, which is exact. */
function applyExactly(a: Assembler, f: number, g: number, [u, v, q, r]: Matrix): void {
  const { i64 } = a;
  const [fi, gi, cf, cg] = [a.localI64(), a.localI64(), a.localI64(), a.localI64()];
  a.set(cf, 0n).set(cg, 0n);
  for (let i = 0; i < LIMBS; i++) {
    a.set(fi, a.load('i64.load32_s', 0, f + 4 * i)).set(gi, a.load('i64.load32_s', 0, g + 4 * i));
    a.set(cf, i64.add(cf, i64.add(i64.mul(u, fi), i64.mul(v, gi))));
    a.set(cg, i64.add(cg, i64.add(i64.mul(q, fi), i64.mul(r, gi))));
    shiftInto(a, cf, f, i);
    shiftInto(a, cg, g, i);
  }
  a.store('i64.store32', 0, cf, f + 4 * (LIMBS - 1));
  a.store('i64.store32', 0, cg, g + 4 * (LIMBS - 1));
}

interface Modulo {
  readonly d: number;
  readonly e: number;
  readonly mod: number;
  /** Of the modulus, modulo 2^30. */
  readonly inverse: bigint;
}

/** (d, e) := matrix * (d, e) / 2^30 modulo the modulus: multiples of it make the low bits zero. */
function applyModulo(a: Assembler, { d, e, mod, inverse }: Modulo, matrix: Matrix): void {
  const { i64 } = a;
  const [u, v, q, r] = matrix;
  const [di, ei, cd, ce, md, me] = Array.from({ length: 6 }, () => a.localI64()) as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  const top = 4 * (LIMBS - 1);
  const signOf = (number: number): Expression =>
    i64.shrS(a.load('i64.load32_s', 0, number + top), 63n);
  a.set(di, signOf(d)).set(ei, signOf(e));
  a.set(md, i64.add(i64.and(u, di), i64.and(v, ei)));
  a.set(me, i64.add(i64.and(q, di), i64.and(r, ei)));
  a.set(cd, 0n).set(ce, 0n);
  for (let i = 0; i < LIMBS; i++) {
    a.set(di, a.load('i64.load32_s', 0, d + 4 * i)).set(ei, a.load('i64.load32_s', 0, e + 4 * i));
    a.set(cd, i64.add(cd, i64.add(i64.mul(u, di), i64.mul(v, ei))));
    a.set(ce, i64.add(ce, i64.add(i64.mul(q, di), i64.mul(r, ei))));
    if (i === 0) {
      for (const [carry, multiple] of [
        [cd, md],
        [ce, me],
      ] as const) {
        const wrong = i64.and(i64.add(i64.mul(carry, inverse), multiple), MASK);
        a.set(multiple, i64.sub(multiple, wrong));
      }
    }
    const m = a.load('i64.load32_s', 0, mod + 4 * i);
    a.set(cd, i64.add(cd, i64.mul(m, md))).set(ce, i64.add(ce, i64.mul(m, me)));
    shiftInto(a, cd, d, i);
    shiftInto(a, ce, e, i);
  }
  a.store('i64.store32', 0, cd, d + top);
  a.store('i64.store32', 0, ce, e + top);
}

/** The low limb of a carry goes a limb down, which is the division by 2^30; that of limb 0 is zero. */
function shiftInto(a: Assembler, carry: Local, number: number, i: number): void {
  if (i > 0) a.store('i64.store32', 0, a.i64.and(carry, MASK), number + 4 * (i - 1));
  a.set(carry, a.i64.shrS(carry, BigInt(STEPS)));
}

/** f is 1 or -1 now, so the inverse is d or -d: brought from between -2 and 1 moduli to its place. */
function finish(
  a: Assembler,
  { d, f, mod }: { readonly d: number; readonly f: number; readonly mod: number },
  words: number,
): void {
  const { i64 } = a;
  const limbs = Array.from({ length: LIMBS }, () => a.localI64());
  const sign = a.localI64();
  const addIfNegative = (): void => {
    a.set(sign, i64.shrS(limbs[LIMBS - 1]!, 63n));
    limbs.forEach((limb, i) =>
      a.set(limb, i64.add(limb, i64.and(a.load('i64.load32_s', 0, mod + 4 * i), sign))),
    );
  };
  limbs.forEach((limb, i) => a.set(limb, a.load('i64.load32_s', 0, d + 4 * i)));
  addIfNegative();
  a.set(sign, i64.shrS(a.load('i64.load32_s', 0, f + 4 * (LIMBS - 1)), 63n));
  for (const limb of limbs) a.set(limb, i64.sub(i64.xor(limb, sign), sign));
  propagate(a, limbs);
  addIfNegative();
  propagate(a, limbs);
  for (let word = 0; word < 4; word++) {
    const value = wordOfLimbs(a, (i) => limbs[i]!, STEPS, LIMBS, word);
    a.store('i64.store', 0, value, words + 8 * word);
  }
}

function propagate(a: Assembler, limbs: readonly Local[]): void {
  for (let i = 0; i < LIMBS - 1; i++) {
    const carry = a.i64.shrS(limbs[i]!, BigInt(STEPS));
    a.set(limbs[i + 1]!, a.i64.add(limbs[i + 1]!, carry));
    a.set(limbs[i]!, a.i64.and(limbs[i]!, MASK));
  }
}

function modulusLimbs(modulus: bigint): Uint8Array {
  const bytes = new Uint8Array(4 * LIMBS);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < LIMBS; i++) {
    view.setUint32(4 * i, Number((modulus >> BigInt(STEPS * i)) & MASK), true);
  }
  return bytes;
}

/** Newton's iteration doubles the right bits; an odd number is its own inverse modulo 8. */
function inverseOfLowBits(modulus: bigint): bigint {
  let inverse = modulus;
  for (let bits = 3; bits < STEPS; bits *= 2) {
    inverse = BigInt.asUintN(STEPS, inverse * (2n - modulus * inverse));
  }
  return inverse;
}
