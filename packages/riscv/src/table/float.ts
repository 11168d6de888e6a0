import type { Expression } from '@polyvisor/wasm/assembler';
import {
  DOUBLE,
  type FloatContext,
  type FloatFormat,
  SINGLE,
  add,
  canonicalNan,
  classify,
  compare,
  convert,
  divide,
  extreme,
  fromInteger,
  multiply,
  multiplyAdd,
  negate,
  squareRoot,
  toInteger,
} from '../float/soft-float.ts';
import type { Emitter } from '../emitter.ts';
import {
  type FloatType,
  type IntegerType,
  emitAdd,
  emitComparison,
  emitExtreme,
  emitFromInteger,
  emitFused,
  emitNarrow,
  emitProduct,
  emitToInteger,
  emitWiden,
  f32,
  f64,
} from '../float/float-code.ts';
import { needFloat, writeFloat } from '../float/float-state.ts';
import type { HartView } from '../hart-view.ts';
import type { FormatName } from './formats.ts';
import type { Emit, Evaluate, Operands, RegisterOperand, Row } from './row.ts';

/** "F" and "D". @see RISC-V Unprivileged ISA 20240411, chapters 20 and 21 */

const OP_FP = 0x53;
const BOX = 0xffff_ffff_0000_0000n;
const FUNCT7_RS2 = 0xfff0_0000;

/** A format, and how the instructions name it. */
interface Precision {
  readonly format: FloatFormat;
  readonly suffix: 's' | 'd';
  /** Of the word: bits 25 and 26. */
  readonly code: number;
  readonly type: FloatType;
}

const single: Precision = { format: SINGLE, suffix: 's', code: 0, type: f32 };
const double: Precision = { format: DOUBLE, suffix: 'd', code: 1, type: f64 };
const precisions = [single, double];

/** A register's number; a single that isn't boxed is a NaN. */
function read(m: HartView, { format }: Precision, register: number): bigint {
  const value = m.f(register);
  if (format === DOUBLE) return value;
  return value >= BOX ? BigInt.asUintN(32, value) : canonicalNan(format);
}

function write(m: HartView, { format }: Precision, register: number, value: bigint): void {
  m.setF(register, format === DOUBLE ? value : value | BOX);
}

function row(
  name: string,
  precision: Precision,
  format: FormatName,
  floats: string,
  mask: number,
  match: number,
  evaluate: Evaluate,
  emit?: Emit,
): Row {
  return {
    name,
    since: precision === single ? 'F' : 'D',
    format,
    floats: new Set(floats.split(' ') as RegisterOperand[]),
    mask: mask | 0,
    match: match | 0,
    evaluate,
    ...(emit && { emit }),
  };
}

/** Evaluates with the rounding mode of the word (`rm`) or none that matters. */
function rounded(
  rm: (o: Operands) => number,
  compute: (m: HartView, o: Operands, context: FloatContext) => void,
): Evaluate {
  return (m, o) => {
    const context = m.float(rm(o));
    compute(m, o, context);
    m.finishFloat(context);
  };
}

const byWord = (o: Operands): number => o.rm;
const anyMode = (): number => 0;

type Arithmetic = (f: FloatFormat, c: FloatContext, ...operands: bigint[]) => bigint;

function arithmetic(
  name: string,
  funct5: number,
  compute: Arithmetic,
  emit: (t: FloatType) => Emit,
): Row[] {
  return precisions.map((p) =>
    row(
      `${name}.${p.suffix}`,
      p,
      'float',
      'rd rs1 rs2',
      0xfe00_007f,
      (funct5 << 27) | (p.code << 25) | OP_FP,
      rounded(byWord, (m, o, context) => {
        const value = compute(p.format, context, read(m, p, o.rs1), read(m, p, o.rs2));
        write(m, p, o.rd, value);
      }),
      emit(p.type),
    ),
  );
}

const subtract: Arithmetic = (f, c, a, b) => {
  // The sign of a NaN does not matter, and its kind stays.
  return add(f, c, a!, negate(f, b!));
};

function fused(name: string, opcode: number, isProductNegated: boolean, isAddendNegated: boolean) {
  return precisions.map((p) =>
    row(
      `${name}.${p.suffix}`,
      p,
      'float3',
      'rd rs1 rs2 rs3',
      0x0600_007f,
      (p.code << 25) | opcode,
      rounded(byWord, (m, o, context) => {
        const [a, b, c] = [o.rs1, o.rs2, o.rs3].map((register) => read(m, p, register));
        const x = isProductNegated ? negate(p.format, a!) : a!;
        const z = isAddendNegated ? negate(p.format, c!) : c!;
        write(m, p, o.rd, multiplyAdd(p.format, context, x, b!, z));
      }),
      emitFused(p.type, isProductNegated, isAddendNegated),
    ),
  );
}

function root(p: Precision): Row {
  return row(
    `fsqrt.${p.suffix}`,
    p,
    'float1',
    'rd rs1',
    0xfff0_007f,
    (0x0b << 27) | (p.code << 25) | OP_FP,
    rounded(byWord, (m, o, context) =>
      write(m, p, o.rd, squareRoot(p.format, context, read(m, p, o.rs1))),
    ),
    emitProduct(p.type, 'sqrt'),
  );
}

/** The sign of rs2 on the magnitude of rs1: as it is, turned, or xor-ed. */
function signInjection(name: string, funct3: number): Row[] {
  return precisions.map((p) => {
    const sign = 1n << BigInt(p.format.bits - 1);
    const injected = (a: bigint, b: bigint): bigint =>
      funct3 === 0
        ? (a & ~sign) | (b & sign)
        : funct3 === 1
          ? (a & ~sign) | (~b & sign)
          : a ^ (b & sign);
    return row(
      `${name}.${p.suffix}`,
      p,
      'r',
      'rd rs1 rs2',
      0xfe00_707f,
      (0x04 << 27) | (p.code << 25) | (funct3 << 12) | OP_FP,
      (m, o) => {
        m.float(0);
        write(m, p, o.rd, BigInt.asUintN(64, injected(read(m, p, o.rs1), read(m, p, o.rs2))));
      },
      (e) => {
        needFloat(e);
        const a = e.inLocal(bits(e, p, e.rs1));
        const b = bits(e, p, e.rs2);
        const signs = e.op('i64.and', funct3 === 1 ? e.op('i64.xor', b, -1n) : b, signed(sign));
        const value =
          funct3 === 2
            ? e.op('i64.xor', a, signs)
            : e.op('i64.or', e.op('i64.and', a, signed(~sign)), signs);
        writeFloat(e, boxed(e, p, value));
      },
    );
  });
}

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);

/** A register's pattern as code, unboxed. */
function bits(e: Emitter, p: Precision, register: Expression): Expression {
  if (p === double) return register;
  const isBoxed = e.op('i64.eq', e.op('i64.shr_u', register, 32n), 0xffff_ffffn);
  return e.a.select(isBoxed, e.op('i64.and', register, 0xffff_ffffn), 0x7fc0_0000n);
}

function boxed(e: Emitter, p: Precision, value: Expression): Expression {
  return p === double ? value : e.op('i64.or', value, signed(BOX));
}

function extremes(name: string, funct3: number, which: 'minimum' | 'maximum'): Row[] {
  return precisions.map((p) =>
    row(
      `${name}.${p.suffix}`,
      p,
      'r',
      'rd rs1 rs2',
      0xfe00_707f,
      (0x05 << 27) | (p.code << 25) | (funct3 << 12) | OP_FP,
      rounded(anyMode, (m, o, context) =>
        write(m, p, o.rd, extreme(p.format, context, which, read(m, p, o.rs1), read(m, p, o.rs2))),
      ),
      emitExtreme(p.type, which === 'minimum' ? 'min' : 'max'),
    ),
  );
}

const relations = { equal: 'eq', less: 'lt', 'less-or-equal': 'le' } as const;

function comparison(name: string, funct3: number, relation: Parameters<typeof compare>[2]): Row[] {
  return precisions.map((p) =>
    row(
      `${name}.${p.suffix}`,
      p,
      'r',
      'rs1 rs2',
      0xfe00_707f,
      (0x14 << 27) | (p.code << 25) | (funct3 << 12) | OP_FP,
      rounded(anyMode, (m, o, context) => {
        const holds = compare(p.format, context, relation, read(m, p, o.rs1), read(m, p, o.rs2));
        m.setX(o.rd, holds ? 1n : 0n);
      }),
      emitComparison(p.type, relations[relation]),
    ),
  );
}

/** Integers by the number that the instructions have for them in rs2. */
const integers = [
  { suffix: 'w', least: -(2n ** 31n), greatest: 2n ** 31n - 1n },
  { suffix: 'wu', least: 0n, greatest: 2n ** 32n - 1n },
  { suffix: 'l', least: -(2n ** 63n), greatest: 2n ** 63n - 1n },
  { suffix: 'lu', least: 0n, greatest: 2n ** 64n - 1n },
];

function integerConversions(p: Precision): Row[] {
  return integers.flatMap(({ suffix, least, greatest }, number) => {
    const word = (number << 20) | (p.code << 25) | OP_FP;
    const isWord = number < 2;
    const type: IntegerType = { isSigned: least < 0n, bits: isWord ? 32 : 64 };
    const operand = (x: bigint): bigint => {
      const value = BigInt.asUintN(isWord ? 32 : 64, x);
      return value > greatest ? value - (greatest - least + 1n) : value;
    };
    return [
      row(
        `fcvt.${suffix}.${p.suffix}`,
        p,
        'float1',
        'rs1',
        FUNCT7_RS2 | 0x7f,
        (0x18 << 27) | word,
        rounded(byWord, (m, o, context) => {
          const value = toInteger(p.format, context, read(m, p, o.rs1), least, greatest);
          m.setX(o.rd, isWord ? BigInt.asIntN(32, value) : value);
        }),
        emitToInteger(p.type, type),
      ),
      row(
        `fcvt.${p.suffix}.${suffix}`,
        p,
        'float1',
        'rd',
        FUNCT7_RS2 | 0x7f,
        (0x1a << 27) | word,
        rounded(byWord, (m, o, context) =>
          write(m, p, o.rd, fromInteger(p.format, context, operand(m.x(o.rs1)))),
        ),
        emitFromInteger(p.type, type),
      ),
    ];
  });
}

function precisionConversion(name: string, from: Precision, to: Precision): Row {
  return row(
    name,
    double,
    'float1',
    'rd rs1',
    FUNCT7_RS2 | 0x7f,
    (0x08 << 27) | (to.code << 25) | (from.code << 20) | OP_FP,
    rounded(byWord, (m, o, context) =>
      write(m, to, o.rd, convert(from.format, to.format, context, read(m, from, o.rs1))),
    ),
    from === single ? emitWiden : emitNarrow,
  );
}

function moves(p: Precision): Row[] {
  const isSingle = p === single;
  const mask = FUNCT7_RS2 | 0x707f;
  const name = isSingle ? 'w' : 'd';
  return [
    row(
      `fmv.x.${name}`,
      p,
      'r2',
      'rs1',
      mask,
      (0x1c << 27) | (p.code << 25) | OP_FP,
      (m, o) => {
        m.float(0);
        m.setX(o.rd, isSingle ? BigInt.asIntN(32, m.f(o.rs1)) : m.f(o.rs1));
      },
      (e) => {
        needFloat(e);
        e.write(isSingle ? e.op('i64.extend32_s', e.rs1) : e.rs1);
      },
    ),
    row(
      `fmv.${name}.x`,
      p,
      'r2',
      'rd',
      mask,
      (0x1e << 27) | (p.code << 25) | OP_FP,
      (m, o) => {
        m.float(0);
        write(m, p, o.rd, isSingle ? BigInt.asUintN(32, m.x(o.rs1)) : m.x(o.rs1));
      },
      (e) => {
        needFloat(e);
        writeFloat(e, boxed(e, p, isSingle ? e.op('i64.and', e.rs1, 0xffff_ffffn) : e.rs1));
      },
    ),
    row(
      `fclass.${p.suffix}`,
      p,
      'r2',
      'rs1',
      mask,
      (0x1c << 27) | (p.code << 25) | (1 << 12) | OP_FP,
      (m, o) => {
        m.float(0);
        m.setX(o.rd, classify(p.format, read(m, p, o.rs1)));
      },
    ),
  ];
}

function memory(p: Precision): Row[] {
  const size = p.format.bits / 8;
  const [width, name] = p === single ? [2, 'w'] : [3, 'd'];
  return [
    row(
      `fl${name}`,
      p,
      'load',
      'rd',
      0x707f,
      (width << 12) | 0x07,
      (m, o) => {
        m.float(0);
        write(m, p, o.rd, m.load(m.x(o.rs1) + BigInt(o.imm), size));
      },
      (e) => {
        needFloat(e);
        const address = e.op('i64.add', e.rs1, e.imm);
        const instruction = p === single ? 'i64.load32_u' : 'i64.load';
        writeFloat(e, boxed(e, p, e.load(instruction, size, address)));
      },
    ),
    row(
      `fs${name}`,
      p,
      's',
      'rs2',
      0x707f,
      (width << 12) | 0x27,
      (m, o) => {
        m.float(0);
        m.store(m.x(o.rs1) + BigInt(o.imm), size, m.f(o.rs2));
      },
      (e) => {
        needFloat(e);
        const address = e.op('i64.add', e.rs1, e.imm);
        e.store(p === single ? 'i64.store32' : 'i64.store', size, address, e.rs2);
      },
    ),
  ];
}

export const floatRows: readonly Row[] = [
  ...precisions.flatMap(memory),
  ...arithmetic(
    'fadd',
    0x00,
    (f, c, a, b) => add(f, c, a!, b!),
    (t) => emitAdd(t, 'add'),
  ),
  ...arithmetic('fsub', 0x01, subtract, (t) => emitAdd(t, 'sub')),
  ...arithmetic(
    'fmul',
    0x02,
    (f, c, a, b) => multiply(f, c, a!, b!),
    (t) => emitProduct(t, 'mul'),
  ),
  ...arithmetic(
    'fdiv',
    0x03,
    (f, c, a, b) => divide(f, c, a!, b!),
    (t) => emitProduct(t, 'div'),
  ),
  ...precisions.map(root),
  ...fused('fmadd', 0x43, false, false),
  ...fused('fmsub', 0x47, false, true),
  ...fused('fnmsub', 0x4b, true, false),
  ...fused('fnmadd', 0x4f, true, true),
  ...signInjection('fsgnj', 0),
  ...signInjection('fsgnjn', 1),
  ...signInjection('fsgnjx', 2),
  ...extremes('fmin', 0, 'minimum'),
  ...extremes('fmax', 1, 'maximum'),
  ...comparison('fle', 0, 'less-or-equal'),
  ...comparison('flt', 1, 'less'),
  ...comparison('feq', 2, 'equal'),
  ...precisions.flatMap(integerConversions),
  precisionConversion('fcvt.s.d', double, single),
  precisionConversion('fcvt.d.s', single, double),
  ...precisions.flatMap(moves),
];
