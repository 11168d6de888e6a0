import type { Assembler, Expression } from '@polyvisor/wasm/assembler';
import type { Ending } from './halts.ts';
import type { Links } from './runtime/links.ts';
import type { Word, WordEmitter } from './word.ts';

/**
 * What an opcode's `emit` writes its code with. A tier implements it: the interpreter keeps operands on the stack
 * in memory, a compiler may keep them in locals. The stack has been checked and the fixed price charged before.
 * Gas may already be below zero: whoever changes state or ends the frame checks first.
 */
export interface OpEmitter {
  readonly rt: Links;
  readonly a: Assembler;
  readonly w: WordEmitter;
  /** Pointer to the running frame's record. */
  readonly frame: Expression;
  /** The operand on top; the first pop is the first operand. */
  pop(): Word;
  push(word: Word): void;
  /** Pushes the 32 bytes at an address, big-endian. */
  pushBigEndian(address: Expression): void;
  /** Pops a word and stores it big-endian. */
  popBigEndian(address: Expression): void;
  /** Pushes a word as it lies in the engine's memory. */
  pushStored(address: Expression, offset?: number): void;
  /** Subtracts a price that may leave the gas negative. */
  charge(amount: Expression): void;
  /** Gas left, as i64. */
  readonly gas: Expression;
  /** Ends the frame exceptionally if the condition holds. */
  haltIf(condition: Expression, ending: Ending): void;
  /** Ends the frame when its gas is spent. */
  checkGas(): void;
  /** Address of `size` bytes (1 or 32) of frame memory at `offset`, grown and paid for. */
  memory(offset: Word, size: number): Expression;
  /** Replaces the offset on the stack by 32 bytes of the frame's input; bytes past it are zero. */
  loadInput(): void;
  /**
   * Calls a runtime function `(sp, ...args, gas) -> gas` over operands on the stack in memory, and ends the frame if
   * the gas comes back negative. It leaves the results where the first pushed word belongs.
   */
  stackCall(name: string, ...args: Expression[]): void;
  /** Calls a runtime function `(sp)` over operands on the stack in memory. */
  stackRun(name: string): void;
  /** The program counter of this instruction, as i32. */
  readonly pc: Expression;
  jump(destination: Word): void;
  jumpIf(destination: Word, condition: Word): void;
  /** Ends the frame successfully or by REVERT, with no output or with that of the offset and size on the stack. */
  end(ending: 'success' | 'revert', hasOutput: boolean): void;
  /** Calls a runtime function `(sp, gas) -> ending` that may start another frame. */
  invoke(name: string): void;
}
