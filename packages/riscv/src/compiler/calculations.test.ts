import { expect, test } from 'vitest';
import { randomNumbers } from '../testing/random-numbers.ts';
import { type Line, RAM_BASE, SmallHart } from '../testing/small-hart.ts';

const [BASE, COUNTER, PARITY] = [3, 4, 10];
const CODE = RAM_BASE + 0x1000;
const DATA = RAM_BASE + 0x8000;
const STEPS = 20_000;
const ROUNDS = 60;

/** A loop of calculations on few registers: on words, halves of rotations, and branches that pass over little. */
function program(seed: number): Line[] {
  const next = randomNumbers(seed);
  const pick = <T>(choices: readonly T[]): T => choices[next() % choices.length]!;
  const register = (): number => pick([0, 5, 6, 7, 8, 9]);
  const operands = () => ({ rd: register(), rs1: register(), rs2: register() });
  const immediate = () => ({ rd: register(), rs1: register(), imm: (next() % 4096) - 2048 });
  const shift = (bits: number) => ({ rd: register(), rs1: register(), imm: next() % bits });
  const calculation = (): Line =>
    pick<() => Line>([
      () => [pick(['add', 'sub', 'and', 'or', 'xor', 'sltu', 'mul', 'sll']), operands()],
      () => [pick(['addw', 'subw', 'sllw', 'srlw', 'sraw', 'mulw', 'divw']), operands()],
      () => [pick(['addi', 'andi', 'ori', 'xori', 'addiw', 'slti']), immediate()],
      () => ['addiw', { rd: register(), rs1: register(), imm: 0 }],
      () => ['addi', { rd: register(), rs1: register(), imm: 0 }],
      () => [pick(['slliw', 'srliw', 'sraiw']), shift(32)],
      () => [pick(['slli', 'srli', 'srai']), shift(64)],
      () => [pick(['lw', 'lbu', 'ld']), { rd: register(), rs1: BASE, imm: 8 * (next() % 8) }],
      () => ['sd', { rs1: BASE, rs2: register(), imm: 8 * (next() % 8) }],
    ])();
  const rotation = (): Line[] => {
    const isWord = next() % 2 === 0;
    const left = 1 + (next() % (isWord ? 31 : 63));
    const [source, high, low] = [register(), register(), register()];
    const right = (isWord ? 32 : 64) - left - (next() % 8 === 0 ? 1 : 0);
    const halves: Line[] = [
      [isWord ? 'slliw' : 'slli', { rd: high, rs1: source, imm: left }],
      [isWord ? 'srliw' : 'srli', { rd: low, rs1: source, imm: right }],
    ];
    if (next() % 2) halves.reverse();
    const between = next() % 4;
    if (between === 0) halves.splice(1 + (next() % 2), 0, calculation());
    else if (between === 1) halves.push(['addi', { rd: source, rs1: source, imm: 1 }]);
    const join = pick(['or', 'xor', 'add', 'addw'] as const);
    const ends = next() % 2 ? [high, low] : [low, high];
    return [...halves, [join, { rd: register(), rs1: ends[0]!, rs2: ends[1]! }]];
  };
  const passed = (): Line[] => {
    const lines = Array.from({ length: 1 + (next() % 3) }, calculation);
    const name = pick(['beq', 'bne', 'blt', 'bgeu'] as const);
    const isEven = next() % 2 === 0;
    const ends = isEven ? { rs1: PARITY, rs2: 0 } : { rs1: register(), rs2: register() };
    const branch: Line = [isEven ? 'bne' : name, { ...ends, imm: 4 + 4 * lines.length }];
    return [['andi', { rd: PARITY, rs1: COUNTER, imm: 1 }], branch, ...lines];
  };
  /** Whether it holds a word is known only if the branch is not taken, which it is every other time. */
  const doubtful = (): Line[] => {
    const [doubted, other] = [register(), register()];
    return [
      ['slli', { rd: doubted, rs1: COUNTER, imm: 30 + (next() % 30) }],
      ['andi', { rd: PARITY, rs1: COUNTER, imm: 1 }],
      ['beq', { rs1: PARITY, rs2: 0, imm: 8 }],
      ['addw', { rd: doubted, rs1: other, rs2: other }],
      ['addiw', { rd: register(), rs1: doubted, imm: 0 }],
    ];
  };
  const body = Array.from({ length: 25 }, () =>
    pick([() => [calculation()], rotation, passed, doubtful])(),
  );
  const lines = body.flat();
  return [
    ...lines,
    ['addi', { rd: COUNTER, rs1: COUNTER, imm: -1 }],
    ['bne', { rs1: COUNTER, rs2: 0, imm: -4 * (lines.length + 1) }],
    ['addi', { rd: COUNTER, rs1: 0, imm: ROUNDS }],
    ['jal', { imm: -4 * (lines.length + 3) }],
  ];
}

function started(lines: readonly Line[], hotLandings: number): SmallHart {
  const small = new SmallHart([], { hotLandings });
  small.put(CODE, lines);
  for (let i = 5; i < 10; i++) small.hart.setX(i, BigInt(i) * 0x1234_5678_9abc_def1n);
  small.hart.setX(BASE, BigInt(DATA));
  small.hart.setX(COUNTER, BigInt(ROUNDS));
  small.hart.setCsr(0x305, BigInt(CODE));
  small.hart.pc = BigInt(CODE);
  return small;
}

test.for(Array.from({ length: 60 }, (_, seed) => seed))(
  'compiled calculations are those of the interpreter: program %i',
  (seed) => {
    const lines = program(seed);
    const expected = started(lines, Infinity).stateAfter(STEPS, STEPS);
    for (const [hotLandings, slice] of [
      [1, STEPS],
      [5, 997],
    ] as const) {
      expect(started(lines, hotLandings).stateAfter(STEPS, slice)).toEqual(expected);
    }
  },
);
