import { WideMultiplier } from '@polyvisor/math/wide';
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

function defineUnsigned(m: ModuleWriter): number {
  const a = new Assembler(m.function([I64, I64], [I64], 'mulhu'));
  a.put(new WideMultiplier(a).high(a.param(0), a.param(1)));
  return a.f.index;
}
