import { type Instruction, decode } from './table/decoder.ts';
import { formats } from './table/formats.ts';
import type { Operands, RegisterOperand } from './table/row.ts';

const registers = new Set(['rd', 'rs1', 'rs2', 'rs3']);

/** Writes a word as the assembler does, compressed ones as what they stand for; what is none, as a number. */
export function disassemble(word: number): string {
  const instruction = decode(word);
  if (!instruction) return `.word 0x${(word >>> 0).toString(16)}`;
  const { row } = instruction;
  const text = formats[row.format].syntax.replace(/[a-z]\w*/g, (name) =>
    operandText(instruction, name as keyof Operands),
  );
  return text === '' ? row.name : `${row.name} ${text}`;
}

function operandText(instruction: Instruction, name: keyof Operands): string {
  const value = instruction[name];
  if (!registers.has(name)) return `${value}`;
  const isFloat = instruction.row.floats?.has(name as RegisterOperand) ?? false;
  return `${isFloat ? 'f' : 'x'}${value}`;
}
