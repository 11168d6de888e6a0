import type { Instruction } from '../instruction-codec.ts';
import { type InstructionRow, instructionRows } from '../instruction-rows.ts';
import type { InstructionName } from '../instructions.ts';
import { ModuleWriter } from '../module-writer.ts';
import {
  EMPTY,
  EXTERNREF,
  F32,
  F64,
  FUNCREF,
  type FunctionType,
  I32,
  I64,
  V128,
  type ValueType,
} from '../types.ts';
import { Random } from './random.ts';

const NUMBERS: readonly ValueType[] = [I32, I64, F32, F64, V128];
const DEPTH_MAX = 5;
/** Rows that make one value from values, by the type of the value. */
const makers = new Map(
  NUMBERS.map((type) => [
    type,
    instructionRows.filter(
      ({ signature }) => signature?.results.length === 1 && signature.results[0] === type,
    ),
  ]),
);

/** What stands in every random module: index spaces of known sizes, so that any instruction finds something. */
export interface Shape {
  readonly functions: readonly FunctionType[];
  readonly memories: number;
  readonly tables: readonly ValueType[];
  readonly globals: readonly { readonly type: ValueType; readonly isMutable: boolean }[];
}

export interface RandomModule {
  readonly shape: Shape;
  readonly bodies: readonly {
    readonly locals: readonly ValueType[];
    readonly code: readonly Instruction[];
  }[];
}

/** A module that is valid by construction: every function's code is grown from the types of its results. */
export function randomModule(seed: number): RandomModule {
  const random = new Random(seed);
  const functions = Array.from({ length: 2 + random.below(3) }, () => ({
    params: someTypes(random, 3),
    results: someTypes(random, 2),
  }));
  const shape: Shape = {
    functions,
    memories: 1 + random.below(2),
    tables: [FUNCREF, EXTERNREF],
    globals: [
      { type: I32, isMutable: true },
      { type: I64, isMutable: random.chance(50) },
    ],
  };
  const bodies = functions.map((type) => {
    const locals = someTypes(random, 4);
    return { locals, code: new Grower(random, shape, type, locals).body() };
  });
  return { shape, bodies };
}

/** The module's bytes, with an import in front that takes and gives nothing, and everything exported. */
export function encode({ shape, bodies }: RandomModule): Uint8Array {
  const m = new ModuleWriter();
  m.importFunction('host', 'tick', [], []);
  for (let i = 0; i < shape.memories; i++) m.memory({ initial: 1, maximum: 2 + i });
  for (const type of shape.tables) m.table(type, { initial: 4 });
  for (const { type, isMutable } of shape.globals) m.global(type as typeof I32, 7n, isMutable);
  const indexes = bodies.map(({ locals, code }, i) => {
    const { params, results } = shape.functions[i]!;
    const f = m.function(params, results, `f${i}`);
    for (const type of locals) f.local(type);
    for (const instruction of code) f.instruction(instruction);
    return f.index;
  });
  indexes.forEach((index, i) => m.exportFunction(`f${i}`, index));
  m.elements(0, 1, indexes);
  m.data(3, Uint8Array.of(1, 2, 3), shape.memories - 1);
  return m.finish();
}

/** An instruction with immediates that may fit or not. */
export function randomInstruction(random: Random): Instruction {
  const row = random.pick(instructionRows);
  return {
    name: row.name,
    immediates: row.immediates.flatMap((kind) => someNumbers(random, kind)),
  };
}

function someNumbers(
  random: Random,
  kind: InstructionRow['immediates'][number],
): (number | bigint)[] {
  switch (kind) {
    case 'block':
      return [random.pick([EMPTY, ...NUMBERS]) - 128];
    case 'heap-type':
      return [random.pick([FUNCREF, EXTERNREF]) - 128];
    case 'value-types':
      return [random.pick([...NUMBERS, FUNCREF])];
    case 'labels':
      return Array.from({ length: 1 + random.below(3) }, () => random.below(3));
    case 'memory-argument':
      return [random.below(5), random.below(3), random.next()];
    case 'bytes':
      return Array.from({ length: 16 }, () => random.below(256));
    case 'lanes':
      return Array.from({ length: 16 }, () => random.below(33));
    case 'lane':
      return [random.below(17)];
    case 'i32':
      return [random.next() | 0];
    case 'i64':
      return [BigInt.asIntN(64, (BigInt(random.next()) << 32n) | BigInt(random.next()))];
    case 'float':
      return [BigInt(random.next())];
    case 'double':
      return [(BigInt(random.next()) << 32n) | BigInt(random.next())];
    default:
      return [random.below(6)];
  }
}

function someTypes(random: Random, countMax: number): ValueType[] {
  return Array.from({ length: random.below(countMax + 1) }, () => random.pick(NUMBERS));
}

/** Grows code from the type that it must leave on the stack. */
class Grower {
  readonly #random: Random;
  readonly #shape: Shape;
  readonly #type: FunctionType;
  readonly #locals: readonly ValueType[];
  readonly #code: Instruction[] = [];

  constructor(random: Random, shape: Shape, type: FunctionType, locals: readonly ValueType[]) {
    this.#random = random;
    this.#shape = shape;
    this.#type = type;
    this.#locals = [...type.params, ...locals];
  }

  body(): Instruction[] {
    for (let i = this.#random.below(4); i > 0; i--) this.#statement(0);
    for (const type of this.#type.results) this.#value(type, 0);
    return this.#code;
  }

  #put(name: InstructionName, ...immediates: (number | bigint)[]): void {
    this.#code.push({ name, immediates });
  }

  /** Code that leaves the stack as it was. */
  #statement(depth: number): void {
    const random = this.#random;
    const choice = random.below(9);
    if (choice === 0 && this.#locals.length > 0) {
      const local = random.below(this.#locals.length);
      this.#value(this.#locals[local]!, depth + 1);
      this.#put('local.set', local);
    } else if (choice === 1) {
      this.#put('block', EMPTY - 128);
      this.#value(I32, depth + 1);
      this.#put('br_if', 0);
      this.#put('end');
    } else if (choice === 2) {
      this.#value(I32, depth + 1);
      this.#put('if', EMPTY - 128);
      if (depth < DEPTH_MAX) this.#statement(depth + 1);
      if (random.chance(50)) {
        this.#put('else');
        if (random.chance(50)) this.#put('unreachable');
      }
      this.#put('end');
    } else if (choice === 3) {
      this.#call(depth);
    } else if (choice === 4) {
      this.#value(I32, depth + 1);
      this.#put('global.set', 0);
    } else if (choice === 5) {
      for (let i = 0; i < 3; i++) this.#value(I32, DEPTH_MAX);
      this.#put('memory.copy', random.below(this.#shape.memories), 0);
    } else if (choice === 6) {
      this.#put('loop', EMPTY - 128);
      this.#put('block', EMPTY - 128);
      this.#value(I32, depth + 1);
      this.#put('br_table', 0, 1, 0);
      this.#put('end');
      this.#put('end');
    } else if (choice === 7) {
      this.#value(I32, depth + 1);
      this.#put('ref.null', FUNCREF - 128);
      this.#put('table.set', 0);
    } else {
      const type = random.pick(NUMBERS);
      this.#value(type, depth + 1);
      this.#put('drop');
    }
  }

  /** Calls one of the functions and drops what it gives. */
  #call(depth: number): void {
    const index = this.#random.below(this.#shape.functions.length);
    const { params, results } = this.#shape.functions[index]!;
    for (const type of params) this.#value(type, Math.max(depth + 1, DEPTH_MAX - 1));
    // The import has index 0.
    this.#put('call', index + 1);
    for (const _ of results) this.#put('drop');
  }

  #value(type: ValueType, depth: number): void {
    const random = this.#random;
    if (depth >= DEPTH_MAX) return this.#leaf(type);
    const choice = random.below(10);
    if (choice === 0) return this.#leaf(type);
    if (choice === 1) {
      this.#value(I32, depth + 1);
      this.#put('if', type - 128);
      this.#value(type, depth + 1);
      this.#put('else');
      this.#value(type, depth + 1);
      return this.#put('end');
    }
    if (choice === 2) {
      this.#put(random.chance(50) ? 'block' : 'loop', type - 128);
      if (random.chance(30)) this.#statement(depth + 1);
      this.#value(type, depth + 1);
      return this.#put('end');
    }
    if (choice === 3) {
      this.#value(type, depth + 1);
      this.#value(type, depth + 1);
      this.#value(I32, depth + 1);
      return random.chance(50) ? this.#put('select') : this.#put('select_typed', type);
    }
    const row = random.pick(makers.get(type)!);
    for (const operand of row.signature!.operands) this.#value(operand, depth + 1);
    this.#put(row.name, ...row.immediates.flatMap((kind) => this.#fitting(row, kind)));
  }

  #leaf(type: ValueType): void {
    const random = this.#random;
    const local = this.#locals.lastIndexOf(type);
    if (local >= 0 && random.chance(60)) return this.#put('local.get', local);
    if (type === I32) this.#put('i32.const', random.next() | 0);
    else if (type === I64) this.#put('i64.const', ...someNumbers(random, 'i64'));
    else if (type === F32) this.#put('f32.const', ...someNumbers(random, 'float'));
    else if (type === F64) this.#put('f64.const', ...someNumbers(random, 'double'));
    else this.#put('v128.const', ...someNumbers(random, 'bytes'));
  }

  #fitting(row: InstructionRow, kind: InstructionRow['immediates'][number]): (number | bigint)[] {
    const random = this.#random;
    switch (kind) {
      case 'memory':
        return [random.below(this.#shape.memories)];
      case 'table':
        return [random.below(this.#shape.tables.length)];
      case 'memory-argument':
        return [random.below(row.bound + 1), random.below(this.#shape.memories), random.next()];
      case 'lane':
        return [random.below(row.bound)];
      case 'lanes':
        return Array.from({ length: 16 }, () => random.below(32));
      default:
        return someNumbers(random, kind);
    }
  }
}
