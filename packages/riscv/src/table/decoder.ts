import { extract, type Field } from '@polyvisor/isa/field';
import { compressedRows } from './compressed.ts';
import { formats } from './formats.ts';
import type { Operands, Row } from './row.ts';
import { rowNamed, rows } from './rows.ts';

export interface Instruction extends Operands {
  readonly row: Row;
  /** Bytes in the code: 2 or 4. */
  readonly length: number;
}

/** By the seven bits of the opcode and the three of funct3: few rows are left to compare. */
const buckets: Row[][] = Array.from({ length: 1024 }, () => []);
for (const row of rows) {
  for (let key = 0; key < 1024; key++) {
    const word = (key & 0x7f) | ((key >> 7) << 12);
    if (((word ^ row.match) & row.mask & 0x707f) === 0) buckets[key]!.push(row);
  }
}

const fieldsByRow = new Map(
  rows.map((row) => [row, Object.entries(formats[row.format].fields) as [keyof Operands, Field][]]),
);

const compressedByKey = Array.from({ length: 32 }, (_, key) =>
  compressedRows
    .filter(({ match }) => (match & 3) === (key & 3) && match >> 13 === key >> 2)
    .map((entry) => ({ ...entry, row: rowNamed(entry.stands) })),
);

export function isCompressed(word: number): boolean {
  return (word & 3) !== 3;
}

/** The instruction in the low 16 or all 32 bits; undefined where it is none. */
export function decode(word: number): Instruction | undefined {
  if (isCompressed(word)) return decodeCompressed(word & 0xffff);
  const bucket = buckets[(word & 0x7f) | ((word >>> 5) & 0x380)]!;
  const row = bucket.find(({ mask, match }) => (word & mask) === match);
  if (!row) return undefined;
  const instruction = { row, length: 4, rd: 0, rs1: 0, rs2: 0, rs3: 0, imm: 0, rm: 0 };
  for (const [name, field] of fieldsByRow.get(row)!) instruction[name] = extract(field, word, 0);
  return instruction;
}

function decodeCompressed(word: number): Instruction | undefined {
  for (const { row, mask, match, operands } of compressedByKey[(word & 3) | ((word >> 13) << 2)]!) {
    if ((word & mask) !== match) continue;
    const found = operands(word);
    if (found) return { row, length: 2, rd: 0, rs1: 0, rs2: 0, rs3: 0, imm: 0, rm: 0, ...found };
  }
  return undefined;
}
