import { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { Random } from '@polyvisor/wasm/testing/random';
import { describe, expect, test } from 'vitest';
import {
  BLOCK_ACCESS,
  BLOCK_DONE,
  BLOCK_ILLEGAL,
  type BlockLayout,
  type Word,
  emitBlock,
} from './block-emitter.ts';
import { createDecoder } from './decoder.ts';
import { createDisassembler } from './disassembler.ts';
import { immediate, register } from './field.ts';
import { defineInstructionSet, overlaps } from './instruction-set.ts';
import { randomProgram } from './random-program.ts';
import { ReferenceMachine } from './reference-machine.ts';
import { rv32im } from './testing/rv32im.ts';

const SEED = 20_260_107;
const BLOCKS = 4_000;
const BLOCK_LENGTH = 24;
const decode = createDecoder(rv32im);
const disassemble = createDisassembler(rv32im, decode);
const layout: BlockLayout = { registers: 0, pc: 256, used: 260, memory: 1024, memoryBytes: 8192 };

describe('a table gives', () => {
  test.each([
    // Encodings by GNU as.
    [0x00c58533, 'add x10, x11, x12'],
    [0x40c58533, 'sub x10, x11, x12'],
    [0xffc10113, 'addi x2, x2, -4'],
    [0x0041d213, 'srli x4, x3, 4'],
    [0x4041d213, 'srai x4, x3, 4'],
    [0xfe112e23, 'sw x1, -4(x2)'],
    [0x00812403, 'lw x8, 8(x2)'],
    [0xfe000ae3, 'beq x0, x0, -12'],
    [0x008000ef, 'jal x1, 8'],
    [0x00008067, 'jalr x0, 0(x1)'],
    [0x123452b7, 'lui x5, 74565'],
    [0x02c5d533, 'divu x10, x11, x12'],
    [0x00000000, '.word 0x00000000'],
    [0xffffffff, '.word 0xffffffff'],
  ])('the text of %i: %s', (word, text) => {
    expect(disassemble(word)).toBe(text);
  });

  test('only the instructions of the features that are present', () => {
    const base = createDecoder(rv32im, new Set(['I'] as const));
    expect(base(0x02c5d533)).toBe(undefined);
    expect(base(0x00c58533)?.row.name).toBe('add');
  });

  test('a decoder that finds what a search through all rows finds', () => {
    const random = new Random(SEED);
    for (let i = 0; i < 50_000; i++) {
      const word = random.next() & (random.chance(50) ? 0xfe00_70ff : -1);
      const expected = rv32im.rows.find(({ mask, match }) => (word & mask) === match);
      expect(decode(word)?.row).toBe(expected);
    }
  });
});

describe('a wrong table is a bug that is found at once', () => {
  const row = rv32im.rows.find(({ name }) => name === 'add')!;
  const withRows =
    (...rows: (typeof row)[]) =>
    () =>
      defineInstructionSet({ ...rv32im, rows });

  test('two rows for one word', () => {
    const wider = { ...row, name: 'wider', mask: 0x7f, match: 0x33 };
    expect(withRows(row, wider)).toThrow('add and wider match the same words');
    expect(overlaps([row, wider])).toHaveLength(1);
  });

  test('bits to match outside of the mask', () => {
    expect(withRows({ ...row, match: row.match | 0x80 })).toThrow('add: bits to match');
  });

  test('an operand on fixed bits', () => {
    expect(withRows({ ...row, syntax: 'rd, rs1, immI' })).toThrow('add: immI lies on bits');
  });

  test('a register that is used and not named', () => {
    const emit: typeof row.emit = (e) => e.write(7, e.read(7));
    const words: Word[] = [[row.match, 0]];
    const emitted = (implied: readonly number[]) => () => {
      const set = defineInstructionSet({ ...rv32im, rows: [{ ...row, emit, implied }] });
      return emitBlock(new ModuleWriter(), set, createDecoder(set), layout, 0, words);
    };
    expect(emitted([])).toThrow('register 7 is neither an operand nor implied');
    expect(emitted([7])).not.toThrow();
  });

  test('an operand without field', () => {
    expect(withRows({ ...row, syntax: 'rd, rs9' })).toThrow("no field 'rs9'");
  });
});

test(`emitted blocks equal the interpreter (seed ${SEED}, ${BLOCKS} blocks)`, () => {
  const random = new Random(SEED);
  const seen = new Set<string>();
  const ends = new Map<number, number>();
  let compared = 0;
  for (let round = 0; round < BLOCKS; round++) {
    const words = randomProgram(rv32im, BLOCK_LENGTH, () => random.next());
    const address = 4 * random.below(1 << 20);
    const machine = new ReferenceMachine(rv32im, decode, randomBytes(random));
    machine.pc = address;
    machine.registers.forEach((_, i) => machine.write(i, someValue(random)));
    const { code, pc, used, registers, memory } = runBlock(machine, address, words);
    for (const [low] of words.slice(0, used)) {
      expect(machine.step(low).kind).toBe('done');
      seen.add(decode(low)!.row.name);
    }
    compared += used;
    ends.set(code, (ends.get(code) ?? 0) + 1);
    const text = words
      .slice(0, used + 1)
      .map(([low]) => disassemble(low))
      .join('\n');
    expect({ pc, registers, text }).toEqual({ pc: machine.pc, registers: machine.registers, text });
    expect(Buffer.compare(memory, machine.memory)).toBe(0);
    // A fault is one for both, and has done nothing.
    if (code === BLOCK_ACCESS) expect(machine.step(words[used]![0]).kind).toBe('access');
  }
  expect(compared).toBeGreaterThan(20_000);
  expect(seen.size).toBe(rv32im.rows.length);
  expect(ends.get(BLOCK_DONE)).toBeGreaterThan(100);
  expect(ends.get(BLOCK_ACCESS)).toBeGreaterThan(100);
});

test('a word that is no instruction ends the block in front of it', () => {
  const machine = new ReferenceMachine(rv32im, decode, new Uint8Array(layout.memoryBytes));
  const words: Word[] = [
    [0x00100093, 0], // addi x1, x0, 1
    [0x00000000, 0],
  ];
  const { code, pc, used, registers } = runBlock(machine, 64, words);
  expect({ code, pc, used, x1: registers[1] }).toEqual({
    code: BLOCK_ILLEGAL,
    pc: 68,
    used: 1,
    x1: 1n,
  });
  expect(machine.step(0)).toEqual({ kind: 'illegal', low: 0, high: 0 });
});

describe('a machine of 64 bits with wide words', () => {
  // Two instructions of eBPF. See RFC 9669, sections 3 and 4.1: opcode, dst, src, offset, imm.
  const fields = {
    dst: register(8, 4),
    src: register(12, 4),
    imm: immediate({ from: 32, size: 32, to: 0 }),
  };
  const set = defineInstructionSet<keyof typeof fields, 'v1'>({
    name: 'ebpf',
    wordBytes: 8,
    registerBits: 64,
    registerCount: 11,
    zeroRegister: undefined,
    registerPrefix: 'r',
    fields,
    rows: [
      {
        name: 'lddw.low',
        since: 'v1',
        mask: 0xff,
        match: 0xb7,
        syntax: 'dst, imm',
        evaluate: (m, { dst, imm }) => m.write(dst, BigInt(imm)),
        emit: (e, { dst, imm }) => e.write(dst, e.number(imm)),
      },
      {
        name: 'mul64',
        since: 'v1',
        mask: 0xff,
        match: 0x2f,
        syntax: 'dst, src',
        evaluate: (m, { dst, src }) => m.write(dst, m.read(dst) * m.read(src)),
        emit: (e, { dst, src }) => e.write(dst, e.a.i64.mul(e.read(dst), e.read(src))),
      },
    ],
  });
  const wide = createDecoder(set);

  test('has its operands in both halves', () => {
    expect(createDisassembler(set, wide)(0x02b7, 0xffff_ffff)).toBe('lddw.low r2, 4294967295');
    expect(createDisassembler(set, wide)(0x1, 0x2)).toBe('.word 0x00000001, 0x00000002');
  });

  test('computes alike interpreted and emitted', () => {
    const words: Word[] = [
      [0x02b7, 0xffff_ffff],
      [0x222f, 0],
      [0x222f, 0],
    ];
    const machine = new ReferenceMachine(set, wide, new Uint8Array(layout.memoryBytes));
    for (const [low, high] of words) machine.step(low, high);
    const m = new ModuleWriter();
    m.exportMemory('memory', m.memory({ initial: 1 }));
    m.exportFunction('run', emitBlock(m, set, wide, layout, 0, words));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.finish()));
    (exports['run'] as () => number)();
    const { buffer } = exports['memory'] as WebAssembly.Memory;
    expect(new BigUint64Array(buffer, layout.registers)[2]).toBe(machine.read(2));
    expect(machine.read(2)).toBe(BigInt.asUintN(64, (2n ** 32n - 1n) ** 4n));
  });
});

/** Runs the block as WebAssembly from the machine's state, and leaves the machine alone. */
function runBlock(
  machine: ReferenceMachine,
  address: number,
  words: readonly Word[],
): { code: number; pc: number; used: number; registers: bigint[]; memory: Uint8Array } {
  const m = new ModuleWriter();
  m.exportMemory('memory', m.memory({ initial: 1 }));
  m.exportFunction('run', emitBlock(m, rv32im, decode, layout, address, words));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.finish()));
  const { buffer } = exports['memory'] as WebAssembly.Memory;
  const file = new Uint32Array(buffer, layout.registers, 32);
  const memory = new Uint8Array(buffer, layout.memory, layout.memoryBytes);
  machine.registers.forEach((value, i) => (file[i] = Number(value)));
  memory.set(machine.memory);
  const code = (exports['run'] as () => number)();
  const view = new DataView(buffer);
  return {
    code,
    pc: view.getUint32(layout.pc, true),
    used: view.getUint32(layout.used, true),
    registers: Array.from(file, BigInt),
    memory,
  };
}

function randomBytes(random: Random): Uint8Array {
  return Uint8Array.from({ length: layout.memoryBytes }, () => random.below(256));
}

/** Mostly an address in the memory, so that blocks go on; else a number where carries and signs happen. */
function someValue(random: Random): bigint {
  if (random.chance(75)) return BigInt(random.below(layout.memoryBytes - 4096) + 2048);
  const edges = [0n, 1n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, BigInt(random.next())];
  return random.pick(edges);
}
