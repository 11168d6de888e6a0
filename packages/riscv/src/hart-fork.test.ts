import { describe, expect, test } from 'vitest';
import { randomNumbers } from './testing/random-numbers.ts';
import { type Line, RAM_BASE, SmallHart } from './testing/small-hart.ts';

const SEED = 20_261_125;
const DATA = RAM_BASE + 0x2000;

/**
 * Sums in a loop through a called function in another page; every 64th time around it writes an instruction of that
 * function anew, with another immediate.
 */
const FUNCTION = RAM_BASE + 0x1000;
const program: Line[] = [
  ['addi', { rd: 5, rs1: 5, imm: 1 }],
  ['andi', { rd: 6, rs1: 5, imm: 63 }],
  ['bne', { rs1: 6, rs2: 0, imm: 12 }],
  ['add', { rd: 8, rs1: 8, rs2: 9 }],
  ['sw', { rs1: 10, rs2: 8, imm: 0 }],
  ['jalr', { rd: 1, rs1: 10, imm: 0 }],
  ['jal', { rd: 0, imm: -24 }],
];
const called: Line[] = [
  ['addi', { rd: 7, rs1: 7, imm: 1 }],
  ['sd', { rs1: 11, rs2: 7, imm: 0 }],
  ['jalr', { rs1: 1 }],
];

function start(hotLandings: number): SmallHart {
  const small = new SmallHart(program, { hotLandings });
  const { hart } = small;
  small.put(FUNCTION, called);
  hart.setX(8, BigInt(new DataView(small.ram.buffer).getUint32(FUNCTION - RAM_BASE, true)));
  hart.setX(9, 0x10_0000n);
  hart.setX(10, BigInt(FUNCTION));
  hart.setX(11, BigInt(DATA));
  return small;
}

describe.for([Infinity, 1, 40])('a fork of a hart, hot after %s landings', (hotLandings) => {
  test(`goes on as its origin, and as one without forks (seed ${SEED})`, () => {
    const next = randomNumbers(SEED);
    const steps = (max: number): number => 1 + (next() % max);
    const origin = start(hotLandings);
    const alone = start(hotLandings);
    let lastFork: SmallHart | undefined;
    for (let round = 0; round < 60; round++) {
      // Some of them without a change of code since the fork before.
      const count = steps(round % 3 === 0 ? 20 : 3000);
      origin.hart.run(count);
      alone.hart.run(count);
      const fork = origin.fork();
      lastFork?.hart[Symbol.dispose]();
      lastFork = fork.fork();
      const ahead = steps(2000);
      fork.hart.run(ahead);
      lastFork.hart.run(ahead);
      origin.hart.run(ahead);
      alone.hart.run(ahead);
      const expected = alone.hart.save();
      for (const { hart, ram } of [origin, fork, lastFork]) {
        expect(hart.save()).toEqual(expected);
        expect(Buffer.compare(ram, alone.ram)).toBe(0);
      }
      fork.hart[Symbol.dispose]();
    }
    expect(alone.hart.x(7)).toBeGreaterThan(64n);
  });

  test('keeps what its origin writes to itself later', () => {
    const origin = start(hotLandings);
    origin.hart.run(700);
    const fork = origin.fork();
    origin.put(FUNCTION, [['addi', { rd: 7, rs1: 0, imm: 5 }]]);
    origin.hart.written(FUNCTION, 4);
    origin.hart.run(12);
    fork.hart.run(12);
    expect(origin.hart.x(7)).toBe(5n);
    expect(fork.hart.x(7)).toBeGreaterThan(5n);
  });
});
