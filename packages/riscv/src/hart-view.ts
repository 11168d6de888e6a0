import type { FloatContext } from './float/soft-float.ts';

/** What the rows' `evaluate` speaks to. Values are unsigned where read; where written, their low 64 bits count. */
export interface HartView {
  /** Address of the present instruction, and of the one behind it. */
  readonly pc: bigint;
  readonly nextPc: bigint;
  x(register: number): bigint;
  setX(register: number, value: bigint): void;
  f(register: number): bigint;
  setF(register: number, value: bigint): void;
  jump(target: bigint): void;
  load(address: bigint, size: number): bigint;
  store(address: bigint, size: number, value: bigint): void;
  /** Raises the exception of a misaligned atomic access. */
  checkAligned(address: bigint, size: number, isStore: boolean): void;
  /** What `lr` reserved, until an `sc`. */
  reservation: { readonly address: bigint; readonly value: bigint } | undefined;
  /** Ends the instruction, of which nothing was done. */
  raise(cause: number, value: bigint): never;
  illegal(): never;
  /** Rounding and flags for an instruction with this field. Illegal where there is no such mode, or no float. */
  float(rm: number): FloatContext;
  /** Adds to `fflags`, after the operation. */
  finishFloat(context: FloatContext): void;
  readCsr(number: number): bigint;
  /** What an instruction that sets or clears bits of a register begins with; `readCsr` was asked before. */
  keptCsr(number: number): bigint;
  writeCsr(number: number, value: bigint): void;
  environmentCall(): void;
  returnFromTrap(mode: 'supervisor' | 'machine'): void;
  waitForInterrupt(): void;
  fenceTranslations(address: bigint | undefined, space: bigint | undefined): void;
  /** Cache-block operations: `zero` writes, `invalidate`, `clean` and `flush` only need the rights to. */
  cacheBlock(address: bigint, operation: 'zero' | 'invalidate' | 'clean' | 'flush'): void;
}
