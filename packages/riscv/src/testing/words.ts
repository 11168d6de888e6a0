import { assert } from '@polyvisor/errors/assert';
import type { Field } from '@polyvisor/isa/field';
import { formats } from '../table/formats.ts';
import type { Operands, Row } from '../table/row.ts';
import { rowNamed } from '../table/rows.ts';

/** The word of an instruction with these operands; those left out are 0. */
export function encode(rowOrName: Row | string, operands: Partial<Operands> = {}): number {
  const row = typeof rowOrName === 'string' ? rowNamed(rowOrName) : rowOrName;
  let word = row.match;
  for (const [name, field] of Object.entries(formats[row.format].fields)) {
    word |= scatter(field, operands[name as keyof Operands] ?? 0);
  }
  assert(((word ^ row.match) & row.mask) === 0, `${row.name}: an operand that it can't have`);
  return word;
}

function scatter({ pieces }: Field, value: number): number {
  let word = 0;
  for (const { from, size, to } of pieces) {
    word |= ((value >> to) & (2 ** size - 1)) << from;
  }
  return word;
}
