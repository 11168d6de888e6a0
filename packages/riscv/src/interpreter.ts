import { Assembler, type Expression, Local } from '@polyvisor/wasm/assembler';
import type { MemoryInstruction, PlainInstruction } from '@polyvisor/wasm/instructions';
import { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { I32, I64, type ValueType } from '@polyvisor/wasm/types';
import { STATUS_IN_CODE, csrPlace } from './csr-numbers.ts';
import type { Emitter } from './emitter.ts';
import { dynamicRounding } from './float/float-state.ts';
import { DYNAMIC } from './float/soft-float.ts';
import { type HighProduct, defineHighProduct } from './high-product.ts';
import * as at from './layout.ts';
import { RAM, REGION_PARAMS, REGION_RESULTS, importShared } from './linking.ts';
import { ScratchLocals } from './scratch-locals.ts';
import { shownStatus, writeStatus } from './status-code.ts';
import { isTlbMiss, ramOffset, tlbEntry } from './tlb-code.ts';
import type { Row } from './table/row.ts';
import { rows } from './table/rows.ts';

/** Operations of decoded instructions that are no rows. */
export const UNDECODED = 0;
/** Goes on at the address, by way of the TLB: behind a page's end. */
export const REDISPATCH = 1;
export const ILLEGAL = 2;
const FIRST_ROW = 3;

/** Where `run` goes on, which may be anywhere. */
const UNCOUNTED_NEXT = 1;
/** What compiled code left because too few steps are left for it: as `IS_INTERPRETED` says it. */
const UNCOUNTED_ALL = at.OUT_OF_STEPS;

const operations = new Map(rows.map((row, i) => [row, FIRST_ROW + i]));
const OPERATION_COUNT = FIRST_ROW + rows.length;

export function operationOf(row: Row): number {
  return operations.get(row)!;
}

export function rowOf(operation: number): Row | undefined {
  return rows[operation - FIRST_ROW];
}

/** What the module calls. Before each call the hart's state is in memory, `PC` the present instruction's. */
export interface InterpreterImports {
  /** Fills the TLB for the instruction at `PC`, or traps. */
  readonly fetchMiss: () => void;
  /** @returns the decoded instruction to go on with, or 0 after a trap */
  readonly decode: (record: number) => number;
  /** The load's bytes are in `VALUE` then; 1 after a trap. */
  readonly loadMiss: (low: number, high: number, size: number) => number;
  /** Stores what is in `VALUE`; 1 if `PC` has changed. */
  readonly storeMiss: (low: number, high: number, size: number, record: number) => number;
  /** The place's offset in RAM is in `VALUE` then; 1 after a trap. */
  readonly atomicMiss: (low: number, high: number, size: number, isWritten: number) => number;
  /** Control has landed at `PC` often. */
  readonly hot: () => void;
  /** What is compiled for `PC` has no instance here. */
  readonly absent: () => void;
  /** Evaluates an instruction, and moves `PC` on. */
  readonly evaluate: (record: number) => void;
}

/**
 * The interpreter: `run()` executes decoded instructions until `LEFT` is 0. `absent` is what regions without an
 * instance are in the table.
 *
 *     reload      PC, LEFT and the TLB's sets from memory
 *       dispatch  from an address to a decoded instruction
 *         landing   by a jump: counts it, or runs what is compiled
 *           next    counts a step
 *             operation   br_table over the rows
 */
export function interpreterModule(): Uint8Array<ArrayBuffer> {
  const m = new ModuleWriter();
  const imports = {
    fetchMiss: m.importFunction('hart', 'fetchMiss', [], []),
    decode: m.importFunction('hart', 'decode', [I32], [I32]),
    loadMiss: m.importFunction('hart', 'loadMiss', [I32, I32, I32], [I32]),
    storeMiss: m.importFunction('hart', 'storeMiss', [I32, I32, I32, I32], [I32]),
    atomicMiss: m.importFunction('hart', 'atomicMiss', [I32, I32, I32, I32], [I32]),
    evaluate: m.importFunction('hart', 'evaluate', [I32], []),
    hot: m.importFunction('hart', 'hot', [], []),
    absent: m.importFunction('hart', 'absent', [], []),
  };
  importShared(m);
  const region = m.type(REGION_PARAMS, REGION_RESULTS);
  const highProduct = defineHighProduct(m);
  const f = m.function([], [], 'run');
  new InterpreterWriter(new Assembler(f), imports, highProduct, region).emitRun();
  m.exportFunction('run', f.index);
  m.exportFunction('absent', defineAbsent(m, imports.absent));
  return m.finish();
}

/** Stands for a region that has no instance: leaves the instruction to the interpreter. */
function defineAbsent(m: ModuleWriter, absent: number): number {
  const a = new Assembler(m.function(REGION_PARAMS, REGION_RESULTS, 'absent'));
  a.store('i64.store', 0, a.param(1), at.PC);
  a.store('i32.store', 0, at.NO_CODE, at.IS_INTERPRETED);
  a.run(absent);
  a.put(a.param(2));
  return a.f.index;
}

class InterpreterWriter implements Emitter {
  readonly a: Assembler;
  readonly rs1: Expression = () => this.#register(at.RECORD_RS1);
  readonly rs2: Expression = () => this.#register(at.RECORD_RS2);
  readonly rs3: Expression = () => this.#register(at.RECORD_RS3);
  readonly imm: Expression = () => this.a.put(this.#record).f.mem('i64.load32_s', at.RECORD_IMM);
  readonly pc: Expression;
  readonly nextPc: Expression;
  readonly csrOperand: Expression = () =>
    this.a.put(this.#record).f.mem('i64.load8_u', at.RECORD_RM);
  readonly #imports: Record<keyof InterpreterImports, number>;
  readonly highProduct: HighProduct;
  /** Type of compiled code. */
  readonly #region: number;
  /** Whether the present instruction was left by compiled code. */
  readonly #isSkipped: Local;
  /** Bits: which landings say nothing of what is hot, and are not counted. */
  readonly #uncounted: Local;
  /** Place of the decoded instruction, of its page's first, and the page's address. */
  readonly #record: Local;
  readonly #page: Local;
  readonly #pageAddress: Local;
  readonly #left: Local;
  readonly #dataTlb: Local;
  readonly #fetchTlb: Local;
  readonly #operation: Local;
  readonly #target: Local;
  readonly #address: Local;
  readonly #entry: Local;
  readonly #loaded: Local;
  readonly #stored: Local;
  readonly #place: Local;
  readonly #scratch: ScratchLocals;
  /** Depths of the labels. */
  #exit = 0;
  #reload = 0;
  #dispatch = 0;
  #landing = 0;
  #next = 0;
  #again = 0;
  #isEnded = false;

  constructor(
    a: Assembler,
    imports: Record<keyof InterpreterImports, number>,
    highProduct: HighProduct,
    region: number,
  ) {
    this.#region = region;
    this.#isSkipped = a.localI32();
    this.#uncounted = a.localI32();
    this.a = a;
    this.#scratch = new ScratchLocals(a);
    this.#imports = imports;
    this.highProduct = highProduct;
    this.#record = a.localI32();
    this.#page = a.localI32();
    this.#left = a.localI32();
    this.#dataTlb = a.localI32();
    this.#fetchTlb = a.localI32();
    this.#operation = a.localI32();
    this.#entry = a.localI32();
    this.#place = a.localI32();
    this.#pageAddress = a.localI64();
    this.#target = a.localI64();
    this.#address = a.localI64();
    this.#loaded = a.localI64();
    this.#stored = a.localI64();
    const offset = this.op('i32.shr_u', this.op('i32.sub', this.#record, this.#page), 3);
    this.pc = this.op('i64.add', this.#pageAddress, this.op('i64.extend_i32_u', offset));
    const length = this.op('i32.shr_u', this.#step(), 3);
    this.nextPc = this.op('i64.add', this.pc, this.op('i64.extend_i32_u', length));
  }

  /** The whole function. */
  emitRun(): void {
    const { a } = this;
    const { f } = a;
    a.set(this.#uncounted, UNCOUNTED_NEXT);
    this.#exit = f.block().depth;
    this.#reload = f.loop().depth;
    a.set(this.#left, a.load('i32.load', 0, at.LEFT));
    a.set(this.#dataTlb, a.load('i32.load', 0, at.DATA_TLB));
    a.set(this.#fetchTlb, a.load('i32.load', 0, at.FETCH_TLB));
    a.set(this.#target, a.load('i64.load', 0, at.PC));
    this.#dispatch = f.loop().depth;
    this.#fetch();
    this.#landing = f.loop().depth;
    this.#land();
    this.#next = f.loop().depth;
    a.when(this.op('i32.eqz', this.#left), () => {
      this.#save();
      this.#branch(this.#exit);
    });
    a.set(this.#left, this.op('i32.sub', this.#left, 1));
    a.set(this.#operation, a.load('i32.load16_u', this.#record));
    this.#again = f.loop().depth;
    for (let i = 0; i < OPERATION_COUNT; i++) f.block();
    a.put(this.#operation);
    const labels = Array.from({ length: OPERATION_COUNT }, (_, i) => i);
    f.brTable(labels.slice(0, -1), OPERATION_COUNT - 1);
    for (let i = 0; i < OPERATION_COUNT; i++) {
      f.end();
      this.#scratch.release();
      this.#isEnded = false;
      this.#emitOperation(i);
      if (!this.#isEnded) this.#advance();
    }
    f.end().end().end().end().end().end();
  }

  op(name: PlainInstruction, ...operands: Expression[]): Expression {
    return this.a.op(name, ...operands);
  }

  inLocal(value: Expression, type?: ValueType): Local {
    return this.#scratch.hold(value, type);
  }

  write(value: Expression): void {
    const { a } = this;
    a.store('i64.store', a.load('i32.load16_u', this.#record, at.RECORD_RD), value);
  }

  branch(condition: Expression): void {
    this.a.when(condition, () => this.#goRelative());
  }

  jumpRelative(): void {
    this.#goRelative();
    this.#isEnded = true;
  }

  jump(target: Expression): void {
    this.a.set(this.#target, target);
    this.#branch(this.#dispatch);
    this.#isEnded = true;
  }

  load(instruction: MemoryInstruction, size: number, address: Expression): Expression {
    const { a } = this;
    this.#lookUp(at.READ_TLB, size, address);
    a.f.if(I64);
    this.#callMiss(this.#imports.loadMiss, size);
    a.put(a.load(instruction, 0, at.VALUE));
    a.f.else();
    a.put(a.load(instruction, this.#offset(at.READ_TLB), 0, RAM));
    a.f.end().set(this.#loaded.index);
    return this.#loaded;
  }

  store(
    instruction: MemoryInstruction,
    size: number,
    address: Expression,
    value: Expression,
  ): void {
    const { a } = this;
    a.set(this.#stored, value);
    this.#lookUp(at.WRITE_TLB, size, address);
    a.f.if();
    a.store('i64.store', 0, this.#stored, at.VALUE);
    this.#callMiss(this.#imports.storeMiss, size, this.#record);
    a.f.else();
    a.store(instruction, this.#offset(at.WRITE_TLB), this.#stored, 0, RAM);
    a.f.end();
  }

  atomicPlace(size: number, isWritten: boolean, address: Expression): Local {
    const { a } = this;
    const kind = isWritten ? at.WRITE_TLB : at.READ_TLB;
    a.set(this.#address, address);
    const misaligned = this.op('i64.ne', this.op('i64.and', this.#address, BigInt(size - 1)), 0n);
    this.#lookUp(kind, 1, this.#address);
    a.put(misaligned).f.op('i32.or').if(I32);
    this.#callMiss(this.#imports.atomicMiss, size, isWritten ? 1 : 0);
    a.put(a.load('i32.load', 0, at.VALUE));
    a.f.else();
    a.put(this.#offset(kind));
    a.f.end().set(this.#place.index);
    return this.#place;
  }

  knownPlace(address: Expression): Local {
    const { a } = this;
    this.#lookUp(at.WRITE_TLB, 1, address);
    a.f.if();
    this.evaluate();
    a.f.end();
    a.set(this.#place, this.#offset(at.WRITE_TLB));
    return this.#place;
  }

  isRounding(mode: number): Expression {
    const { a } = this;
    const rm = a.load('i32.load8_u', this.#record, at.RECORD_RM);
    const isDynamic = this.op('i32.eq', rm, DYNAMIC);
    return this.op('i32.eq', a.select(isDynamic, dynamicRounding(a), rm), mode);
  }

  readCsr(): Local {
    const { a } = this;
    const place = a.load('i32.load16_u', this.#record, at.RECORD_RS3);
    a.set(this.#place, place);
    const isUser = this.op('i32.eqz', a.load('i32.load', 0, at.PRIVILEGE));
    const isHidden = this.op('i32.or', this.op('i32.eqz', this.#place), isUser);
    a.when(isHidden, () => this.evaluate());
    const isStatus = this.op('i32.eq', this.#place, STATUS_IN_CODE);
    const value = a.choose(I64, isStatus, shownStatus(this), a.load('i64.load', this.#place));
    a.set(this.#loaded, value);
    return this.#loaded;
  }

  writeCsr(value: Expression): void {
    const { a } = this;
    const next = this.inLocal(value);
    a.when(
      this.op('i32.eq', this.#place, STATUS_IN_CODE),
      () => writeStatus(this, this.#loaded, next),
      () => {
        const isAddress = this.op('i32.eq', this.#place, csrPlace('sepc'));
        a.store('i64.store', this.#place, this.op('i64.and', next, a.select(isAddress, -2n, -1n)));
      },
    );
  }

  evaluate(): void {
    this.#save();
    this.a.run(this.#imports.evaluate, this.#record);
    this.#branch(this.#reload);
  }

  #emitOperation(operation: number): void {
    const { a } = this;
    if (operation === UNDECODED) {
      const record = this.#entry;
      this.#save();
      a.set(record, a.call(this.#imports.decode, this.#record));
      a.when(this.op('i32.eqz', record), () => this.#branch(this.#reload));
      const moved = this.op('i32.sub', record, this.#record);
      a.set(this.#page, this.op('i32.add', this.#page, moved));
      a.set(this.#record, record);
      a.set(this.#operation, a.load('i32.load16_u', this.#record));
      this.#branch(this.#again);
      this.#isEnded = true;
    } else if (operation === REDISPATCH) {
      // This was no step.
      a.set(this.#left, this.op('i32.add', this.#left, 1));
      this.jump(this.pc);
    } else {
      const emit = rowOf(operation)?.emit;
      if (emit) {
        emit(this);
      } else {
        this.evaluate();
        this.#isEnded = true;
      }
    }
  }

  /** From the address in `target` to record, page and its address. */
  #fetch(): void {
    const { a } = this;
    const place = tlbEntry(a, this.#target, this.#fetchTlb);
    a.set(this.#pageAddress, this.op('i64.and', this.#target, ~0xfffn));
    const tag = a.load('i64.load', a.tee(this.#entry, place), at.EXECUTE_TLB);
    a.when(this.op('i64.ne', tag, this.#pageAddress), () => {
      a.store('i64.store', 0, this.#target, at.PC);
      a.store('i32.store', 0, this.#left, at.LEFT);
      a.put(this.op('i32.eqz', this.#left)).f.brIf(a.f.depth - this.#exit);
      a.run(this.#imports.fetchMiss);
      this.#branch(this.#reload);
    });
    a.set(this.#page, a.load('i32.load', this.#entry, at.EXECUTE_TLB + 8));
    const offset = this.op('i32.and', this.op('i32.wrap_i64', this.#target), 0xfff);
    a.set(this.#record, this.op('i32.add', this.#page, this.op('i32.shl', offset, 3)));
  }

  #land(): void {
    const { a } = this;
    const { f } = a;
    const offset = this.op('i32.shr_u', this.op('i32.sub', this.#record, this.#page), 2);
    a.set(this.#entry, this.op('i32.add', this.#page, offset));
    a.set(this.#operation, a.load('i32.load', this.#entry, at.LANDINGS));
    a.when(
      this.op('i32.lt_s', this.#operation, 0),
      () => {
        a.when(this.op('i32.eqz', this.#isSkipped), () => {
          const number = this.op('i32.xor', this.#operation, -1);
          a.put(this.op('i32.and', number, 2 ** at.ENTRY_BITS - 1));
          a.put(this.pc).put(this.#left);
          a.put(this.op('i32.shr_u', number, at.ENTRY_BITS));
          f.callIndirect(this.#region).set(this.#left.index);
          a.set(this.#isSkipped, a.load('i32.load', 0, at.IS_INTERPRETED));
          a.set(this.#target, a.load('i64.load', 0, at.PC));
          a.set(this.#uncounted, this.op('i32.and', this.#isSkipped, UNCOUNTED_ALL));
          this.#branch(this.#dispatch);
        });
      },
      () => {
        const isCounted = this.op('i32.or', this.#operation, this.#uncounted);
        a.when(this.op('i32.eqz', isCounted), () => this.#count());
      },
    );
    a.set(this.#isSkipped, 0);
    a.set(this.#uncounted, this.op('i32.and', this.#uncounted, UNCOUNTED_ALL));
  }

  /** Counts a landing, whose place less `LANDINGS` is in `entry`. */
  #count(): void {
    const { a } = this;
    const index = this.op(
      'i32.and',
      this.op('i32.shr_u', this.#entry, at.COUNT_SHIFT - 1),
      2 * at.COUNTS_LENGTH - 2,
    );
    a.set(this.#entry, index);
    const count = this.op('i32.add', a.load('i32.load16_u', this.#entry, at.COUNTS), 1);
    a.store('i32.store16', this.#entry, a.tee(this.#operation, count), at.COUNTS);
    const isHot = this.op('i32.eq', this.#operation, a.load('i32.load', 0, at.HOT_LANDINGS));
    a.when(isHot, () => {
      a.store('i32.store16', this.#entry, 0, at.COUNTS);
      this.#save();
      a.run(this.#imports.hot);
      this.#branch(this.#reload);
    });
  }

  /** Leaves on the stack whether the entry for the access is not there. */
  #lookUp(kind: number, size: number, address: Expression): void {
    const { a } = this;
    a.set(this.#address, address);
    a.set(this.#entry, tlbEntry(a, this.#address, this.#dataTlb));
    a.put(isTlbMiss(a, this.#entry, kind, this.#address, size));
  }

  #offset(kind: number): Expression {
    return ramOffset(this.a, this.#entry, kind, this.#address);
  }

  #callMiss(index: number, size: number, ...last: Expression[]): void {
    const { a } = this;
    this.#save();
    const low = this.op('i32.wrap_i64', this.#address);
    const high = this.op('i32.wrap_i64', this.op('i64.shr_u', this.#address, 32n));
    a.put(a.call(index, low, high, size, ...last)).f.brIf(a.f.depth - this.#reload);
    // A device may have asked for an early end.
    a.set(this.#left, a.load('i32.load', 0, at.LEFT));
  }

  #save(): void {
    this.a.store('i64.store', 0, this.pc, at.PC);
    this.a.store('i32.store', 0, this.#left, at.LEFT);
  }

  #goRelative(): void {
    const { a } = this;
    const imm = a.load('i32.load', this.#record, at.RECORD_IMM);
    const record = this.op('i32.add', this.#record, this.op('i32.shl', imm, 3));
    const offset = this.op('i32.sub', a.tee(this.#entry, record), this.#page);
    a.when(this.op('i32.lt_u', offset, 2048 * at.RECORD_BYTES), () => {
      a.set(this.#record, this.#entry);
      this.#branch(this.#landing);
    });
    a.set(this.#target, this.op('i64.add', this.pc, this.imm));
    this.#branch(this.#dispatch);
  }

  #advance(): void {
    this.a.set(this.#record, this.op('i32.add', this.#record, this.#step()));
    this.#branch(this.#next);
  }

  #step(): Expression {
    return this.a.load('i32.load8_u', this.#record, at.RECORD_STEP);
  }

  #register(place: number): void {
    this.a.put(this.#record).f.mem('i32.load16_u', place).mem('i64.load', 0);
  }

  #branch(depth: number): void {
    this.a.f.br(this.a.f.depth - depth);
  }
}
