import type { Assembler, Expression } from '@polyvisor/wasm/assembler';
import { csrPlace } from '../csr-numbers.ts';
import type { Emitter } from '../emitter.ts';
import { FS_MASK } from '../status.ts';
import { INEXACT, NEAREST_EVEN } from './soft-float.ts';

/** Illegal if the floating-point unit is off. */
export function needFloat(e: Emitter): void {
  const status = e.a.load('i32.load', 0, csrPlace('mstatus'));
  e.a.when(e.op('i32.eqz', e.op('i32.and', status, FS_MASK)), () => e.evaluate());
}

/** To rd, a register of floating point, whose state is dirty from then on. */
export function writeFloat(e: Emitter, value: Expression): void {
  e.write(value);
  markDirty(e.a);
}

/** i32: whether the rounding mode in force is to nearest, ties to even. */
export function isNearest(e: Emitter): Expression {
  return e.isRounding(NEAREST_EVEN);
}

/** i32: the rounding mode of instructions that name none. */
export function dynamicRounding(a: Assembler): Expression {
  return a.i32.shrU(a.load('i32.load', 0, csrPlace('fcsr')), 5);
}

/** Raises the flag if the i32 is 1, not 0. */
export function raiseInexact({ a }: Emitter, condition: Expression): void {
  const fcsr = csrPlace('fcsr');
  a.when(condition, () => {
    const flags = a.load('i32.load', 0, fcsr);
    a.store('i32.store', 0, a.i32.or(flags, INEXACT), fcsr);
    markDirty(a);
  });
}

function markDirty(a: Assembler): void {
  const mstatus = csrPlace('mstatus');
  const status = a.load('i32.load', 0, mstatus);
  a.store('i32.store', 0, a.i32.or(status, FS_MASK), mstatus);
}
