import type { Assembler, Local } from '@polyvisor/wasm/assembler';
import { READ_TLB, WRITE_TLB, X } from '../layout.ts';
import { type Block, type PlacedInstruction, writesRegister } from './region.ts';

/** What an access off a base register found in the TLB last: the next one most likely is to the same page. */
export interface PagePin {
  /** i64: the page's address. */
  readonly tag: Local;
  /** i32: what makes of the low half of an address the offset in RAM. */
  readonly distance: Local;
}

/** A tag of no page, not even together with the low bits of an access that is not aligned. */
export const NO_PAGE = 0x800n;

/** More would not stay in the processor's registers. */
const PINS_MAX = 8;

/**
 * Pins for the registers that most accesses are off, by the register's place and kind of access: those that only
 * move on, as a stack's or an array's pointer does.
 */
export function pinnedBases(blocks: readonly Block[], a: Assembler): Map<number, PagePin> {
  const accesses = new Map<number, number>();
  const jumping = new Set<number>();
  for (const { instructions } of blocks) {
    for (const instruction of instructions) {
      const { row, rd, rs1 } = instruction;
      if (writesRegister(row) && !row.floats?.has('rd') && !movesOn(instruction)) jumping.add(rd);
      const kind = accessOf(instruction);
      if (kind === undefined || rs1 === 0) continue;
      const key = X + 8 * rs1 + kind;
      accesses.set(key, (accesses.get(key) ?? 0) + 1);
    }
  }
  const isPinned = (key: number): boolean => !jumping.has(((key - X) % WRITE_TLB) / 8);
  const keys = [...accesses.keys()].filter(isPinned);
  keys.sort((a_, b) => accesses.get(b)! - accesses.get(a_)!);
  return new Map(
    keys.slice(0, PINS_MAX).map((key) => [key, { tag: a.localI64(), distance: a.localI32() }]),
  );
}

function movesOn({ row, rd, rs1 }: PlacedInstruction): boolean {
  return (row.name === 'addi' || row.name === 'add') && rd === rs1;
}

function accessOf({ row }: PlacedInstruction): number | undefined {
  if (row.format === 's') return WRITE_TLB;
  return row.format === 'load' && row.name !== 'jalr' ? READ_TLB : undefined;
}
