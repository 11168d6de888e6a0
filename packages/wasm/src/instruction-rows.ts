import {
  type Immediate,
  type InstructionName,
  laneInstructions,
  memoryInstructions,
  otherInstructions,
  plainInstructions,
} from './instructions.ts';
import { F32, F64, I32, I64, V128, type ValueType } from './types.ts';

/** The tables of `instructions.ts` as one. */
export interface InstructionRow {
  readonly name: InstructionName;
  readonly opcode: number;
  readonly immediates: readonly (Immediate | 'memory-argument' | 'lane')[];
  /** Undefined where the types depend on an immediate or on the stack. */
  readonly signature: Signature | undefined;
  /** Largest alignment of a memory argument, as its logarithm, or the number of lanes; else 0. */
  readonly bound: number;
}

export interface Signature {
  readonly operands: readonly ValueType[];
  readonly results: readonly ValueType[];
}

const letters: Record<string, ValueType> = { i: I32, l: I64, f: F32, d: F64, v: V128 };

export const instructionRows: readonly InstructionRow[] = [
  ...Object.entries(plainInstructions).map(([name, [opcode, types]]) =>
    row(name, opcode, [], types, 0),
  ),
  ...Object.entries(memoryInstructions).map(([name, [opcode, types, alignment]]) =>
    row(name, opcode, ['memory-argument'], types, alignment),
  ),
  ...Object.entries(laneInstructions).map(([name, [opcode, types, lanes]]) =>
    row(name, opcode, ['lane'], types, lanes),
  ),
  ...Object.entries(otherInstructions).map(([name, [opcode, immediates, types]]) =>
    row(name, opcode, immediates, types, 0),
  ),
];

const byName = new Map(instructionRows.map((entry) => [entry.name, entry]));
/** Opcodes with a prefix have it as their high byte. Made when first asked for: who only writes needs none. */
let byOpcode: (InstructionRow | undefined)[] | undefined;

export function rowOf(name: InstructionName): InstructionRow {
  return byName.get(name)!;
}

export function rowAt(opcode: number): InstructionRow | undefined {
  byOpcode ??= tableByOpcode();
  return byOpcode[opcode];
}

function tableByOpcode(): (InstructionRow | undefined)[] {
  const table: (InstructionRow | undefined)[] = Array.from({ length: 0xff00 });
  for (const entry of instructionRows) table[entry.opcode] = entry;
  return table;
}

function row(
  name: string,
  opcode: number,
  immediates: InstructionRow['immediates'],
  types: string | undefined,
  bound: number,
): InstructionRow {
  const signature = types === undefined ? undefined : parse(types);
  return { name: name as InstructionName, opcode, immediates, signature, bound };
}

function parse(types: string): Signature {
  const [operands, results] = types.split(':') as [string, string];
  return { operands: [...operands].map(typeOf), results: [...results].map(typeOf) };
}

function typeOf(letter: string): ValueType {
  return letters[letter]!;
}
