import type { Assembler, Expression, Local } from '@polyvisor/wasm/assembler';

const LOW_HALF = 0xffff_ffffn;

/** 64 x 64 -> 128 bits by four 32-bit products: WebAssembly has no wide multiplication. */
export class WideMultiplier {
  readonly #a: Assembler;
  readonly #low: Local;
  readonly #middle: Local;
  readonly #cross: Local;

  constructor(a: Assembler) {
    this.#a = a;
    this.#low = a.localI64();
    this.#middle = a.localI64();
    this.#cross = a.localI64();
  }

  /**
   * The upper 64 bits of
   *
   *     x·y = x1·y1·2^64 + (x1·y0 + x0·y1)·2^32 + x0·y0
   */
  high(x: Local, y: Local): Expression {
    const a = this.#a;
    const { i64 } = a;
    const lower = (value: Expression): Expression => i64.and(value, LOW_HALF);
    const upper = (value: Expression): Expression => i64.shrU(value, 32n);
    return () => {
      a.set(this.#low, i64.mul(lower(x), lower(y)));
      a.set(this.#middle, i64.add(i64.mul(upper(x), lower(y)), upper(this.#low)));
      a.set(this.#cross, i64.add(i64.mul(lower(x), upper(y)), lower(this.#middle)));
      const top = i64.add(i64.mul(upper(x), upper(y)), upper(this.#middle));
      a.put(i64.add(top, upper(this.#cross)));
    };
  }

  /** low and high := x * y. Neither may be x or y. */
  multiply(x: Local, y: Local, low: Local, high: Local): void {
    this.#a.set(high, this.high(x, y));
    this.#a.set(low, this.#a.i64.mul(x, y));
  }
}

/** out[k…] += x * y over limbs, schoolbook; limbs of the product at or above out.length are dropped. */
export function multiplyLimbs(
  a: Assembler,
  x: readonly Local[],
  y: readonly Local[],
  out: readonly Local[],
): void {
  const { i64 } = a;
  const wide = new WideMultiplier(a);
  const [low, high, carry, sum] = [a.localI64(), a.localI64(), a.localI64(), a.localI64()];
  for (const limb of out) a.set(limb, 0n);
  x.forEach((left, i) => {
    a.set(carry, 0n);
    y.forEach((right, j) => {
      const at = out[i + j];
      if (!at) return;
      if (i + j === out.length - 1) {
        a.set(at, i64.add(i64.add(at, i64.mul(left, right)), carry));
        return;
      }
      wide.multiply(left, right, low, high);
      a.set(sum, i64.add(low, carry));
      a.set(high, i64.add(high, i64.extendU(i64.ltU(sum, low))));
      a.set(at, i64.add(at, sum));
      a.set(carry, i64.add(high, i64.extendU(i64.ltU(at, sum))));
    });
    const end = out[i + y.length];
    if (end) a.set(end, carry);
  });
}
