import { expect, test } from 'vitest';
import { randomNumbers } from '../testing/random-numbers.ts';
import { type Line, RAM_BASE, SmallHart } from '../testing/small-hart.ts';

const BLOCKS = 40;
const BLOCK_INSTRUCTIONS = 6;
const BLOCK_BYTES = 4 * BLOCK_INSTRUCTIONS;
/** So that a page ends in the middle. */
const CODE = RAM_BASE + 0x1000 - (BLOCKS / 2) * BLOCK_BYTES - 8;
const DATA = RAM_BASE + 0x8000;
const [RETURN, BASE, MOVING, TARGET] = [1, 2, 3, 4];
const STEPS = 40_000;

/** Blocks of which each ends in a jump to any other: loops with several heads, calls, tables of targets. */
function program(seed: number): Line[] {
  const next = randomNumbers(seed);
  const below = (limit: number): number => next() % limit;
  const register = (): number => 5 + below(8);
  const calculation = (): Line => {
    const operands = { rd: register(), rs1: register(), rs2: register() };
    const choices: Line[] = [
      ['addi', { ...operands, imm: below(4096) - 2048 }],
      ['add', operands],
      ['xor', operands],
      ['sltu', operands],
      ['mulhu', operands],
      ['ld', { rd: operands.rd, rs1: BASE, imm: below(2048) }],
      ['sd', { rs1: BASE, rs2: operands.rs2, imm: below(2048) }],
      ['lw', { rd: operands.rd, rs1: MOVING, imm: below(16) }],
      ['sh', { rs1: MOVING, rs2: operands.rs2, imm: below(16) }],
      ['addi', { rd: MOVING, rs1: MOVING, imm: below(64) }],
      ['addi', { rd: MOVING, rs1: BASE, imm: below(64) }],
    ];
    return choices[below(choices.length)]!;
  };
  return Array.from({ length: BLOCKS }, (_, block) => {
    const start = block * BLOCK_BYTES;
    const to = (from: number): number => below(BLOCKS) * BLOCK_BYTES - start - 4 * from;
    const [rs1, rs2] = [register(), register()];
    const jumps: Line[] = [
      ['beq', { rs1, rs2, imm: to(5) }],
      ['bltu', { rs1, rs2, imm: to(5) }],
      ['bge', { rs1, rs2, imm: to(5) }],
      ['jal', { rd: 0, imm: to(5) }],
      ['jal', { rd: RETURN, imm: to(5) }],
      ['jalr', { rs1: RETURN }],
      ['jalr', { rs1: TARGET }],
      ['jalr', { rd: RETURN, rs1: TARGET }],
      ['csrrs', { rd: rs1, imm: 0x344 }],
    ];
    return [
      ['auipc', { rd: TARGET, imm: 0 }],
      ['addi', { rd: TARGET, rs1: TARGET, imm: to(0) }],
      calculation(),
      calculation(),
      calculation(),
      jumps[below(jumps.length)]!,
    ] satisfies Line[];
  }).flat();
}

function started(lines: readonly Line[], hotLandings: number): SmallHart {
  const small = new SmallHart([], { hotLandings });
  small.put(CODE, [...lines, ['jal', { imm: -4 * lines.length }]]);
  for (let i = 5; i < 13; i++) small.hart.setX(i, BigInt(i * i));
  for (const register of [RETURN, TARGET]) small.hart.setX(register, BigInt(CODE));
  for (const register of [BASE, MOVING]) small.hart.setX(register, BigInt(DATA));
  small.hart.setCsr(0x305, BigInt(CODE));
  small.hart.pc = BigInt(CODE);
  return small;
}

test.for(Array.from({ length: 30 }, (_, seed) => seed))(
  'compiled control flow is that of the interpreter: program %i',
  (seed) => {
    const lines = program(seed);
    const expected = started(lines, Infinity).stateAfter(STEPS, STEPS);
    for (const [hotLandings, slice] of [
      [1, STEPS],
      [20, 997],
      [50, STEPS],
      [7, 61],
    ] as const) {
      expect(started(lines, hotLandings).stateAfter(STEPS, slice)).toEqual(expected);
    }
  },
);
