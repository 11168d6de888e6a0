import type { Expression, Local } from '@polyvisor/wasm/assembler';
import { csrPlace } from './csr-numbers.ts';
import type { Emitter } from './emitter.ts';
import { LINES } from './layout.ts';
import { FS_MASK, SIE, STATUS_S, UXL_64 } from './status.ts';

/** `sstatus` as code reads it. */
export function shownStatus(e: Emitter): Expression {
  const status = e.a.load('i64.load32_u', 0, csrPlace('mstatus'));
  const isDirty = e.op('i64.eq', e.op('i64.and', status, BigInt(FS_MASK)), BigInt(FS_MASK));
  const dirty = e.op('i64.shl', e.op('i64.extend_i32_u', isDirty), 63n);
  const own = e.op('i64.and', status, BigInt(STATUS_S));
  return e.op('i64.or', e.op('i64.or', own, UXL_64), dirty);
}

/** Lets interrupts in or keeps them out; a change of more, or of what is pending, is left to `evaluate`. */
export function writeStatus(e: Emitter, old: Local, next: Local): void {
  const { a } = e;
  const changed = e.inLocal(e.op('i64.xor', old, next));
  const pending = e.op(
    'i32.or',
    a.load('i32.load', 0, LINES),
    a.load('i32.load', 0, csrPlace('mip')),
  );
  const isMore = e.op('i64.ne', e.op('i64.and', changed, ~BigInt(SIE)), 0n);
  a.when(e.op('i32.or', isMore, e.op('i32.ne', pending, 0)), () => e.evaluate());
  const status = a.load('i32.load', 0, csrPlace('mstatus'));
  a.store(
    'i32.store',
    0,
    e.op('i32.xor', status, e.op('i32.wrap_i64', changed)),
    csrPlace('mstatus'),
  );
}
