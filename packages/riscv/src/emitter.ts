import type { Assembler, Expression, Local } from '@polyvisor/wasm/assembler';
import type { MemoryInstruction, PlainInstruction } from '@polyvisor/wasm/instructions';
import type { ValueType } from '@polyvisor/wasm/types';
import type { HighProduct } from './high-product.ts';

/**
 * What the rows' `emit` speaks to: the interpreter's generator, which reads operands from the decoded instruction, and
 * the compiler, to which they are constants. Registers are i64; those of floating point hold patterns.
 * Expressions may be used twice; all that faults must come before the first `write`.
 */
export interface Emitter {
  readonly a: Assembler;
  readonly rs1: Expression;
  readonly rs2: Expression;
  readonly rs3: Expression;
  readonly imm: Expression;
  /** The number that a control register's instruction has in place of rs1. */
  readonly csrOperand: Expression;
  readonly pc: Expression;
  readonly nextPc: Expression;
  readonly highProduct: HighProduct;
  op(name: PlainInstruction, ...operands: Expression[]): Expression;
  /** A new local with the value, computed at once; of i64 if no type is named. */
  inLocal(value: Expression, type?: ValueType): Local;
  /** To rd. */
  write(value: Expression): void;
  /** Goes on at pc + imm if the i32 is not zero. */
  branch(condition: Expression): void;
  jumpRelative(): void;
  jump(target: Expression): void;
  /** Access to guest memory. It is done at once; the value stays valid until the next one. */
  load(instruction: MemoryInstruction, size: number, address: Expression): Expression;
  store(instruction: MemoryInstruction, size: number, address: Expression, value: Expression): void;
  /** Offset in RAM of an aligned place that may be written, or only read. */
  atomicPlace(size: number, isWritten: boolean, address: Expression): Local;
  /** The same of a byte that may be written; where the TLB does not have it, the instruction is left to `evaluate`. */
  knownPlace(address: Expression): Local;
  /** i32: whether this rounding mode is in force. */
  isRounding(mode: number): Expression;
  /**
   * A control register that the code may access itself, in the mode that the hart is in; else it leaves the instruction
   * to `evaluate`. @returns what it holds
   */
  readCsr(): Local;
  /** Nothing that any register but rd depends on may have been done. */
  writeCsr(value: Expression): void;
  /** Leaves the instruction, of which nothing is done, to `evaluate`; what follows is not reached. */
  evaluate(): void;
}
