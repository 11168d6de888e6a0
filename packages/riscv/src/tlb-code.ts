import { Assembler, type Expression, type Local } from '@polyvisor/wasm/assembler';
import type { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { I32, I64 } from '@polyvisor/wasm/types';
import { DATA_TLB, TLB_ENTRIES, TLB_ENTRY_BYTES, WRITE_TLB } from './layout.ts';

/** What compiled code calls: fills the TLB for an access. 0 if that must be left to the interpreter. */
export type Fill = (low: number, high: number, size: number, isWritten: number) => number;

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

/** A function `search(address, size, kind)`: place of the access's entry, which is filled if need be; or 0. */
export function defineTlbSearch(m: ModuleWriter, fill: number): number {
  const a = new Assembler(m.function([I64, I32, I32], [I32], 'search'));
  const { i32, i64 } = a;
  const [address, size, kind] = [a.param(0), a.param(1), a.param(2)];
  const entry = a.localI32();
  const set = i32.add(a.load('i32.load', 0, DATA_TLB), kind);
  a.set(entry, tlbEntry(a, address, set));
  const last = i64.add(address, i64.extendU(i32.sub(size, 1)));
  const isMiss = i64.ne(a.load('i64.load', entry), i64.and(last, ~0xfffn));
  a.rarely(isMiss, () => {
    const high = i32.wrap(i64.shrU(address, 32n));
    const isFilled = a.call(fill, i32.wrap(address), high, size, i32.eq(kind, WRITE_TLB));
    a.rarely(i32.eqz(isFilled), () => a.return(0));
  });
  a.put(entry);
  return a.f.index;
}
