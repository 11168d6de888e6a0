import { assert } from '@polyvisor/errors/assert';
import type { BlockEmitter } from './block-emitter.ts';
import { type Field, fieldMask } from './field.ts';
import type { ReferenceMachine } from './reference-machine.ts';

/**
 * One instruction of a register machine with words of fixed width. Decoder, disassembler, reference interpreter,
 * emitter and random programs come from the rows; nothing else knows an opcode.
 */
export interface Row<Name extends string = string, Feature extends string = string> {
  readonly name: string;
  /** The word is this instruction if `(low & mask) === match`; `low` is its low half. */
  readonly mask: number;
  readonly match: number;
  /** Operands as the assembler writes them: names of fields, and what stands between. */
  readonly syntax: string;
  /** Registers that it uses and that are no operands, as a call's link register. */
  readonly implied?: readonly number[];
  /** The extension or version that brought it. */
  readonly since: Feature;
  /** What it does, obvious before fast. */
  readonly evaluate: (machine: ReferenceMachine, operands: Operands<Name>) => void;
  /** Code that does the same. */
  readonly emit: (e: BlockEmitter, operands: Operands<Name>) => void;
}

/** Values of all fields of a word; those that an instruction does not have mean nothing. */
export type Operands<Name extends string = string> = Readonly<Record<Name, number>>;

export interface InstructionSet<Name extends string = string, Feature extends string = string> {
  readonly name: string;
  readonly wordBytes: 2 | 4 | 8;
  readonly registerBits: 32 | 64;
  readonly registerCount: number;
  /** A register that always reads as zero; undefined if there is none. */
  readonly zeroRegister: number | undefined;
  /** What the assembler writes in front of a register's number. */
  readonly registerPrefix: string;
  readonly fields: Readonly<Record<Name, Field>>;
  readonly rows: readonly Row<Name, Feature>[];
}

/** Checks the table, at start-up: a wrong row is a bug of ours. */
export function defineInstructionSet<Name extends string, Feature extends string>(
  set: InstructionSet<Name, Feature>,
): InstructionSet<Name, Feature> {
  for (const row of set.rows) {
    assert((row.match & ~row.mask) === 0, `${row.name}: bits to match outside of the mask`);
    for (const name of operandNames(set, row)) {
      const [low] = fieldMask(set.fields[name]);
      assert((low & row.mask) === 0, `${row.name}: ${name} lies on bits that are fixed`);
    }
  }
  const [first] = overlaps(set.rows);
  assert(!first, `${first?.[0].name} and ${first?.[1].name} match the same words`);
  return set;
}

/** Pairs of rows that match one word in common. */
export function overlaps<R extends Pick<Row, 'mask' | 'match'>>(rows: readonly R[]): [R, R][] {
  return rows.flatMap((a, i) =>
    rows
      .slice(i + 1)
      .filter((b) => ((a.match ^ b.match) & a.mask & b.mask) === 0)
      .map((b): [R, R] => [a, b]),
  );
}

/** The fields that a row's syntax names, in its order. */
export function operandNames<Name extends string>(
  { fields }: Pick<InstructionSet<Name>, 'fields'>,
  { syntax }: Pick<Row, 'syntax'>,
): Name[] {
  const words = syntax.match(/[A-Za-z]\w*/g) ?? [];
  for (const word of words) assert(word in fields, `there is no field '${word}'`);
  return words as Name[];
}
