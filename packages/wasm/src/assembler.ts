import type { FunctionWriter } from './function-writer.ts';
import type { MemoryInstruction, PlainInstruction } from './instructions.ts';
import { I32, I64, V128, type ValueType } from './types.ts';

/**
 * Expressions over a `FunctionWriter`: an `Expression` is a thunk that emits code leaving its value on the stack.
 * A plain number stands for an i32 constant, a bigint for an i64 constant. Building an expression emits nothing;
 * statements (`set`, `store`, `when`, `call`…) emit at once, so code reads in execution order.
 */
export type Expression = (() => void) | Local | number | bigint;

export class Local {
  readonly index: number;
  readonly type: ValueType;

  constructor(index: number, type: ValueType) {
    this.index = index;
    this.type = type;
  }
}

type Binary = (a: Expression, b: Expression) => Expression;
type Unary = (a: Expression) => Expression;

export interface I32Operations {
  add: Binary;
  sub: Binary;
  mul: Binary;
  divU: Binary;
  divS: Binary;
  remU: Binary;
  remS: Binary;
  and: Binary;
  or: Binary;
  xor: Binary;
  shl: Binary;
  shrU: Binary;
  shrS: Binary;
  eq: Binary;
  ne: Binary;
  ltU: Binary;
  ltS: Binary;
  gtU: Binary;
  leU: Binary;
  geU: Binary;
  geS: Binary;
  eqz: Unary;
  clz: Unary;
  /** Low 32 bits of an i64. */
  wrap: Unary;
}

export interface I64Operations {
  add: Binary;
  sub: Binary;
  mul: Binary;
  and: Binary;
  or: Binary;
  xor: Binary;
  shl: Binary;
  shrU: Binary;
  shrS: Binary;
  rotl: Binary;
  divU: Binary;
  divS: Binary;
  remU: Binary;
  remS: Binary;
  eq: Binary;
  ne: Binary;
  ltU: Binary;
  ltS: Binary;
  gtU: Binary;
  gtS: Binary;
  leU: Binary;
  geU: Binary;
  geS: Binary;
  eqz: Unary;
  clz: Unary;
  extendU: Unary;
  extendS: Unary;
}

const i32Names = {
  add: 'i32.add',
  sub: 'i32.sub',
  mul: 'i32.mul',
  divU: 'i32.div_u',
  divS: 'i32.div_s',
  remU: 'i32.rem_u',
  remS: 'i32.rem_s',
  and: 'i32.and',
  or: 'i32.or',
  xor: 'i32.xor',
  shl: 'i32.shl',
  shrU: 'i32.shr_u',
  shrS: 'i32.shr_s',
  eq: 'i32.eq',
  ne: 'i32.ne',
  ltU: 'i32.lt_u',
  ltS: 'i32.lt_s',
  gtU: 'i32.gt_u',
  leU: 'i32.le_u',
  geU: 'i32.ge_u',
  geS: 'i32.ge_s',
  eqz: 'i32.eqz',
  clz: 'i32.clz',
  wrap: 'i32.wrap_i64',
} as const satisfies Record<keyof I32Operations, PlainInstruction>;

const i64Names = {
  add: 'i64.add',
  sub: 'i64.sub',
  mul: 'i64.mul',
  and: 'i64.and',
  or: 'i64.or',
  xor: 'i64.xor',
  shl: 'i64.shl',
  shrU: 'i64.shr_u',
  shrS: 'i64.shr_s',
  rotl: 'i64.rotl',
  divU: 'i64.div_u',
  divS: 'i64.div_s',
  remU: 'i64.rem_u',
  remS: 'i64.rem_s',
  eq: 'i64.eq',
  ne: 'i64.ne',
  ltU: 'i64.lt_u',
  ltS: 'i64.lt_s',
  gtU: 'i64.gt_u',
  gtS: 'i64.gt_s',
  leU: 'i64.le_u',
  geU: 'i64.ge_u',
  geS: 'i64.ge_s',
  eqz: 'i64.eqz',
  clz: 'i64.clz',
  extendU: 'i64.extend_i32_u',
  extendS: 'i64.extend_i32_s',
} as const satisfies Record<keyof I64Operations, PlainInstruction>;

/** Operations of an assembler by short names. They stand in the prototype, so an assembler costs little. */
class Named {
  readonly a: Assembler;

  constructor(a: Assembler) {
    this.a = a;
  }

  static define(names: Readonly<Record<string, PlainInstruction>>): void {
    for (const [key, name] of Object.entries(names)) {
      Object.defineProperty(this.prototype, key, {
        value(this: Named, ...operands: Expression[]): Expression {
          return this.a.op(name, ...operands);
        },
      });
    }
  }
}

class NamedI32 extends Named {}
class NamedI64 extends Named {}
NamedI32.define(i32Names);
NamedI64.define(i64Names);

export class Assembler {
  readonly f: FunctionWriter;
  readonly i32: I32Operations;
  readonly i64: I64Operations;
  readonly #local: (type: ValueType) => number;

  /**
   * @param local gives the index of a local to use; by default a new one each time, which is zero at first. One that
   * hands locals out again must leave alone what is still read, and its users must set before they get.
   */
  constructor(f: FunctionWriter, local: (type: ValueType) => number = (type) => f.local(type)) {
    this.f = f;
    this.#local = local;
    this.i32 = new NamedI32(this) as NamedI32 & I32Operations;
    this.i64 = new NamedI64(this) as NamedI64 & I64Operations;
  }

  param(index: number): Local {
    return new Local(index, this.f.type.params[index]!);
  }

  localI32(): Local {
    return new Local(this.#local(I32), I32);
  }

  localI64(): Local {
    return new Local(this.#local(I64), I64);
  }

  localV128(): Local {
    return new Local(this.#local(V128), V128);
  }

  /** Emits the expression. */
  put(value: Expression): this {
    if (typeof value === 'function') value();
    else if (typeof value === 'number') this.f.i32(value);
    else if (typeof value === 'bigint') this.f.i64(value);
    else this.f.get(value.index);
    return this;
  }

  set(local: Local, value: Expression): this {
    this.put(value).f.set(local.index);
    return this;
  }

  /** Sets the local and yields the value. */
  tee(local: Local, value: Expression): Expression {
    return () => this.put(value).f.tee(local.index);
  }

  global(index: number): Expression {
    return () => this.f.globalGet(index);
  }

  setGlobal(index: number, value: Expression): this {
    this.put(value).f.globalSet(index);
    return this;
  }

  /** Any instruction without immediates, as `op('f64.add', x, y)`. */
  op(name: PlainInstruction, ...operands: Expression[]): Expression {
    return () => {
      for (const operand of operands) this.put(operand);
      this.f.op(name);
    };
  }

  /** A load, as `load('i64.load', address, 8)`. @param memory the memory's index */
  load(name: MemoryInstruction, address: Expression, offset = 0, memory = 0): Expression {
    return () => this.put(address).f.mem(name, offset, memory);
  }

  store(
    name: MemoryInstruction,
    address: Expression,
    value: Expression,
    offset = 0,
    memory = 0,
  ): this {
    this.put(address).put(value).f.mem(name, offset, memory);
    return this;
  }

  /** `condition ? a : b`, both evaluated. */
  select(condition: Expression, a: Expression, b: Expression): Expression {
    return () => this.put(a).put(b).put(condition).f.select();
  }

  /** `condition ? a : b`, one evaluated. */
  choose(type: ValueType, condition: Expression, a: Expression, b: Expression): Expression {
    return () => {
      this.put(condition).f.if(type);
      this.put(a).f.else();
      this.put(b).f.end();
    };
  }

  call(functionIndex: number, ...args: Expression[]): Expression {
    return () => {
      for (const arg of args) this.put(arg);
      this.f.call(functionIndex);
    };
  }

  /** Calls a function and stores its results, the first in the first local. */
  callInto(locals: readonly Local[], functionIndex: number, ...args: Expression[]): this {
    this.put(this.call(functionIndex, ...args));
    for (let i = locals.length - 1; i >= 0; i--) this.f.set(locals[i]!.index);
    return this;
  }

  /** Calls a function without result. */
  run(functionIndex: number, ...args: Expression[]): this {
    return this.put(this.call(functionIndex, ...args));
  }

  when(condition: Expression, then: () => void, otherwise?: () => void): this {
    this.put(condition).f.if();
    then();
    if (otherwise) {
      this.f.else();
      otherwise();
    }
    this.f.end();
    return this;
  }

  /** `when` for a condition that rarely holds: engines put what follows out of the way. */
  rarely(condition: Expression, then: () => void): this {
    this.put(condition).f.rarely().if();
    then();
    this.f.end();
    return this;
  }

  while(condition: Expression, body: () => void): this {
    this.f.block().loop();
    this.put(condition).f.op('i32.eqz').brIf(1);
    body();
    this.f.br(0).end().end();
    return this;
  }

  /** Runs the body, then again while the condition holds. */
  repeat(body: () => void, condition: Expression): this {
    this.f.loop();
    body();
    this.put(condition).f.brIf(0).end();
    return this;
  }

  return(...values: Expression[]): this {
    for (const value of values) this.put(value);
    this.f.return();
    return this;
  }

  copy(destination: Expression, source: Expression, size: Expression): this {
    this.put(destination).put(source).put(size).f.memoryCopy();
    return this;
  }

  fill(destination: Expression, byte: Expression, size: Expression): this {
    this.put(destination).put(byte).put(size).f.memoryFill();
    return this;
  }
}
