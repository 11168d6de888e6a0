import type { Assembler, Expression, I32Operations, Local } from '@polyvisor/wasm/assembler';
import type { MemoryInstruction } from '@polyvisor/wasm/instructions';
import { I32 } from '@polyvisor/wasm/types';
import type { BlockEmitter } from '../block-emitter.ts';
import { immediate, register, signedImmediate } from '../field.ts';
import { type InstructionSet, type Row, defineInstructionSet } from '../instruction-set.ts';
import type { ReferenceMachine } from '../reference-machine.ts';

/**
 * RV32I without the fences and environment calls, and M.
 * @see The RISC-V Instruction Set Manual, Volume I, version 20240411, sections 2.2 to 2.6, 13.1, 13.2, and chapter 35
 */
const fields = {
  rd: register(7, 5),
  rs1: register(15, 5),
  rs2: register(20, 5),
  shamt: immediate({ from: 20, size: 5, to: 0 }),
  immI: signedImmediate({ from: 20, size: 12, to: 0 }),
  immS: signedImmediate({ from: 7, size: 5, to: 0 }, { from: 25, size: 7, to: 5 }),
  immB: signedImmediate(
    { from: 8, size: 4, to: 1 },
    { from: 25, size: 6, to: 5 },
    { from: 7, size: 1, to: 11 },
    { from: 31, size: 1, to: 12 },
  ),
  immU: immediate({ from: 12, size: 20, to: 0 }),
  immJ: signedImmediate(
    { from: 21, size: 10, to: 1 },
    { from: 20, size: 1, to: 11 },
    { from: 12, size: 8, to: 12 },
    { from: 31, size: 1, to: 20 },
  ),
};

type Name = keyof typeof fields;
type Extension = 'I' | 'M';
type RvRow = Row<Name, Extension>;
/** On registers as unsigned numbers; the machine cuts the result. */
type Evaluate = (a: bigint, b: bigint) => bigint;
type Emit = (a: Assembler, x: Local, y: Local) => Expression;
/** The WebAssembly instruction that does the same, if there is one. */
type Operation = Emit | keyof I32Operations;

const OPCODE_FUNCT3_FUNCT7 = 0xfe00_707f | 0;
const OPCODE_FUNCT3 = 0x707f;
const OPCODE = 0x7f;

const s = (x: bigint): bigint => BigInt.asIntN(32, x);
const low5 = (x: bigint): bigint => x & 31n;
const flag = (condition: boolean): bigint => (condition ? 1n : 0n);
const bits = (funct3: number, opcode: number, funct7 = 0): number =>
  (funct7 << 25) | (funct3 << 12) | opcode;

/** Operands in locals, for a row may use them more than once. */
function inLocals(e: BlockEmitter, ...values: Expression[]): Local[] {
  return values.map((value) => {
    const local = e.a.localI32();
    e.a.set(local, value);
    return local;
  });
}

function apply(operation: Operation, a: Assembler, x: Local, y: Local): Expression {
  return typeof operation === 'function' ? operation(a, x, y) : a.i32[operation](x, y);
}

function registers(
  name: string,
  since: Extension,
  funct7: number,
  funct3: number,
  evaluate: Evaluate,
  operation: Operation,
): RvRow {
  return {
    name,
    since,
    mask: OPCODE_FUNCT3_FUNCT7,
    match: bits(funct3, 0x33, funct7),
    syntax: 'rd, rs1, rs2',
    evaluate: (m, { rd, rs1, rs2 }) => m.write(rd, evaluate(m.read(rs1), m.read(rs2))),
    emit: (e, { rd, rs1, rs2 }) => {
      const [x, y] = inLocals(e, e.read(rs1), e.read(rs2)) as [Local, Local];
      e.write(rd, apply(operation, e.a, x, y));
    },
  };
}

function withImmediate(
  name: string,
  funct3: number,
  evaluate: Evaluate,
  operation: Operation,
  shift?: number,
): RvRow {
  const field = shift === undefined ? 'immI' : 'shamt';
  return {
    name,
    since: 'I',
    mask: shift === undefined ? OPCODE_FUNCT3 : OPCODE_FUNCT3_FUNCT7,
    match: bits(funct3, 0x13, shift),
    syntax: `rd, rs1, ${field}`,
    evaluate: (m, o) =>
      m.write(o.rd, evaluate(m.read(o.rs1), BigInt.asUintN(32, BigInt(o[field])))),
    emit: (e, o) => {
      const [x, y] = inLocals(e, e.read(o.rs1), e.number(o[field])) as [Local, Local];
      e.write(o.rd, apply(operation, e.a, x, y));
    },
  };
}

function branch(
  name: string,
  funct3: number,
  evaluate: (a: bigint, b: bigint) => boolean,
  operation: Operation,
): RvRow {
  return {
    name,
    since: 'I',
    mask: OPCODE_FUNCT3,
    match: bits(funct3, 0x63),
    syntax: 'rs1, rs2, immB',
    evaluate: (m, { rs1, rs2, immB }) => {
      if (evaluate(m.read(rs1), m.read(rs2))) m.jump(BigInt(m.pc + immB));
    },
    emit: (e, { rs1, rs2, immB }) => {
      const [x, y] = inLocals(e, e.read(rs1), e.read(rs2)) as [Local, Local];
      e.branch(apply(operation, e.a, x, y), e.pc + immB);
    },
  };
}

function load(
  name: string,
  funct3: number,
  size: number,
  isSigned: boolean,
  code: MemoryInstruction,
): RvRow {
  const extended = (value: bigint): bigint => (isSigned ? BigInt.asIntN(8 * size, value) : value);
  return {
    name,
    since: 'I',
    mask: OPCODE_FUNCT3,
    match: bits(funct3, 0x03),
    syntax: 'rd, immI(rs1)',
    evaluate: (m, { rd, rs1, immI }) =>
      m.write(rd, extended(m.load(m.read(rs1) + BigInt(immI), size))),
    emit: (e, { rd, rs1, immI }) => e.write(rd, e.load(code, e.a.i32.add(e.read(rs1), immI), size)),
  };
}

function store(name: string, funct3: number, size: number, code: MemoryInstruction): RvRow {
  return {
    name,
    since: 'I',
    mask: OPCODE_FUNCT3,
    match: bits(funct3, 0x23),
    syntax: 'rs2, immS(rs1)',
    evaluate: (m, { rs1, rs2, immS }) => m.store(m.read(rs1) + BigInt(immS), size, m.read(rs2)),
    emit: (e, { rs1, rs2, immS }) =>
      e.store(code, e.a.i32.add(e.read(rs1), immS), size, e.read(rs2)),
  };
}

function upper(name: string, opcode: number, evaluate: (m: { pc: number }) => number): RvRow {
  return {
    name,
    since: 'I',
    mask: OPCODE,
    match: opcode,
    syntax: 'rd, immU',
    evaluate: (m, { rd, immU }) => m.write(rd, BigInt(evaluate(m)) + (BigInt(immU) << 12n)),
    emit: (e, { rd, immU }) => e.write(rd, e.number(evaluate(e) + (immU << 12))),
  };
}

const jumps: RvRow[] = [
  {
    name: 'jal',
    since: 'I',
    mask: OPCODE,
    match: 0x6f,
    syntax: 'rd, immJ',
    evaluate: (m, { rd, immJ }) => {
      m.write(rd, BigInt(m.pc + 4));
      m.jump(BigInt(m.pc + immJ));
    },
    emit: (e, { rd, immJ }) => {
      e.write(rd, e.number(e.pc + 4));
      e.jump(e.pc + immJ);
    },
  },
  {
    name: 'jalr',
    since: 'I',
    mask: OPCODE_FUNCT3,
    match: 0x67,
    syntax: 'rd, immI(rs1)',
    evaluate: (m: ReferenceMachine, { rd, rs1, immI }) => {
      // The same register may be both.
      const target = (m.read(rs1) + BigInt(immI)) & ~1n;
      m.write(rd, BigInt(m.pc + 4));
      m.jump(target);
    },
    emit: (e, { rd, rs1, immI }) => {
      const { i32 } = e.a;
      const [target] = inLocals(e, i32.and(i32.add(e.read(rs1), immI), ~1)) as [Local];
      e.write(rd, e.number(e.pc + 4));
      e.jump(target);
    },
  },
];

/** Upper half of a product of two numbers, each widened with its sign or without. */
const high =
  (first: 'extendS' | 'extendU', second: 'extendS' | 'extendU'): Emit =>
  ({ i32, i64 }, x, y) =>
    i32.wrap(i64.shrU(i64.mul(i64[first](x), i64[second](y)), 32n));

/** WebAssembly traps where RISC-V has a result. */
const unlessZero = (a: Assembler, y: Local, value: Expression, otherwise: Expression): Expression =>
  a.choose(I32, a.i32.eqz(y), otherwise, value);
const unlessOverflow = (
  a: Assembler,
  x: Local,
  y: Local,
  value: Expression,
  otherwise: Expression,
) => a.choose(I32, a.i32.and(a.i32.eq(x, -0x8000_0000), a.i32.eq(y, -1)), otherwise, value);

// oxfmt-ignore
const rows: readonly RvRow[] = [
  upper('lui',   0x37, () => 0),
  upper('auipc', 0x17, ({ pc }) => pc),
  ...jumps,
  branch('beq',  0, (x, y) => x === y,      'eq'),
  branch('bne',  1, (x, y) => x !== y,      'ne'),
  branch('blt',  4, (x, y) => s(x) < s(y),  'ltS'),
  branch('bge',  5, (x, y) => s(x) >= s(y), 'geS'),
  branch('bltu', 6, (x, y) => x < y,        'ltU'),
  branch('bgeu', 7, (x, y) => x >= y,       'geU'),
  load('lb',  0, 1, true,  'i32.load8_s'),
  load('lh',  1, 2, true,  'i32.load16_s'),
  load('lw',  2, 4, true,  'i32.load'),
  load('lbu', 4, 1, false, 'i32.load8_u'),
  load('lhu', 5, 2, false, 'i32.load16_u'),
  store('sb', 0, 1, 'i32.store8'),
  store('sh', 1, 2, 'i32.store16'),
  store('sw', 2, 4, 'i32.store'),
  withImmediate('addi',  0, (x, y) => x + y,             'add'),
  withImmediate('slti',  2, (x, y) => flag(s(x) < s(y)), 'ltS'),
  withImmediate('sltiu', 3, (x, y) => flag(x < y),       'ltU'),
  withImmediate('xori',  4, (x, y) => x ^ y,             'xor'),
  withImmediate('ori',   6, (x, y) => x | y,             'or'),
  withImmediate('andi',  7, (x, y) => x & y,             'and'),
  withImmediate('slli',  1, (x, y) => x << y,            'shl',  0x00),
  withImmediate('srli',  5, (x, y) => x >> y,            'shrU', 0x00),
  withImmediate('srai',  5, (x, y) => s(x) >> y,         'shrS', 0x20),
  registers('add',    'I', 0x00, 0, (x, y) => x + y,                'add'),
  registers('sub',    'I', 0x20, 0, (x, y) => x - y,                'sub'),
  registers('sll',    'I', 0x00, 1, (x, y) => x << low5(y),         'shl'),
  registers('slt',    'I', 0x00, 2, (x, y) => flag(s(x) < s(y)),    'ltS'),
  registers('sltu',   'I', 0x00, 3, (x, y) => flag(x < y),          'ltU'),
  registers('xor',    'I', 0x00, 4, (x, y) => x ^ y,                'xor'),
  registers('srl',    'I', 0x00, 5, (x, y) => x >> low5(y),         'shrU'),
  registers('sra',    'I', 0x20, 5, (x, y) => s(x) >> low5(y),      'shrS'),
  registers('or',     'I', 0x00, 6, (x, y) => x | y,                'or'),
  registers('and',    'I', 0x00, 7, (x, y) => x & y,                'and'),
  registers('mul',    'M', 0x01, 0, (x, y) => x * y,                'mul'),
  registers('mulh',   'M', 0x01, 1, (x, y) => (s(x) * s(y)) >> 32n, high('extendS', 'extendS')),
  registers('mulhsu', 'M', 0x01, 2, (x, y) => (s(x) * y) >> 32n,    high('extendS', 'extendU')),
  registers('mulhu',  'M', 0x01, 3, (x, y) => (x * y) >> 32n,       high('extendU', 'extendU')),
  // Divided by zero: all ones, remainder the dividend; -2^31 by -1: -2^31, remainder 0 (table 11).
  registers('div',    'M', 0x01, 4, (x, y) => (y === 0n ? -1n : s(x) / s(y)),
    (a, x, y) => unlessZero(a, y, unlessOverflow(a, x, y, a.i32.divS(x, y), x), -1)),
  registers('divu',   'M', 0x01, 5, (x, y) => (y === 0n ? -1n : x / y),
    (a, x, y) => unlessZero(a, y, a.i32.divU(x, y), -1)),
  registers('rem',    'M', 0x01, 6, (x, y) => (y === 0n ? x : s(x) % s(y)),
    (a, x, y) => unlessZero(a, y, a.i32.remS(x, y), x)),
  registers('remu',   'M', 0x01, 7, (x, y) => (y === 0n ? x : x % y),
    (a, x, y) => unlessZero(a, y, a.i32.remU(x, y), x)),
];

export const rv32im: InstructionSet<Name, Extension> = defineInstructionSet({
  name: 'rv32im',
  wordBytes: 4,
  registerBits: 32,
  registerCount: 32,
  zeroRegister: 0,
  registerPrefix: 'x',
  fields,
  rows,
});
