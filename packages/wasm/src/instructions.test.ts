import wabt from 'wabt';
import { expect, test } from 'vitest';
import { type InstructionRow, instructionRows } from './instruction-rows.ts';
import { ModuleWriter } from './module-writer.ts';
import { F32, F64, I32, I64, V128, type ValueType } from './types.ts';
import { validateModule } from './validate-module.ts';

const typed = instructionRows.filter(
  (row): row is InstructionRow & { signature: object } => row.signature !== undefined,
);
const texts: Record<number, string> = {
  [I32]: 'i32',
  [I64]: 'i64',
  [F32]: 'f32',
  [F64]: 'f64',
  [V128]: 'v128',
};
const { parseWat } = await wabt();

test('no two instructions have the same opcode', () => {
  expect(new Set(instructionRows.map(({ opcode }) => opcode)).size).toBe(instructionRows.length);
});

test.each(typed.map((row) => [row.name, row] as const))(
  '%s is what the text format calls so, with its types',
  (_, row) => {
    const ours = moduleWith(row);
    const parsed = parseWat('row.wat', textWith(row), { bulk_memory: true, simd: true });
    expect(WebAssembly.validate(ours)).toBe(true);
    expect(() => validateModule(ours)).not.toThrow();
    expect(codeOf(ours)).toEqual(codeOf(parsed.toBinary({}).buffer));
  },
);

/** Immediates that both sides write alike. */
function immediates({ immediates: kinds, bound }: InstructionRow): (number | bigint)[] {
  return kinds.flatMap((kind): (number | bigint)[] => {
    if (kind === 'memory-argument') return [bound, 0, 5];
    if (kind === 'lane') return [bound - 1];
    if (kind === 'bytes') return Array.from({ length: 16 }, (_, i) => i);
    if (kind === 'lanes') return Array.from({ length: 16 }, (_, i) => 31 - i);
    if (kind === 'i64') return [-300n];
    if (kind === 'i32') return [-300];
    if (kind === 'float') return [0x3fc0_0000n];
    if (kind === 'double') return [0x3ff8_0000_0000_0000n];
    expect(['memory', 'table', 'data', 'element']).toContain(kind);
    return [0];
  });
}

function text(row: InstructionRow): string {
  const numbers = immediates(row).join(' ');
  if (row.immediates[0] === 'memory-argument') return `offset=5`;
  if (row.immediates[0] === 'bytes') return `i8x16 ${numbers}`;
  if (row.immediates[0] === 'float' || row.immediates[0] === 'double') return '1.5';
  if (row.name === 'memory.init' || row.name === 'table.init') return '0';
  return row.immediates.includes('memory') ? '' : numbers;
}

function moduleWith(row: InstructionRow & { signature: object }): Uint8Array {
  const m = new ModuleWriter();
  const { operands, results } = row.signature as { operands: ValueType[]; results: ValueType[] };
  m.memory({ initial: 1 });
  m.table(0x70, { initial: 1 });
  const f = m.function(operands, results, 'f');
  operands.forEach((_type, i) => f.get(i));
  f.instruction({ name: row.name, immediates: immediates(row) });
  m.passiveElements([]);
  m.passiveData(Uint8Array.of(1));
  return m.finish();
}

function textWith(row: InstructionRow & { signature: object }): string {
  const { operands, results } = row.signature as { operands: ValueType[]; results: ValueType[] };
  const list = (types: ValueType[]): string => types.map((type) => texts[type]).join(' ');
  return `(module (memory 1) (table 1 funcref) (elem func) (data "\\01")
    (func (param ${list(operands)}) (result ${list(results)})
      ${operands.map((_, i) => `local.get ${i}`).join(' ')}
      ${row.name} ${text(row)}))`;
}

/** The functions' code, which both write without choices. */
function codeOf(bytes: Uint8Array): number[] {
  const { functions } = validateModule(bytes);
  return functions.flatMap(({ start, end }) => [...bytes.subarray(start, end)]);
}
