import { Assembler } from '@polyvisor/wasm/assembler';
import type { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { I64 } from '@polyvisor/wasm/types';

/** Functions for the upper 64 bits of products of 64-bit numbers, which WebAssembly lacks. */
export interface HighProduct {
  readonly unsigned: number;
  readonly signed: number;
  readonly mixed: number;
}

export function defineHighProduct(m: ModuleWriter): HighProduct {
  const unsigned = defineUnsigned(m);
  /** A negative factor stands for itself and 2^64, whose share in the upper half is the other factor. */
  const define = (name: string, isSecondSigned: boolean): number => {
    const a = new Assembler(m.function([I64, I64], [I64], name));
    const { i64 } = a;
    const [x, y] = [a.param(0), a.param(1)];
    const share = (factor: typeof x, other: typeof x) => i64.and(i64.shrS(factor, 63n), other);
    const first = i64.sub(a.call(unsigned, x, y), share(x, y));
    a.put(isSecondSigned ? i64.sub(first, share(y, x)) : first);
    return a.f.index;
  };
  return { unsigned, signed: define('mulh', true), mixed: define('mulhsu', false) };
}

/**
 *     x·y = x1·y1·2^64 + (x1·y0 + x0·y1)·2^32 + x0·y0
 */
function defineUnsigned(m: ModuleWriter): number {
  const a = new Assembler(m.function([I64, I64], [I64], 'mulhu'));
  const { i64 } = a;
  const [x, y] = [a.param(0), a.param(1)];
  const low = (value: Parameters<typeof i64.and>[0]) => i64.and(value, 0xffff_ffffn);
  const high = (value: Parameters<typeof i64.and>[0]) => i64.shrU(value, 32n);
  const first = a.localI64();
  const second = a.localI64();
  a.set(first, i64.add(i64.mul(high(x), low(y)), high(i64.mul(low(x), low(y)))));
  a.set(second, i64.add(i64.mul(low(x), high(y)), low(first)));
  a.put(i64.add(i64.add(i64.mul(high(x), high(y)), high(first)), high(second)));
  return a.f.index;
}
