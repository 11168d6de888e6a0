import { emitKeccak } from '@polyvisor/crypto/keccak';
import { type U256Kernels, emitU256 } from '@polyvisor/math/u256-kernels';
import { Assembler, type Expression, Local } from '@polyvisor/wasm/assembler';
import type { FunctionWriter } from '@polyvisor/wasm/function-writer';
import type { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { type FunctionType, I32, I64, type ValueType } from '@polyvisor/wasm/types';
import { type Schedule, gasAt, valueAt, type gas } from '../gas.ts';
import { type Ending, endingCode } from '../halts.ts';
import { type Hardfork, isAtLeast } from '../hardfork.ts';
import {
  FRAME_MEMORY,
  JOURNAL,
  KECCAK_CONSTANTS,
  KECCAK_STATE,
  LOGS,
  MATH_SCRATCH,
} from '../layout.ts';
import type { imports } from './imports.ts';
import type { Links } from './links.ts';

/** What of the runtime changes with the fork and the way of running. */
export interface RuntimeOptions {
  readonly fork: Hardfork;
  /** Calls the tracer's hooks; costs time, so it is another module. */
  readonly isTraced: boolean;
  /** Counts visits and goes over to compiled code where there is some. */
  readonly isTiered: boolean;
}

/**
 * What all generated code of an engine shares: imported functions, globals, kernels and the runtime's own
 * functions, which are declared first and written after, because they call each other.
 */
export class Runtime implements Links {
  readonly m: ModuleWriter;
  readonly fork: Hardfork;
  readonly isTraced: boolean;
  readonly isTiered: boolean;
  readonly imports: Readonly<Record<keyof typeof imports, number>>;
  readonly math: U256Kernels;
  /** `hash(pointer, size) -> 4 limbs` of the Keccak-256 digest as a big-endian number. */
  readonly keccak: number;
  readonly globals: Globals;
  readonly #functions = new Map<string, FunctionWriter>();

  constructor(m: ModuleWriter, options: RuntimeOptions, imported: Runtime['imports']) {
    this.m = m;
    this.fork = options.fork;
    this.isTraced = options.isTraced;
    this.isTiered = options.isTiered;
    this.imports = imported;
    this.globals = declareGlobals(m);
    this.math = emitU256(m, MATH_SCRATCH);
    this.keccak = emitKeccak(m, {
      stateOffset: KECCAK_STATE,
      constantsOffset: KECCAK_CONSTANTS,
    }).hash;
  }

  has(since: Hardfork): boolean {
    return isAtLeast(this.fork, since);
  }

  /** A price at this engine's fork. */
  price(name: keyof typeof gas): number {
    return gasAt(name, this.fork);
  }

  at<T extends number | boolean>(schedule: Schedule<T>): T | undefined {
    return valueAt(schedule, this.fork);
  }

  /** Declares a function; `define` writes its body. */
  declare(name: string, params: readonly ValueType[], results: readonly ValueType[]): void {
    this.#functions.set(name, this.m.function(params, results, name));
  }

  define(name: string, write: (a: Assembler, ...params: Local[]) => void): void {
    const f = this.#writer(name);
    const params = f.type.params.map((type, index) => new Local(index, type));
    write(new Assembler(f), ...params);
  }

  kernel(name: keyof U256Kernels): number {
    return this.math[name];
  }

  global(name: keyof Globals): number {
    return this.globals[name];
  }

  /** Exports everything that compiled code may be linked to. @returns the functions' types by name */
  exportLinks(): Map<string, FunctionType> {
    const types = new Map<string, FunctionType>();
    for (const [name, index] of Object.entries(this.math)) {
      this.m.exportFunction(kernelExport(name), index);
      const operandCount = name === 'addmod' || name === 'mulmod' ? 3 : 2;
      const params = Array.from({ length: 4 * operandCount }, (): ValueType => I64);
      types.set(kernelExport(name), { params, results: [I64, I64, I64, I64] });
    }
    for (const [name, f] of this.#functions) {
      this.m.exportFunction(name, f.index);
      types.set(name, f.type);
    }
    return types;
  }

  /** Index of a declared function. */
  function(name: string): number {
    return this.#writer(name).index;
  }

  /** The code of an ending as a constant. */
  ending(ending: Ending): number {
    return endingCode(ending);
  }

  #writer(name: string): FunctionWriter {
    const writer = this.#functions.get(name);
    if (!writer) throw new Error(`runtime function '${name}' is not declared`);
    return writer;
  }
}

/** Under which name a kernel is exported. */
export function kernelExport(name: string): string {
  return `u256.${name}`;
}

/** Mutable state of the engine, as WebAssembly globals that are exported under their names. */
export interface Globals {
  /** Pointer to the running frame's record. */
  readonly frame: number;
  /** i64: gas handed over at a frame's end; at the very end, what is left. */
  readonly gas: number;
  /** i64: the running frame pauses at a jump when its gas falls below; may be negative. */
  readonly slice: number;
  /** Ending of the outermost frame. */
  readonly ending: number;
  readonly returnSize: number;
  /** Whether the last RETURNDATACOPY stayed inside the data. */
  readonly isInBounds: number;
  readonly journalTop: number;
  readonly logsTop: number;
  readonly accountsTop: number;
  readonly slotsTop: number;
  /** Frame memory below this address may hold old bytes. */
  readonly dirtyTop: number;
  /** Frame memory below this address is addressable. */
  readonly reservedTop: number;
  /** Frame memory must end at or below this address. */
  readonly memoryLimit: number;
  /** i64: the refund counter. */
  readonly refund: number;
}

function declareGlobals(m: ModuleWriter): Globals {
  const define = (name: string, type: typeof I32 | typeof I64, value = 0n): number => {
    const index = m.global(type, value);
    m.exportGlobal(name, index);
    return index;
  };
  return {
    frame: define('frame', I32),
    gas: define('gas', I64),
    slice: define('slice', I64),
    ending: define('ending', I32),
    returnSize: define('returnSize', I32),
    isInBounds: define('isInBounds', I32),
    journalTop: define('journalTop', I32, BigInt(JOURNAL)),
    logsTop: define('logsTop', I32, BigInt(LOGS)),
    accountsTop: define('accountsTop', I32),
    slotsTop: define('slotsTop', I32),
    dirtyTop: define('dirtyTop', I32, BigInt(FRAME_MEMORY)),
    reservedTop: define('reservedTop', I32, BigInt(FRAME_MEMORY)),
    memoryLimit: define('memoryLimit', I32),
    refund: define('refund', I64),
  };
}

/** Keccak-256 of nothing, as limbs: the code hash of an account without code. */
export const EMPTY_CODE_HASH = [
  0x7bfa_d804_5d85_a470n,
  0xe500_b653_ca82_273bn,
  0x927e_7db2_dcc7_03c0n,
  0xc5d2_4601_86f7_233cn,
] as const;

/** The four limbs of the word at an address. */
export function loadWord(a: Assembler, address: Expression, offset = 0): Expression[] {
  return [0, 8, 16, 24].map((limb) => a.load('i64.load', address, offset + limb));
}

/** Copies 32 bytes as two vectors. */
export function copyWord(
  a: Assembler,
  destination: Expression,
  destinationOffset: number,
  source: Expression,
  sourceOffset: number,
): void {
  for (const half of [0, 16]) {
    a.put(destination).put(source);
    a.f.v128Load(sourceOffset + half).v128Store(destinationOffset + half);
  }
}

export function zeroWord(a: Assembler, address: Expression, offset = 0): void {
  for (const limb of [0, 8, 16, 24]) a.store('i64.store', address, 0n, offset + limb);
}

/** Whether any limb of the word from `from` on is not zero. */
export function isWordNonZero(a: Assembler, address: Expression, offset = 0, from = 0): Expression {
  const limbs = loadWord(a, address, offset).slice(from);
  return a.i64.ne(
    limbs.reduce((left, right) => a.i64.or(left, right)),
    0n,
  );
}

/** Whether the word at `x` is below the word at `y`, unsigned. */
export function isWordBelow(
  a: Assembler,
  x: Expression,
  xOffset: number,
  y: Expression,
  yOffset: number,
): Expression {
  const left = loadWord(a, x, xOffset);
  const right = loadWord(a, y, yOffset);
  let below: Expression = a.i64.ltU(left[0]!, right[0]!);
  for (let limb = 1; limb < 4; limb++) {
    below = a.i32.or(
      a.i64.ltU(left[limb]!, right[limb]!),
      a.i32.and(a.i64.eq(left[limb]!, right[limb]!), below),
    );
  }
  return below;
}
