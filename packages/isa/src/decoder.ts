import { extract } from './field.ts';
import type { InstructionSet, Operands, Row } from './instruction-set.ts';

export interface Decoded<Name extends string = string> {
  readonly row: Row<Name>;
  readonly operands: Operands<Name>;
}

/** Gives the instruction of a word, or undefined where it is none. */
export type Decoder<Name extends string = string> = (
  low: number,
  high?: number,
) => Decoded<Name> | undefined;

/**
 * Rows stand in a table by those bits that all masks have in common, so that few are compared with a word.
 * @param features those that are present; default: all
 */
export function createDecoder<Name extends string, Feature extends string>(
  set: InstructionSet<Name, Feature>,
  features?: ReadonlySet<Feature>,
): Decoder<Name> {
  const rows = set.rows.filter(({ since }) => features?.has(since) ?? true);
  const common = rows.reduce((bits, { mask }) => bits & mask, -1);
  const buckets = new Map<number, Row<Name>[]>();
  for (const row of rows) {
    const key = row.match & common;
    const bucket = buckets.get(key);
    if (bucket) bucket.push(row);
    else buckets.set(key, [row]);
  }
  const fields = Object.entries(set.fields) as [Name, InstructionSet['fields'][string]][];
  return (low, high = 0) => {
    const row = buckets.get(low & common)?.find(({ mask, match }) => (low & mask) === match);
    if (!row) return undefined;
    const operands = {} as Record<Name, number>;
    for (const [name, field] of fields) operands[name] = extract(field, low, high);
    return { row, operands };
  };
}
