import type { InstructionSet } from './instruction-set.ts';
import type { Word } from './block-emitter.ts';

/**
 * Words of instructions, each row as likely as another, with any operands.
 * @param next gives integers in [0, 2^32)
 */
export function randomProgram(
  { rows, wordBytes }: InstructionSet,
  length: number,
  next: () => number,
): Word[] {
  return Array.from({ length }, () => {
    const { mask, match } = rows[next() % rows.length]!;
    const low = ((next() & ~mask) | match) >>> 0;
    return [wordBytes === 2 ? low & 0xffff : low, wordBytes === 8 ? next() : 0];
  });
}
