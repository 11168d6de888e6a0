import type { Assembler, Expression } from '@polyvisor/wasm/assembler';
import { I64 } from '@polyvisor/wasm/types';
import { SHIFT_SCRATCH } from './layout.ts';
import { type Limb, type Word, type WordEmitter, ZERO, constantValue } from './word.ts';

/**
 * Shifts by a number of bits that is known only when the code runs. The word is stored between 32 bytes of zeros
 * on both sides (of sign bits above, for SAR), so that its limbs can be loaded at any distance: limb i of the
 * result comes from the two stored limbs that its bits are spread over.
 *
 * ```
 *   SHIFT_SCRATCH: | zeros 32 | word 32 | fill 32 |
 * ```
 */
export function shiftLeft(w: WordEmitter, bits: Word, x: Word): Word {
  const known = constantValue(bits);
  if (known !== undefined) return shiftLeftBy(w, known, x);
  return shift(w, bits, x, 0n, (a, words, bit, i) => {
    const at = a.i32.sub(SHIFT_SCRATCH + 32 + 8 * i, words);
    const low = a.i64.shrU(a.load('i64.load', a.i32.sub(at, 8)), 1n);
    return a.i64.or(a.i64.shl(a.load('i64.load', at), bit), a.i64.shrU(low, a.i64.sub(63n, bit)));
  });
}

export function shiftRight(w: WordEmitter, bits: Word, x: Word): Word {
  const known = constantValue(bits);
  if (known !== undefined) return shiftRightBy(w, known, x, 0n);
  return shift(w, bits, x, 0n, right);
}

export function shiftRightSigned(w: WordEmitter, bits: Word, x: Word): Word {
  const sign = w.limb(w.a.i64.shrS(x[3], 63n));
  const known = constantValue(bits);
  if (known !== undefined) return shiftRightBy(w, known, x, sign);
  const out = shift(w, bits, x, sign, right);
  // The fill above must be zeros again for the next shift.
  for (let i = 0; i < 4; i++) w.a.store('i64.store', SHIFT_SCRATCH, 0n, 64 + 8 * i);
  return out;
}

/** x << bits for a known number of bits: each limb comes from two of x. */
export function shiftLeftBy(w: WordEmitter, bits: bigint, x: Word): Word {
  if (bits > 255n) return ZERO;
  const [limbs, bit] = [Number(bits >> 6n), bits & 63n];
  return [0, 1, 2, 3].map((i) => {
    const [here, below] = [x[i - limbs] ?? 0n, x[i - limbs - 1] ?? 0n];
    if (bit === 0n) return here;
    return w.or64(w.shl64(here, bit), w.shr64(below, 64n - bit));
  }) as unknown as Word;
}

/** x >> bits for a known number of bits; `sign` is the limb that stands above x. */
export function shiftRightBy(w: WordEmitter, bits: bigint, x: Word, sign: Limb): Word {
  if (bits > 255n) return [sign, sign, sign, sign];
  const [limbs, bit] = [Number(bits >> 6n), bits & 63n];
  return [0, 1, 2, 3].map((i) => {
    const [here, above] = [x[i + limbs] ?? sign, x[i + limbs + 1] ?? sign];
    if (bit === 0n) return here;
    return w.or64(w.shr64(here, bit), w.shl64(above, 64n - bit));
  }) as unknown as Word;
}

function right(a: Assembler, words: Expression, bit: Expression, i: number): Expression {
  const at = a.i32.add(words, SHIFT_SCRATCH + 32 + 8 * i);
  const high = a.i64.shl(a.load('i64.load', at, 8), 1n);
  return a.i64.or(a.i64.shrU(a.load('i64.load', at), bit), a.i64.shl(high, a.i64.sub(63n, bit)));
}

/** `limb(words, bit, i)` is limb i of the result, `words` being the whole limbs of the distance in bytes. */
function shift(
  w: WordEmitter,
  bits: Word,
  x: Word,
  fill: Limb,
  limb: (a: Assembler, words: Expression, bit: Expression, i: number) => Expression,
): Word {
  const { a } = w;
  const { i32, i64 } = a;
  const out = [w.allocate(), w.allocate(), w.allocate(), w.allocate()] as const;
  const bit = w.allocate();
  const words = a.localI32();
  const isFar = i32.or(i64.gtU(bits[0], 255n), i64.ne(w.orOfLimbs(bits, 1), 0n));
  a.when(
    isFar,
    () => out.forEach((local) => a.set(local, fill)),
    () => {
      x.forEach((value, i) => a.store('i64.store', SHIFT_SCRATCH, value, 32 + 8 * i));
      if (fill !== 0n) {
        for (let i = 0; i < 4; i++) a.store('i64.store', SHIFT_SCRATCH, fill, 64 + 8 * i);
      }
      a.set(bit, i64.and(bits[0], 63n));
      a.set(words, i32.wrap(i64.shl(i64.shrU(bits[0], 6n), 3n)));
      out.forEach((local, i) => a.set(local, limb(a, words, bit, i)));
    },
  );
  return out;
}

/** Byte `index` of x, counted from the most significant; 0 from 32 on. */
export function byteOf(w: WordEmitter, index: Word, x: Word): Word {
  const { a } = w;
  const known = constantValue(index);
  if (known !== undefined) {
    if (known > 31n) return ZERO;
    const low = shiftRightBy(w, 8n * (31n - known), x, 0n)[0];
    return [w.and64(low, 0xffn), 0n, 0n, 0n];
  }
  x.forEach((value, i) => a.store('i64.store', SHIFT_SCRATCH, value, 32 + 8 * i));
  const isBeyond = a.i32.or(a.i64.gtU(index[0], 31n), a.i64.ne(w.orOfLimbs(index, 1), 0n));
  const at = a.i32.sub(SHIFT_SCRATCH + 32 + 31, a.i32.wrap(index[0]));
  const byte = a.i64.extendU(a.load('i32.load8_u', at));
  return [w.limb(a.choose(I64, isBeyond, 0n, byte)), 0n, 0n, 0n];
}

/** x with the sign bit of its byte `index`, counted from the least significant, copied to all above. */
export function signExtend(w: WordEmitter, index: Word, x: Word): Word {
  const { a } = w;
  const known = constantValue(index);
  if (known !== undefined) {
    if (known > 30n) return x;
    const bits = 8n * (31n - known);
    const high = shiftLeftBy(w, bits, x);
    return shiftRightBy(w, bits, high, w.limb(a.i64.shrS(high[3], 63n)));
  }
  const { i32, i64 } = a;
  const out = x.map((value) => w.limb(value)) as unknown as Word & { readonly [i: number]: never };
  const distance = w.allocate();
  const extended = w.allocate();
  const sign = w.allocate();
  const at = a.localI32();
  const isInside = i32.and(i64.ltU(index[0], 31n), i64.eqz(w.orOfLimbs(index, 1)));
  a.when(isInside, () => {
    x.forEach((value, i) => a.store('i64.store', SHIFT_SCRATCH, value, 32 + 8 * i));
    a.set(at, i32.wrap(i64.shrU(index[0], 3n)));
    a.set(distance, i64.sub(56n, i64.shl(i64.and(index[0], 7n), 3n)));
    const limb = a.load('i64.load', i32.shl(at, 3), SHIFT_SCRATCH + 32);
    a.set(extended, i64.shrS(i64.shl(limb, distance), distance));
    a.set(sign, i64.shrS(extended, 63n));
    (out as readonly Limb[]).forEach((local, i) => {
      const kept = a.select(i32.eq(at, i), extended, a.select(i32.gtU(at, i), x[i]!, sign));
      a.set(local as Parameters<Assembler['set']>[0], kept);
    });
  });
  return out;
}

/** Leading zero bits of x; 256 for zero. @see EIP-7939 */
export function countLeadingZeros(w: WordEmitter, x: Word): Word {
  const { a } = w;
  const { i64 } = a;
  let count: Expression = i64.add(192n, i64.clz(x[0]));
  for (let i = 1; i < 4; i++) {
    const here = i64.add(BigInt(64 * (3 - i)), i64.clz(x[i]!));
    count = a.choose(I64, i64.eqz(x[i]!), count, here);
  }
  return [w.limb(count), 0n, 0n, 0n];
}
