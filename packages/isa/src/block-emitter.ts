import { assert } from '@polyvisor/errors/assert';
import { Assembler, type Expression, type Local } from '@polyvisor/wasm/assembler';
import type { MemoryInstruction } from '@polyvisor/wasm/instructions';
import type { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { I32 } from '@polyvisor/wasm/types';
import type { Decoded, Decoder } from './decoder.ts';
import { type InstructionSet, operandNames } from './instruction-set.ts';

/** Where a block's surroundings lie in its WebAssembly memory, in bytes. */
export interface BlockLayout {
  /** Registers, 4 or 8 bytes each. */
  readonly registers: number;
  /** The guest's address 0, and how many bytes it has. */
  readonly memory: number;
  readonly memoryBytes: number;
  /** i32 each: address of the next instruction, and number of the instructions done. */
  readonly pc: number;
  readonly used: number;
}

/** What the function gives: go on at `pc`; or the instruction at `pc` is at fault, and has done nothing. */
export const BLOCK_DONE = 0;
export const BLOCK_ILLEGAL = 1;
export const BLOCK_ACCESS = 2;

/** An instruction word by its halves. */
export type Word = readonly [low: number, high: number];

/**
 * Adds a function `() -> i32` that runs the words in a row, up to the first that surely jumps. Registers live in
 * locals; a branch taken, or a fault, leaves the function with everything up to there done.
 * @returns the function's index
 */
export function emitBlock(
  m: ModuleWriter,
  set: InstructionSet,
  decode: Decoder,
  layout: BlockLayout,
  address: number,
  words: readonly Word[],
): number {
  return new BlockEmitter(m, set, layout).emit(decode, address, words);
}

/** What the rows' `emit` speaks to. Expressions of registers are i32 or i64, as wide as the registers. */
export class BlockEmitter {
  readonly a: Assembler;
  /** Address of the present instruction. */
  pc = 0;
  readonly #set: InstructionSet;
  readonly #layout: BlockLayout;
  readonly #registers = new Map<number, Local>();
  readonly #written = new Set<number>();
  readonly #exitPc: Local;
  readonly #exitUsed: Local;
  /** Instructions in front of the present one. */
  #done = 0;
  #isEnded = false;

  constructor(m: ModuleWriter, set: InstructionSet, layout: BlockLayout) {
    this.a = new Assembler(m.function([], [I32], `${set.name}-block`));
    this.#set = set;
    this.#layout = layout;
    this.#exitPc = this.a.localI32();
    this.#exitUsed = this.a.localI32();
  }

  emit(decode: Decoder, address: number, words: readonly Word[]): number {
    const { f } = this.a;
    const decoded = words.map(([low, high]) => decode(low, high));
    this.#load(decoded.flatMap((entry) => (entry ? this.#registersOf(entry) : [])));
    f.block(I32);
    for (const [i, entry] of decoded.entries()) {
      this.pc = address + i * this.#set.wordBytes;
      this.#done = i;
      if (entry) entry.row.emit(this, entry.operands);
      else this.#exit(this.pc, BLOCK_ILLEGAL);
      this.#isEnded ||= !entry;
      if (this.#isEnded) break;
    }
    if (!this.#isEnded) {
      this.#done = words.length;
      this.#exit(address + words.length * this.#set.wordBytes, BLOCK_DONE);
    }
    f.end();
    this.#store();
    return f.index;
  }

  read(register: number): Expression {
    if (register === this.#set.zeroRegister) return this.number(0);
    return this.#local(register);
  }

  write(register: number, value: Expression): void {
    if (register === this.#set.zeroRegister) {
      // The value may still fault.
      this.a.put(value).f.drop();
      return;
    }
    this.#written.add(register);
    this.a.set(this.#local(register), value);
  }

  /** A constant as wide as a register. */
  number(value: number): Expression {
    return this.#set.registerBits === 32 ? value | 0 : BigInt(value);
  }

  /** Leaves the block for an address, always. */
  jump(address: Expression): void {
    this.#done++;
    this.#exit(address, BLOCK_DONE);
    this.#isEnded = true;
  }

  /** Leaves the block for an address if the i32 is not zero. */
  branch(condition: Expression, address: number): void {
    this.#done++;
    this.a.when(condition, () => this.#exit(address, BLOCK_DONE));
    this.#done--;
  }

  /** A load of `size` bytes at a guest address, which faults where there is no memory. */
  load(name: MemoryInstruction, address: Expression, size: number): Expression {
    const start = this.#checked(address, size);
    return this.a.load(name, start, this.#layout.memory);
  }

  store(name: MemoryInstruction, address: Expression, size: number, value: Expression): void {
    const start = this.#checked(address, size);
    this.a.store(name, start, value, this.#layout.memory);
  }

  /** Emits the check at once, and gives the address as an i32. */
  #checked(address: Expression, size: number): Local {
    const { i32, i64 } = this.a;
    const last = this.#layout.memoryBytes - size;
    assert(last >= 0, 'a memory holds at least one access');
    const start = this.a.localI32();
    const isWide = this.#set.registerBits === 64;
    if (isWide) {
      const wide = this.a.localI64();
      this.a.set(wide, address);
      this.a.when(i64.gtU(wide, BigInt(last)), () => this.#exit(this.pc, BLOCK_ACCESS));
      this.a.set(start, i32.wrap(wide));
    } else {
      this.a.set(start, address);
      this.a.when(i32.gtU(start, last), () => this.#exit(this.pc, BLOCK_ACCESS));
    }
    return start;
  }

  #exit(address: Expression, code: number): void {
    const { f, i32 } = this.a;
    const isNarrow = typeof address === 'number' || this.#set.registerBits === 32;
    this.a.set(this.#exitPc, isNarrow ? address : i32.wrap(address));
    this.a.set(this.#exitUsed, this.#done);
    this.a.put(code);
    f.br(f.depth - 1);
  }

  #registersOf({ row, operands }: Decoded): number[] {
    const named = operandNames(this.#set, row)
      .filter((name) => this.#set.fields[name]!.kind === 'register')
      .map((name) => operands[name]!);
    return [...named, ...(row.implied ?? [])];
  }

  #local(register: number): Local {
    const local = this.#registers.get(register);
    assert(local, `register ${register} is neither an operand nor implied`);
    return local;
  }

  #load(registers: readonly number[]): void {
    const isWide = this.#set.registerBits === 64;
    for (const register of new Set(registers)) {
      if (register === this.#set.zeroRegister) continue;
      const local = isWide ? this.a.localI64() : this.a.localI32();
      this.#registers.set(register, local);
      const load = this.a.load(isWide ? 'i64.load' : 'i32.load', 0, this.#address(register));
      this.a.set(local, load);
    }
  }

  /** The exit's code stays on the stack meanwhile. */
  #store(): void {
    const name = this.#set.registerBits === 64 ? 'i64.store' : 'i32.store';
    for (const register of this.#written) {
      this.a.store(name, 0, this.#local(register), this.#address(register));
    }
    this.a.store('i32.store', 0, this.#exitPc, this.#layout.pc);
    this.a.store('i32.store', 0, this.#exitUsed, this.#layout.used);
  }

  #address(register: number): number {
    return this.#layout.registers + (register * this.#set.registerBits) / 8;
  }
}
