import type { Assembler, Local } from '@polyvisor/wasm/assembler';
import { READ_TLB, WRITE_TLB, X } from '../layout.ts';
import type { FlowNode } from './flow-graph.ts';
import { type PlacedInstruction, writesRegister } from './region.ts';

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

/** How much more often a block runs that lies in one more loop. */
const LOOP_WEIGHT = 8;

/** By node: its pins, by the base register's place and the kind of access. */
export type Pins = readonly ReadonlyMap<number, PagePin>[];

/**
 * Pins for the registers that most accesses are off: those that in their innermost loop, or, outside of loops, in the
 * region only move on, as a stack's or an array's pointer does.
 */
export function pinnedBases(nodes: readonly FlowNode[], a: Assembler): Pins {
  const everywhere = new Set(nodes.keys());
  const jumping = new Map<ReadonlySet<number>, ReadonlySet<number>>();
  const weights = new Map<number, number>();
  const keys = nodes.map(({ block, loops }) => {
    const scope = loops.at(-1) ?? everywhere;
    if (!jumping.has(scope)) jumping.set(scope, jumpingIn(nodes, scope));
    const found = new Set<number>();
    for (const instruction of block?.instructions ?? []) {
      const { rs1 } = instruction;
      const kind = accessOf(instruction);
      if (kind === undefined || rs1 === 0 || jumping.get(scope)!.has(rs1)) continue;
      const key = X + 8 * rs1 + kind;
      weights.set(key, (weights.get(key) ?? 0) + LOOP_WEIGHT ** loops.length);
      found.add(key);
    }
    return found;
  });
  const ranked = [...weights.keys()].toSorted(
    (one, other) => weights.get(other)! - weights.get(one)!,
  );
  const pins = new Map<number, PagePin>();
  for (const key of ranked.slice(0, PINS_MAX)) {
    pins.set(key, { tag: a.localI64(), distance: a.localI32() });
  }
  return keys.map((found) => new Map([...pins].filter(([key]) => found.has(key))));
}

/** Registers that in some nodes' blocks are set to something else. */
function jumpingIn(nodes: readonly FlowNode[], scope: ReadonlySet<number>): Set<number> {
  const jumping = new Set<number>();
  for (const number of scope) {
    for (const instruction of nodes[number]!.block?.instructions ?? []) {
      const { row, rd } = instruction;
      if (writesRegister(row) && !row.floats?.has('rd') && !movesOn(instruction)) jumping.add(rd);
    }
  }
  return jumping;
}

function movesOn({ row, rd, rs1 }: PlacedInstruction): boolean {
  return (row.name === 'addi' || row.name === 'add') && rd === rs1;
}

function accessOf({ row }: PlacedInstruction): number | undefined {
  if (row.format === 's') return WRITE_TLB;
  return row.format === 'load' && row.name !== 'jalr' ? READ_TLB : undefined;
}
