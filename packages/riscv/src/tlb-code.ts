import type { Assembler, Expression, Local } from '@polyvisor/wasm/assembler';
import { TLB_ENTRIES, TLB_ENTRY_BYTES } from './layout.ts';

/** Place of the entry that is the address's own. @param set where the entries for the mode in force are */
export function tlbEntry(a: Assembler, address: Expression, set: Expression): Expression {
  const { i32 } = a;
  const mask = (TLB_ENTRIES - 1) * TLB_ENTRY_BYTES;
  return i32.add(i32.and(i32.shrU(i32.wrap(address), 8), mask), set);
}

/** Whether the entry is another page's. @param kind of access: READ_TLB, WRITE_TLB */
export function isTlbMiss(
  a: Assembler,
  entry: Local,
  kind: number,
  address: Local,
  size: number,
): Expression {
  const { i64 } = a;
  // The last byte's page: an entry has its own index, so the first byte lies in the same page.
  const last = size === 1 ? address : i64.add(address, BigInt(size - 1));
  return i64.ne(a.load('i64.load', entry, kind), i64.and(last, ~0xfffn));
}

/** Offset in RAM of an address whose page the entry has. */
export function ramOffset(a: Assembler, entry: Local, kind: number, address: Local): Expression {
  return a.i32.add(a.i32.wrap(address), a.load('i32.load', entry, kind + 8));
}
