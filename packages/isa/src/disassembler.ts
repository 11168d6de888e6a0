import type { Decoder } from './decoder.ts';
import type { InstructionSet } from './instruction-set.ts';

/** Writes a word as the assembler does; what is no instruction, as a number. */
export function createDisassembler<Name extends string>(
  set: InstructionSet<Name>,
  decode: Decoder<Name>,
): (low: number, high?: number) => string {
  return (low, high = 0) => {
    const decoded = decode(low, high);
    if (!decoded) return `.word ${hex(low)}${set.wordBytes === 8 ? `, ${hex(high)}` : ''}`;
    const { row, operands } = decoded;
    const text = row.syntax.replace(/[A-Za-z]\w*/g, (name) => {
      const value = operands[name as Name];
      const { kind } = set.fields[name as Name];
      return kind === 'register' ? `${set.registerPrefix}${value}` : `${value}`;
    });
    return text === '' ? row.name : `${row.name} ${text}`;
  };
}

function hex(half: number): string {
  return `0x${(half >>> 0).toString(16).padStart(8, '0')}`;
}
