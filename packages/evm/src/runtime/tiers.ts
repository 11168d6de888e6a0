import type { Assembler, Expression, Local } from '@polyvisor/wasm/assembler';
import { FUNCREF, I32, I64, type ValueType } from '@polyvisor/wasm/types';
import { frame } from '../layout.ts';
import type { Runtime } from './runtime.ts';

/**
 * How interpreter and compiled code go over into each other: by tail calls, so neither ever waits for the other on
 * the native stack. A superblock takes the registers of the running frame: frame record, stack pointer (the first
 * free word), gas, and the gas below which it must give up, which is the slice's end and never negative.
 *
 * Where compiled code is, a cell a code byte says: odd, twice the index in the table and 1; even, twice the number of
 * visits so far.
 */
export const superblockType = {
  params: [I32, I32, I64, I64],
  results: [I32],
} as const satisfies {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
};

/** What `run` returns, and all that ends in a tail call of it. */
export const PAUSED = 0;
export const ENDED = 1;

/** Between two calls of the import `hot` lie as many visits. */
export const VISITS_PER_REPORT = 64;

export function declareTiers(rt: Runtime): void {
  rt.declare('run', [I32], [I32]);
  if (!rt.isTiered) return;
  rt.declare('leave', [I32, I32, I64, I32, I32], [I32]);
  rt.declare('goTo', [...superblockType.params, I32], [I32]);
  rt.declare('jump', [...superblockType.params, I64], [I32]);
  rt.declare('finish', [I32, I32, I32, I64], [I32]);
  rt.declare('finishWithOutput', [I32, I32, I64], [I32]);
}

export function defineTiers(rt: Runtime): void {
  if (!rt.isTiered) return;
  rt.m.exportTable('table', rt.m.table(FUNCREF, { initial: 1 }));

  // (frame, sp, gas, pc, whether to look for compiled code there): goes on at any instruction.
  rt.define('leave', (a, current, sp, gas, pc, isEntering) => {
    a.store('i32.store', current!, sp!, frame.sp);
    a.store('i64.store', current!, gas!, frame.gas);
    const address = a.i32.add(a.load('i32.load', current!, frame.code), pc!);
    a.store('i32.store', current!, address, frame.pc);
    a.put(isEntering!).f.returnCall(rt.function('run'));
  });

  // (frame, sp, gas, floor, pc): goes on at a JUMPDEST, in compiled code if there is some.
  rt.define('goTo', (a, current, sp, gas, floor, pc) => {
    const { i32 } = a;
    const cell = a.localI32();
    a.set(cell, a.load('i32.load', cellAt(a, a.load('i32.load', current!, frame.cells), pc!)));
    a.when(i32.and(cell, 1), () => enterSuperblock(rt, a, [current!, sp!, gas!, floor!], cell));
    a.put(current!).put(sp!).put(gas!).put(pc!).put(0).f.returnCall(rt.function('leave'));
  });

  // (frame, sp, gas, floor, destination)
  rt.define('jump', (a, current, sp, gas, floor, destination) => {
    const { i32, i64 } = a;
    const pc = a.localI32();
    const size = i64.extendU(a.load('i32.load', current!, frame.codeSize));
    a.when(i64.ltU(destination!, size), () => {
      a.set(pc, i32.wrap(destination!));
      const mark = i32.add(a.load('i32.load', current!, frame.jumpdests), pc);
      a.when(a.load('i32.load8_u', mark), () => {
        a.put(current!).put(sp!).put(gas!).put(floor!).put(pc);
        a.f.returnCall(rt.function('goTo'));
      });
    });
    a.put(rt.ending('invalid-jump')).put(0).put(0).put(0n).f.returnCall(rt.function('finish'));
  });

  // (ending, output, output size, gas): ends the frame and goes on with its caller.
  rt.define('finish', (a, ending, output, size, gas) => {
    a.when(a.call(rt.function('endFrame'), ending!, output!, size!, gas!), () => a.return(ENDED));
    a.put(1).f.returnCall(rt.function('run'));
  });

  // (ending, sp, gas): the same with the output that offset and size on the stack say.
  rt.define('finishWithOutput', (a, ending, sp, gas) => {
    const { i32, i64 } = a;
    const offset = i32.sub(sp!, 32);
    const size = i32.sub(sp!, 64);
    a.set(gas!, a.call(rt.function('expand'), a.call(rt.function('range'), offset, size), gas!));
    a.when(i64.ltS(gas!, 0n), () => {
      a.put(rt.ending('out-of-gas')).put(0).put(0).put(0n).f.returnCall(rt.function('finish'));
    });
    const base = a.load('i32.load', a.global(rt.globals.frame), frame.memoryBase);
    a.put(ending!).put(i32.add(base, a.load('i32.load', offset)));
    a.put(a.load('i32.load', size)).put(gas!).f.returnCall(rt.function('finish'));
  });
}

/** Address of the cell of an instruction. */
export function cellAt(a: Assembler, cells: Expression, pc: Expression): Expression {
  return a.i32.add(cells, a.i32.shl(pc, 2));
}

/** Goes over to the superblock of an odd cell. */
export function enterSuperblock(
  rt: Runtime,
  a: Assembler,
  registers: readonly Expression[],
  cell: Local,
): void {
  for (const register of registers) a.put(register);
  a.put(a.i32.shrU(cell, 1));
  a.f.returnCallIndirect(rt.m.type(superblockType.params, superblockType.results));
}
