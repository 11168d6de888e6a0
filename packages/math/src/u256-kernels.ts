import { Assembler, type Expression, type Local } from '@polyvisor/wasm/assembler';
import type { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { I64, type ValueType } from '@polyvisor/wasm/types';
import { addTo, emitDivision, emitTwoByOne, limbs, subtract } from './divide.ts';
import { WideMultiplier, multiplyLimbs } from './wide.ts';

/**
 * Indexes of 256-bit functions in a module. Numbers are four i64 limbs, least significant first, as parameters and
 * as results. Division by zero and a modulus of zero give 0; `sdiv` and `smod` are two's complement.
 * @see Yellow Paper, appendix H.2, "0s: Stop and Arithmetic Operations"
 */
export interface U256Kernels {
  readonly mul: number;
  readonly udiv: number;
  readonly umod: number;
  readonly sdiv: number;
  readonly smod: number;
  readonly addmod: number;
  readonly mulmod: number;
  readonly exp: number;
}

/** Adds the functions to a module with a memory, of which 1 KiB at `scratch` is theirs. */
export function emitU256(m: ModuleWriter, scratch: number): U256Kernels {
  const division = emitDivision(m, scratch);
  const mul = emitMul(m);
  const twoByOne = emitTwoByOne(m);
  const udiv = emitUnsigned(m, 'u256-udiv', division, twoByOne, 'quotient');
  const umod = emitUnsigned(m, 'u256-umod', division, twoByOne, 'remainder');
  return {
    mul,
    udiv,
    umod,
    sdiv: emitSigned(m, 'u256-sdiv', udiv, 'either'),
    smod: emitSigned(m, 'u256-smod', umod, 'dividend'),
    addmod: emitAddmod(m, division),
    mulmod: emitMulmod(m, division),
    exp: emitExp(m, mul),
  };
}

type Division = ReturnType<typeof emitDivision>;

interface Kernel {
  readonly a: Assembler;
  /** The parameters, four limbs each. */
  readonly operands: readonly (readonly Local[])[];
}

function kernel(m: ModuleWriter, name: string, operandCount: number): Kernel {
  const params = Array.from({ length: 4 * operandCount }, (): ValueType => I64);
  const a = new Assembler(m.function(params, [I64, I64, I64, I64], name));
  const operands = Array.from({ length: operandCount }, (_, k) =>
    [0, 1, 2, 3].map((i) => a.param(4 * k + i)),
  );
  return { a, operands };
}

function emitMul(m: ModuleWriter): number {
  const { a, operands } = kernel(m, 'u256-mul', 2);
  const [x, y] = operands as [Local[], Local[]];
  const out = limbs(a);
  a.when(a.i64.eqz(orOf(a, [...x.slice(1), ...y.slice(1)])), () => {
    new WideMultiplier(a).multiply(x[0]!, y[0]!, out[0]!, out[1]!);
    a.return(out[0]!, out[1]!, 0n, 0n);
  });
  multiplyLimbs(a, x, y, out);
  a.return(...out);
  return a.f.index;
}

function emitUnsigned(
  m: ModuleWriter,
  name: string,
  { divide, layout }: Division,
  twoByOne: number,
  result: 'quotient' | 'remainder',
): number {
  const { a, operands } = kernel(m, name, 2);
  const [x, y] = operands as [Local[], Local[]];
  a.when(a.i64.eqz(orOf(a, y)), () => a.return(0n, 0n, 0n, 0n));
  a.when(a.i64.eqz(orOf(a, [...x.slice(1), ...y.slice(1)])), () => {
    a.put(x[0]!).put(y[0]!);
    a.f.op(result === 'quotient' ? 'i64.div_u' : 'i64.rem_u');
    a.put(0n).put(0n).put(0n).f.return();
  });
  const isOneLimb = a.i64.eqz(orOf(a, y.slice(1)));
  a.when(isOneLimb, () => {
    a.when(a.i64.eqz(a.i64.shrU(y[0]!, HALF)), () => divideShort(a, x, y[0]!, result));
    divideByLimb(a, x, y[0]!, twoByOne, result);
  });
  storeLimbs(a, layout.dividend, x);
  storeLimbs(a, layout.divisor, y);
  a.run(divide, 4);
  a.return(...loadLimbs(a, layout[result]));
  return a.f.index;
}

const HALF = 32n;

/** Returns x divided by a divisor of 32 bits, half a limb at a time: the processor divides 64 bits by 32. */
function divideShort(
  a: Assembler,
  x: readonly Local[],
  divisor: Local,
  result: 'quotient' | 'remainder',
): void {
  const { i64 } = a;
  const [rest, part, digit] = [a.localI64(), a.localI64(), a.localI64()];
  const out = limbs(a);
  a.set(rest, 0n);
  for (let i = 3; i >= 0; i--) {
    const step = (half: Expression): void => {
      a.set(part, i64.or(i64.shl(rest, HALF), half));
      a.set(digit, i64.divU(part, divisor));
      a.set(rest, i64.sub(part, i64.mul(digit, divisor)));
    };
    a.set(out[i]!, 0n);
    a.when(i64.ne(i64.or(x[i]!, rest), 0n), () => {
      step(i64.shrU(x[i]!, HALF));
      a.set(out[i]!, i64.shl(digit, HALF));
      step(i64.and(x[i]!, 0xffff_ffffn));
      a.set(out[i]!, i64.or(out[i]!, digit));
    });
  }
  if (result === 'quotient') a.return(...out);
  else a.return(rest, 0n, 0n, 0n);
}

/** Returns x divided by a divisor of one limb, above 2^32, a limb at a time. */
function divideByLimb(
  a: Assembler,
  x: readonly Local[],
  divisor: Local,
  twoByOne: number,
  result: 'quotient' | 'remainder',
): void {
  const { i32, i64 } = a;
  const [rest, bits, limb] = [a.localI64(), a.localI64(), a.localI64()];
  const out = limbs(a);
  a.set(bits, i64.clz(divisor));
  a.set(divisor, i64.shl(divisor, bits));
  const above = (lower: Expression): Expression =>
    i64.shrU(i64.shrU(lower, 1n), i64.sub(63n, bits));
  a.set(rest, above(x[3]!));
  for (let i = 3; i >= 0; i--) {
    a.set(limb, i64.or(i64.shl(x[i]!, bits), i === 0 ? 0n : above(x[i - 1]!)));
    a.when(
      i32.and(i64.eqz(rest), i64.ltU(limb, divisor)),
      () => {
        a.set(out[i]!, 0n);
        a.set(rest, limb);
      },
      () => void a.callInto([out[i]!, rest], twoByOne, rest, limb, divisor),
    );
  }
  if (result === 'quotient') a.return(...out);
  else a.return(i64.shrU(rest, bits), 0n, 0n, 0n);
}

/** Divides magnitudes; the result is negative when the signs differ, or as the dividend is. */
function emitSigned(
  m: ModuleWriter,
  name: string,
  unsigned: number,
  sign: 'either' | 'dividend',
): number {
  const { a, operands } = kernel(m, name, 2);
  const { i64 } = a;
  const [x, y] = operands as [Local[], Local[]];
  const [signX, signY] = [a.localI64(), a.localI64()];
  a.set(signX, i64.shrS(x[3]!, 63n));
  a.set(signY, i64.shrS(y[3]!, 63n));
  negateIf(a, x, signX);
  negateIf(a, y, signY);
  const out = limbs(a);
  a.callInto(out, unsigned, ...x, ...y);
  if (sign === 'either') a.set(signX, i64.xor(signX, signY));
  negateIf(a, out, signX);
  a.return(...out);
  return a.f.index;
}

/** Two's complement where `mask` is all ones; nothing where it is zero. */
function negateIf(a: Assembler, x: readonly Local[], mask: Local): void {
  const { i64 } = a;
  const carry = a.localI64();
  a.set(carry, i64.and(mask, 1n));
  for (const limb of x) {
    a.set(limb, i64.add(i64.xor(limb, mask), carry));
    a.set(carry, i64.and(carry, i64.extendU(i64.eqz(limb))));
  }
}

function emitAddmod(m: ModuleWriter, { divide, layout }: Division): number {
  const { a, operands } = kernel(m, 'u256-addmod', 3);
  const { i32, i64 } = a;
  const [x, y, n] = operands as [Local[], Local[], Local[]];
  a.when(i64.eqz(orOf(a, n)), () => a.return(0n, 0n, 0n, 0n));
  const carry = a.localI64();
  const isReduced = a.localI32();
  a.set(isReduced, i32.and(isBelow(a, x, n), isBelow(a, y, n)));
  addTo(a, x, y, carry);
  // Below 2n: one subtraction does.
  a.when(isReduced, () => {
    const borrow = a.localI64();
    const out = limbs(a);
    subtract(a, out, x, n, borrow);
    a.when(i64.ltU(carry, borrow), () => a.return(...x));
    a.return(...out);
  });
  storeLimbs(a, layout.dividend, [...x, carry]);
  storeLimbs(a, layout.divisor, n);
  a.run(divide, 5);
  a.return(...loadLimbs(a, layout.remainder));
  return a.f.index;
}

function emitMulmod(m: ModuleWriter, { divide, layout }: Division): number {
  const { a, operands } = kernel(m, 'u256-mulmod', 3);
  const [x, y, n] = operands as [Local[], Local[], Local[]];
  a.when(a.i64.eqz(orOf(a, n)), () => a.return(0n, 0n, 0n, 0n));
  const product = [...limbs(a), ...limbs(a)];
  multiplyLimbs(a, x, y, product);
  storeLimbs(a, layout.dividend, product);
  storeLimbs(a, layout.divisor, n);
  a.run(divide, 8);
  a.return(...loadLimbs(a, layout.remainder));
  return a.f.index;
}

/** Square and multiply, from the exponent's lowest bit. */
function emitExp(m: ModuleWriter, mul: number): number {
  const { a, operands } = kernel(m, 'u256-exp', 2);
  const { i64 } = a;
  const [base, exponent] = operands as [Local[], Local[]];
  const out = limbs(a);
  a.set(out[0]!, 1n);
  a.while(i64.ne(orOf(a, exponent), 0n), () => {
    a.when(a.i32.wrap(i64.and(exponent[0]!, 1n)), () => a.callInto(out, mul, ...out, ...base));
    exponent.forEach((limb, i) => {
      const above = exponent[i + 1];
      const low = i64.shrU(limb, 1n);
      a.set(limb, above ? i64.or(low, i64.shl(above, 63n)) : low);
    });
    a.callInto(base, mul, ...base, ...base);
  });
  a.return(...out);
  return a.f.index;
}

function isBelow(a: Assembler, x: readonly Local[], y: readonly Local[]): Expression {
  const { i32, i64 } = a;
  return x.reduce<Expression>(
    (below, limb, i) => i32.or(i64.ltU(limb, y[i]!), i32.and(i64.eq(limb, y[i]!), below)),
    0,
  );
}

function orOf(a: Assembler, values: readonly Local[]): Expression {
  return values.reduce<Expression>((x, y) => (x === 0n ? y : a.i64.or(x, y)), 0n);
}

function storeLimbs(a: Assembler, address: number, values: readonly Local[]): void {
  values.forEach((limb, i) => a.store('i64.store', 0, limb, address + 8 * i));
}

function loadLimbs(a: Assembler, address: number): Expression[] {
  return [0, 8, 16, 24].map((offset) => a.load('i64.load', 0, address + offset));
}
