import type { Expression } from '@polyvisor/wasm/assembler';
import type { MemoryInstruction, PlainInstruction } from '@polyvisor/wasm/instructions';
import { I64 } from '@polyvisor/wasm/types';
import type { Emitter } from '../emitter.ts';
import type { HighProduct } from '../high-product.ts';
import type { Emit, Evaluate, Extension, Row } from './row.ts';

/**
 * Integer instructions: RV64I, M, Zba, Zbb and Zbs.
 * @see RISC-V Unprivileged ISA 20240411, chapters 2, 4, 13 and 28
 */

/** On registers as unsigned numbers of 64 bits; the register cuts the result. */
type Binary = (x: bigint, y: bigint) => bigint;
/** A WebAssembly instruction that does the same, or code for the value. */
type Operation = PlainInstruction | ((e: Emitter, x: Expression, y: Expression) => Expression);

const s64 = (x: bigint): bigint => BigInt.asIntN(64, x);
const s32 = (x: bigint): bigint => BigInt.asIntN(32, x);
const u32 = (x: bigint): bigint => BigInt.asUintN(32, x);
const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
const flag = (condition: boolean): bigint => (condition ? 1n : 0n);

const OP = 0x33;
const OP_32 = 0x3b;
const OP_IMM = 0x13;
const OP_IMM_32 = 0x1b;

function apply(operation: Operation, e: Emitter, x: Expression, y: Expression): Expression {
  return typeof operation === 'function' ? operation(e, x, y) : e.op(operation, x, y);
}

function code(opcode: number, funct3: number, funct7 = 0): number {
  return (funct7 << 25) | (funct3 << 12) | opcode;
}

/** rd = rs1 ∘ rs2. */
function binary(
  name: string,
  since: Extension,
  match: number,
  evaluate: Binary,
  operation: Operation,
): Row {
  return {
    name,
    since,
    format: 'r',
    mask: 0xfe00_707f | 0,
    match: match | 0,
    evaluate: (m, o) => m.setX(o.rd, evaluate(m.x(o.rs1), m.x(o.rs2))),
    emit: (e) => e.write(apply(operation, e, e.rs1, e.rs2)),
  };
}

/** rd = rs1 ∘ immediate. */
function immediate(name: string, match: number, evaluate: Binary, operation: Operation): Row {
  return {
    name,
    since: 'I',
    format: 'i',
    mask: 0x707f,
    match,
    evaluate: (m, o) => m.setX(o.rd, evaluate(m.x(o.rs1), u64(BigInt(o.imm)))),
    emit: (e) => e.write(apply(operation, e, e.rs1, e.imm)),
  };
}

/** rd = rs1 ∘ amount of 6 bits, or of 5 where the opcode is a word's. */
function shift(
  name: string,
  since: Extension,
  match: number,
  evaluate: Binary,
  operation: Operation,
  isWord = (match & 0x7f) === OP_IMM_32,
): Row {
  return {
    name,
    since,
    format: isWord ? 'shift5' : 'shift6',
    mask: isWord ? 0xfe00_707f | 0 : 0xfc00_707f | 0,
    match,
    evaluate: (m, o) => m.setX(o.rd, evaluate(m.x(o.rs1), BigInt(o.imm))),
    emit: (e) => e.write(apply(operation, e, e.rs1, e.imm)),
  };
}

/** rd = f(rs1), all other bits of the word fixed. */
function unary(
  name: string,
  since: Extension,
  match: number,
  evaluate: (x: bigint) => bigint,
  operation: (e: Emitter, x: Expression) => Expression,
): Row {
  return {
    name,
    since,
    format: 'r2',
    mask: 0xfff0_707f | 0,
    match: match | 0,
    evaluate: (m, o) => m.setX(o.rd, evaluate(m.x(o.rs1))),
    emit: (e) => e.write(operation(e, e.rs1)),
  };
}

function branch(
  name: string,
  funct3: number,
  evaluate: (x: bigint, y: bigint) => boolean,
  operation: PlainInstruction,
): Row {
  return {
    name,
    since: 'I',
    format: 'b',
    mask: 0x707f,
    match: code(0x63, funct3),
    isJump: true,
    evaluate: (m, o) => {
      if (evaluate(m.x(o.rs1), m.x(o.rs2))) m.jump(m.pc + BigInt(o.imm));
    },
    emit: (e) => e.branch(e.op(operation, e.rs1, e.rs2)),
  };
}

function load(name: string, funct3: number, size: number, instruction: MemoryInstruction): Row {
  const isSigned = instruction.endsWith('_s');
  return {
    name,
    since: 'I',
    format: 'load',
    mask: 0x707f,
    match: code(0x03, funct3),
    evaluate: (m, o) => {
      const value = m.load(m.x(o.rs1) + BigInt(o.imm), size);
      m.setX(o.rd, isSigned ? BigInt.asIntN(8 * size, value) : value);
    },
    emit: (e) => e.write(e.load(instruction, size, e.op('i64.add', e.rs1, e.imm))),
  };
}

function store(name: string, funct3: number, size: number, instruction: MemoryInstruction): Row {
  return {
    name,
    since: 'I',
    format: 's',
    mask: 0x707f,
    match: code(0x23, funct3),
    evaluate: (m, o) => m.store(m.x(o.rs1) + BigInt(o.imm), size, m.x(o.rs2)),
    emit: (e) => e.store(instruction, size, e.op('i64.add', e.rs1, e.imm), e.rs2),
  };
}

/** Code on the low halves, whose result is extended by its sign. */
const onWords =
  (name: PlainInstruction): Operation =>
  (e, x, y) =>
    e.op('i64.extend_i32_s', e.op(name, e.op('i32.wrap_i64', x), e.op('i32.wrap_i64', y)));
const asFlag =
  (name: PlainInstruction): Operation =>
  (e, x, y) =>
    e.op('i64.extend_i32_u', e.op(name, x, y));

const jumps: readonly Row[] = [
  {
    name: 'jal',
    since: 'I',
    format: 'j',
    mask: 0x7f,
    match: 0x6f,
    isJump: true,
    evaluate: (m, o) => {
      m.setX(o.rd, m.nextPc);
      m.jump(m.pc + BigInt(o.imm));
    },
    emit: (e) => {
      e.write(e.nextPc);
      e.jumpRelative();
    },
  },
  {
    name: 'jalr',
    since: 'I',
    format: 'load',
    mask: 0x707f,
    match: 0x67,
    isJump: true,
    evaluate: (m, o) => {
      // The same register may be both.
      const target = (m.x(o.rs1) + BigInt(o.imm)) & ~1n;
      m.setX(o.rd, m.nextPc);
      m.jump(target);
    },
    emit: (e) => {
      const target = e.inLocal(e.op('i64.and', e.op('i64.add', e.rs1, e.imm), ~1n));
      e.write(e.nextPc);
      e.jump(target);
    },
  },
];

/** WebAssembly traps where RISC-V has a result: quotient -1, remainder the dividend. */
function divide(name: PlainInstruction, isRemainder: boolean, isWord: boolean): Operation {
  return (e, x, y) => {
    const cut = (value: Expression): Expression =>
      !isWord
        ? value
        : name.endsWith('_s')
          ? e.op('i64.extend32_s', value)
          : e.op('i64.and', value, 0xffff_ffffn);
    const a = e.inLocal(cut(x));
    const b = e.inLocal(cut(y));
    // The one quotient that overflows is the dividend itself, its negation.
    const quotient =
      name === 'i64.div_s' && !isWord
        ? e.a.choose(I64, e.op('i64.eq', b, -1n), e.op('i64.sub', 0n, a), e.op(name, a, b))
        : e.op(name, a, b);
    const value = e.a.choose(I64, e.op('i64.eqz', b), isRemainder ? a : -1n, quotient);
    return isWord ? e.op('i64.extend32_s', value) : value;
  };
}

const byZero = (y: bigint, otherwise: bigint, quotient: () => bigint): bigint =>
  y === 0n ? otherwise : quotient();

const not = (e: Emitter, x: Expression): Expression => e.op('i64.xor', x, -1n);
/** Bit `y` alone. */
const bit = (e: Emitter, y: Expression): Expression => e.op('i64.shl', 1n, y);
const one = (y: bigint): bigint => 1n << (y & 63n);

const rotateLeft = (x: bigint, n: bigint, bits: bigint): bigint =>
  (x << (n & (bits - 1n))) | (BigInt.asUintN(Number(bits), x) >> (bits - (n & (bits - 1n))));

/** Leading zeros of a number of `bits` bits. */
function leadingZeros(x: bigint, bits: number): bigint {
  return BigInt(x === 0n ? bits : bits - x.toString(2).length);
}

function trailingZeros(x: bigint, bits: number): bigint {
  return BigInt(x === 0n ? bits : x.toString(2).length - 1 - x.toString(2).lastIndexOf('1'));
}

function ones(x: bigint): bigint {
  return BigInt(x.toString(2).replaceAll('0', '').length);
}

function mapBytes(x: bigint, each: (byte: bigint, index: number) => bigint): bigint {
  let value = 0n;
  for (let i = 0; i < 8; i++) value |= each((x >> BigInt(8 * i)) & 0xffn, i);
  return value;
}

/** Bytes in reverse, by swapping neighbours of 8, then 16, then 32 bits. */
function reverseBytes(e: Emitter, x: Expression): Expression {
  const swap = (value: Expression, bits: bigint, mask: bigint): Expression => {
    const v = e.inLocal(value);
    return e.op(
      'i64.or',
      e.op('i64.and', e.op('i64.shr_u', v, bits), mask),
      e.op('i64.shl', e.op('i64.and', v, mask), bits),
    );
  };
  const pairs = swap(x, 8n, 0x00ff_00ff_00ff_00ffn);
  return e.op('i64.rotl', swap(pairs, 16n, 0x0000_ffff_0000_ffffn), 32n);
}

/** 0xff for each byte that is not zero: its bits are or-ed into its lowest, and that one multiplied. */
function orCombineBytes(e: Emitter, x: Expression): Expression {
  const low7 = 0x7f7f_7f7f_7f7f_7f7fn;
  const v = e.inLocal(x);
  const carried = e.op('i64.or', e.op('i64.add', e.op('i64.and', v, low7), low7), v);
  const lowest = e.op('i64.and', e.op('i64.shr_u', carried, 7n), 0x0101_0101_0101_0101n);
  return e.op('i64.mul', lowest, 0xffn);
}

const pick =
  (name: PlainInstruction): Operation =>
  (e, x, y) =>
    e.a.select(e.op(name, x, y), x, y);
const zeroExtended = (e: Emitter, x: Expression): Expression => e.op('i64.and', x, 0xffff_ffffn);
const shiftedAdd =
  (bits: bigint, isWord: boolean): Operation =>
  (e, x, y) =>
    e.op('i64.add', e.op('i64.shl', isWord ? zeroExtended(e, x) : x, bits), y);
const highProduct =
  (kind: keyof HighProduct): Operation =>
  (e, x, y) =>
    e.a.call(e.highProduct[kind], x, y);
const unsignedMin = (x: bigint, y: bigint): bigint => (x < y ? x : y);
const unsignedMax = (x: bigint, y: bigint): bigint => (x < y ? y : x);
const extension = (bits: number) => (x: bigint) => BigInt.asIntN(bits, x);

const upper = (name: string, match: number, evaluate: Evaluate, emit: Emit): Row => ({
  name,
  since: 'I',
  format: 'u',
  mask: 0x7f,
  match,
  evaluate,
  emit,
});

// oxfmt-ignore
export const integerRows: readonly Row[] = [
  upper('lui', 0x37, (m, o) => m.setX(o.rd, BigInt(o.imm)), (e) => e.write(e.imm)),
  upper('auipc', 0x17, (m, o) => m.setX(o.rd, m.pc + BigInt(o.imm)), (e) => e.write(e.op('i64.add', e.pc, e.imm))),
  ...jumps,
  branch('beq',  0, (x, y) => x === y,           'i64.eq'),
  branch('bne',  1, (x, y) => x !== y,           'i64.ne'),
  branch('blt',  4, (x, y) => s64(x) < s64(y),   'i64.lt_s'),
  branch('bge',  5, (x, y) => s64(x) >= s64(y),  'i64.ge_s'),
  branch('bltu', 6, (x, y) => x < y,             'i64.lt_u'),
  branch('bgeu', 7, (x, y) => x >= y,            'i64.ge_u'),
  load('lb',  0, 1, 'i64.load8_s'),
  load('lh',  1, 2, 'i64.load16_s'),
  load('lw',  2, 4, 'i64.load32_s'),
  load('ld',  3, 8, 'i64.load'),
  load('lbu', 4, 1, 'i64.load8_u'),
  load('lhu', 5, 2, 'i64.load16_u'),
  load('lwu', 6, 4, 'i64.load32_u'),
  store('sb', 0, 1, 'i64.store8'),
  store('sh', 1, 2, 'i64.store16'),
  store('sw', 2, 4, 'i64.store32'),
  store('sd', 3, 8, 'i64.store'),
  immediate('addi',  code(OP_IMM, 0), (x, y) => x + y,                 'i64.add'),
  immediate('slti',  code(OP_IMM, 2), (x, y) => flag(s64(x) < s64(y)), asFlag('i64.lt_s')),
  immediate('sltiu', code(OP_IMM, 3), (x, y) => flag(x < y),           asFlag('i64.lt_u')),
  immediate('xori',  code(OP_IMM, 4), (x, y) => x ^ y,                 'i64.xor'),
  immediate('ori',   code(OP_IMM, 6), (x, y) => x | y,                 'i64.or'),
  immediate('andi',  code(OP_IMM, 7), (x, y) => x & y,                 'i64.and'),
  immediate('addiw', code(OP_IMM_32, 0), (x, y) => s32(x + y),         onWords('i32.add')),
  shift('slli',  'I', code(OP_IMM, 1),       (x, n) => x << n,       'i64.shl'),
  shift('srli',  'I', code(OP_IMM, 5),       (x, n) => x >> n,       'i64.shr_u'),
  shift('srai',  'I', code(OP_IMM, 5, 0x20), (x, n) => s64(x) >> n,  'i64.shr_s'),
  shift('slliw', 'I', code(OP_IMM_32, 1),       (x, n) => s32(x << n),      onWords('i32.shl')),
  shift('srliw', 'I', code(OP_IMM_32, 5),       (x, n) => s32(u32(x) >> n), onWords('i32.shr_u')),
  shift('sraiw', 'I', code(OP_IMM_32, 5, 0x20), (x, n) => s32(x) >> n,      onWords('i32.shr_s')),
  binary('add',  'I', code(OP, 0),       (x, y) => x + y,                 'i64.add'),
  binary('sub',  'I', code(OP, 0, 0x20), (x, y) => x - y,                 'i64.sub'),
  binary('sll',  'I', code(OP, 1),       (x, y) => x << (y & 63n),        'i64.shl'),
  binary('slt',  'I', code(OP, 2),       (x, y) => flag(s64(x) < s64(y)), asFlag('i64.lt_s')),
  binary('sltu', 'I', code(OP, 3),       (x, y) => flag(x < y),           asFlag('i64.lt_u')),
  binary('xor',  'I', code(OP, 4),       (x, y) => x ^ y,                 'i64.xor'),
  binary('srl',  'I', code(OP, 5),       (x, y) => x >> (y & 63n),        'i64.shr_u'),
  binary('sra',  'I', code(OP, 5, 0x20), (x, y) => s64(x) >> (y & 63n),   'i64.shr_s'),
  binary('or',   'I', code(OP, 6),       (x, y) => x | y,                 'i64.or'),
  binary('and',  'I', code(OP, 7),       (x, y) => x & y,                 'i64.and'),
  binary('addw', 'I', code(OP_32, 0),       (x, y) => s32(x + y),              onWords('i32.add')),
  binary('subw', 'I', code(OP_32, 0, 0x20), (x, y) => s32(x - y),              onWords('i32.sub')),
  binary('sllw', 'I', code(OP_32, 1),       (x, y) => s32(x << (y & 31n)),     onWords('i32.shl')),
  binary('srlw', 'I', code(OP_32, 5),       (x, y) => s32(u32(x) >> (y & 31n)), onWords('i32.shr_u')),
  binary('sraw', 'I', code(OP_32, 5, 0x20), (x, y) => s32(x) >> (y & 31n),     onWords('i32.shr_s')),

  binary('mul',    'M', code(OP, 0, 1), (x, y) => x * y,                   'i64.mul'),
  binary('mulh',   'M', code(OP, 1, 1), (x, y) => (s64(x) * s64(y)) >> 64n, highProduct('signed')),
  binary('mulhsu', 'M', code(OP, 2, 1), (x, y) => (s64(x) * y) >> 64n,      highProduct('mixed')),
  binary('mulhu',  'M', code(OP, 3, 1), (x, y) => (x * y) >> 64n,           highProduct('unsigned')),
  binary('div',    'M', code(OP, 4, 1), (x, y) => byZero(y, -1n, () => s64(x) / s64(y)), divide('i64.div_s', false, false)),
  binary('divu',   'M', code(OP, 5, 1), (x, y) => byZero(y, -1n, () => x / y),           divide('i64.div_u', false, false)),
  binary('rem',    'M', code(OP, 6, 1), (x, y) => byZero(y, x, () => s64(x) % s64(y)),   divide('i64.rem_s', true, false)),
  binary('remu',   'M', code(OP, 7, 1), (x, y) => byZero(y, x, () => x % y),             divide('i64.rem_u', true, false)),
  binary('mulw',   'M', code(OP_32, 0, 1), (x, y) => s32(x * y), onWords('i32.mul')),
  binary('divw',   'M', code(OP_32, 4, 1), (x, y) => s32(byZero(s32(y), -1n, () => s32(x) / s32(y))), divide('i64.div_s', false, true)),
  binary('divuw',  'M', code(OP_32, 5, 1), (x, y) => s32(byZero(u32(y), -1n, () => u32(x) / u32(y))), divide('i64.div_u', false, true)),
  binary('remw',   'M', code(OP_32, 6, 1), (x, y) => s32(byZero(s32(y), x, () => s32(x) % s32(y))),   divide('i64.rem_s', true, true)),
  binary('remuw',  'M', code(OP_32, 7, 1), (x, y) => s32(byZero(u32(y), x, () => u32(x) % u32(y))),   divide('i64.rem_u', true, true)),

  binary('sh1add',    'Zba', code(OP, 2, 0x10),    (x, y) => (x << 1n) + y,      shiftedAdd(1n, false)),
  binary('sh2add',    'Zba', code(OP, 4, 0x10),    (x, y) => (x << 2n) + y,      shiftedAdd(2n, false)),
  binary('sh3add',    'Zba', code(OP, 6, 0x10),    (x, y) => (x << 3n) + y,      shiftedAdd(3n, false)),
  binary('add.uw',    'Zba', code(OP_32, 0, 0x04), (x, y) => u32(x) + y,         shiftedAdd(0n, true)),
  binary('sh1add.uw', 'Zba', code(OP_32, 2, 0x10), (x, y) => (u32(x) << 1n) + y, shiftedAdd(1n, true)),
  binary('sh2add.uw', 'Zba', code(OP_32, 4, 0x10), (x, y) => (u32(x) << 2n) + y, shiftedAdd(2n, true)),
  binary('sh3add.uw', 'Zba', code(OP_32, 6, 0x10), (x, y) => (u32(x) << 3n) + y, shiftedAdd(3n, true)),
  shift('slli.uw', 'Zba', code(OP_IMM_32, 1, 0x04), (x, n) => u32(x) << n,
    (e, x, n) => e.op('i64.shl', zeroExtended(e, x), n), false),

  binary('andn', 'Zbb', code(OP, 7, 0x20), (x, y) => x & ~y,   (e, x, y) => e.op('i64.and', x, not(e, y))),
  binary('orn',  'Zbb', code(OP, 6, 0x20), (x, y) => x | ~y,   (e, x, y) => e.op('i64.or', x, not(e, y))),
  binary('xnor', 'Zbb', code(OP, 4, 0x20), (x, y) => ~(x ^ y), (e, x, y) => not(e, e.op('i64.xor', x, y))),
  binary('min',  'Zbb', code(OP, 4, 0x05), (x, y) => unsignedMin(s64(x) + 2n ** 63n, s64(y) + 2n ** 63n) - 2n ** 63n, pick('i64.lt_s')),
  binary('minu', 'Zbb', code(OP, 5, 0x05), unsignedMin, pick('i64.lt_u')),
  binary('max',  'Zbb', code(OP, 6, 0x05), (x, y) => unsignedMax(s64(x) + 2n ** 63n, s64(y) + 2n ** 63n) - 2n ** 63n, pick('i64.gt_s')),
  binary('maxu', 'Zbb', code(OP, 7, 0x05), unsignedMax, pick('i64.gt_u')),
  binary('rol',  'Zbb', code(OP, 1, 0x30), (x, y) => rotateLeft(x, y, 64n),  'i64.rotl'),
  binary('ror',  'Zbb', code(OP, 5, 0x30), (x, y) => rotateLeft(x, -y, 64n), 'i64.rotr'),
  binary('rolw', 'Zbb', code(OP_32, 1, 0x30), (x, y) => s32(rotateLeft(u32(x), y, 32n)),  onWords('i32.rotl')),
  binary('rorw', 'Zbb', code(OP_32, 5, 0x30), (x, y) => s32(rotateLeft(u32(x), -y, 32n)), onWords('i32.rotr')),
  shift('rori',  'Zbb', code(OP_IMM, 5, 0x30),    (x, n) => rotateLeft(x, -n, 64n),           'i64.rotr'),
  shift('roriw', 'Zbb', code(OP_IMM_32, 5, 0x30), (x, n) => s32(rotateLeft(u32(x), -n, 32n)), onWords('i32.rotr')),
  unary('clz',    'Zbb', 0x6000_1013, (x) => leadingZeros(x, 64),       (e, x) => e.op('i64.clz', x)),
  unary('ctz',    'Zbb', 0x6010_1013, (x) => trailingZeros(x, 64),      (e, x) => e.op('i64.ctz', x)),
  unary('cpop',   'Zbb', 0x6020_1013, ones,                             (e, x) => e.op('i64.popcnt', x)),
  unary('sext.b', 'Zbb', 0x6040_1013, extension(8),                     (e, x) => e.op('i64.extend8_s', x)),
  unary('sext.h', 'Zbb', 0x6050_1013, extension(16),                    (e, x) => e.op('i64.extend16_s', x)),
  unary('zext.h', 'Zbb', 0x0800_403b, (x) => x & 0xffffn,               (e, x) => e.op('i64.and', x, 0xffffn)),
  unary('clzw',   'Zbb', 0x6000_101b, (x) => leadingZeros(u32(x), 32),  (e, x) => e.op('i64.extend_i32_u', e.op('i32.clz', e.op('i32.wrap_i64', x)))),
  unary('ctzw',   'Zbb', 0x6010_101b, (x) => trailingZeros(u32(x), 32), (e, x) => e.op('i64.extend_i32_u', e.op('i32.ctz', e.op('i32.wrap_i64', x)))),
  unary('cpopw',  'Zbb', 0x6020_101b, (x) => ones(u32(x)),              (e, x) => e.op('i64.popcnt', zeroExtended(e, x))),
  unary('orc.b',  'Zbb', 0x2870_5013, 
    (x) => mapBytes(x, (byte, i) => (byte === 0n ? 0n : 0xffn << BigInt(8 * i))), orCombineBytes),
  unary('rev8',   'Zbb', 0x6b80_5013, (x) => mapBytes(x, (byte, i) => byte << BigInt(56 - 8 * i)), reverseBytes),

  binary('bclr', 'Zbs', code(OP, 1, 0x24), (x, y) => x & ~one(y),      (e, x, y) => e.op('i64.and', x, not(e, bit(e, y)))),
  binary('bext', 'Zbs', code(OP, 5, 0x24), (x, y) => (x >> (y & 63n)) & 1n, (e, x, y) => e.op('i64.and', e.op('i64.shr_u', x, y), 1n)),
  binary('binv', 'Zbs', code(OP, 1, 0x34), (x, y) => x ^ one(y),       (e, x, y) => e.op('i64.xor', x, bit(e, y))),
  binary('bset', 'Zbs', code(OP, 1, 0x14), (x, y) => x | one(y),       (e, x, y) => e.op('i64.or', x, bit(e, y))),
  shift('bclri', 'Zbs', code(OP_IMM, 1, 0x24), (x, n) => x & ~one(n),  (e, x, n) => e.op('i64.and', x, not(e, bit(e, n)))),
  shift('bexti', 'Zbs', code(OP_IMM, 5, 0x24), (x, n) => (x >> n) & 1n, (e, x, n) => e.op('i64.and', e.op('i64.shr_u', x, n), 1n)),
  shift('binvi', 'Zbs', code(OP_IMM, 1, 0x34), (x, n) => x ^ one(n),   (e, x, n) => e.op('i64.xor', x, bit(e, n))),
  shift('bseti', 'Zbs', code(OP_IMM, 1, 0x14), (x, n) => x | one(n),   (e, x, n) => e.op('i64.or', x, bit(e, n))),
];
