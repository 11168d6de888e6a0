import { assert } from '@polyvisor/errors/assert';
import { overlaps } from '@polyvisor/isa/instruction-set';
import { atomicRows } from './atomic.ts';
import { floatRows } from './float.ts';
import { integerRows } from './integer.ts';
import type { Row } from './row.ts';
import { systemRows } from './system.ts';

/** RV64GC_Zicsr_Zifencei_Zba_Zbb_Zbs_Zicbom_Zicboz with S and M mode, as one table. */
export const rows: readonly Row[] = [...integerRows, ...atomicRows, ...floatRows, ...systemRows];

for (const { name, mask, match } of rows) {
  assert((match & ~mask) === 0, `${name}: bits to match outside of the mask`);
}
const [twice] = overlaps(rows);
assert(!twice, `${twice?.[0].name} and ${twice?.[1].name} match the same words`);

const byName = new Map(rows.map((row) => [row.name, row]));

export function rowNamed(name: string): Row {
  const row = byName.get(name);
  assert(row, `there is no instruction '${name}'`);
  return row;
}
