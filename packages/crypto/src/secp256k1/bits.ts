import type { Assembler, Expression } from '@polyvisor/wasm/assembler';

const WORD_BITS = 64;

/** Limb `index` of `width` bits of four 64-bit words, least significant first, at a constant address. */
export function limbOfWords(a: Assembler, words: number, width: number, index: number): Expression {
  const { i64 } = a;
  const start = width * index;
  const word = Math.floor(start / WORD_BITS);
  const shift = start % WORD_BITS;
  const low = i64.shrU(a.load('i64.load', 0, words + 8 * word), BigInt(shift));
  const isAcross = shift + width > WORD_BITS && word < 3;
  const joined = isAcross
    ? i64.or(low, i64.shl(a.load('i64.load', 0, words + 8 * (word + 1)), BigInt(WORD_BITS - shift)))
    : low;
  return i64.and(joined, (1n << BigInt(width)) - 1n);
}

/** Word `index` of 64 bits of limbs of `width` bits, each from 0 to 2^width - 1. */
export function wordOfLimbs(
  a: Assembler,
  limb: (index: number) => Expression,
  width: number,
  count: number,
  index: number,
): Expression {
  const { i64 } = a;
  const start = WORD_BITS * index;
  let word: Expression = 0n;
  for (let i = 0; i < count; i++) {
    const offset = width * i - start;
    if (offset <= -width || offset >= WORD_BITS) continue;
    const shifted =
      offset < 0 ? i64.shrU(limb(i), BigInt(-offset)) : i64.shl(limb(i), BigInt(offset));
    word = word === 0n ? shifted : i64.or(word, shifted);
  }
  return word;
}
