import type { Assembler, Expression, Local } from '@polyvisor/wasm/assembler';
import { type Ending, endingCode } from './halts.ts';
import { isAtLeast } from './hardfork.ts';
import { STACK_BYTES, STACK_WORDS_MAX, frame } from './layout.ts';
import type { OpEmitter } from './op-emitter.ts';
import { type Opcode, opcodeGas, opcodes } from './opcodes.ts';
import { copyReversed } from './runtime/environment.ts';
import { type Runtime, copyWord } from './runtime/runtime.ts';
import { ENDED, PAUSED, VISITS_PER_REPORT, cellAt, enterSuperblock } from './runtime/tiers.ts';
import { type Word, WordEmitter } from './word.ts';

/**
 * Writes the interpreter: one function, `run(isEntering) -> PAUSED | ENDED`, that goes on with the running frame until
 * the outermost one ends or the slice is spent; 1 lets it go over to compiled code at once. Each opcode's handler is
 * written by the same `emit` that every tier uses.
 *
 * ```
 *   loop frame                load gas, sp, pc… of the running frame
 *     block halted
 *       block paused
 *         loop next
 *           block × N         br_table on the opcode
 *           handler 0 … N     each ends with a branch to `next`, `frame`, `halted` or `paused`
 *   halted: end the frame exceptionally, then `frame`
 *   paused: save the registers, return PAUSED
 * ```
 */
export function defineInterpreter(rt: Runtime): void {
  rt.define('run', (a, isEntering) => {
    const interpreter = new Interpreter(rt, a, isEntering!);
    interpreter.write(opcodes.filter((row) => row !== undefined && isAtLeast(rt.fork, row.since)));
  });
}

class Interpreter implements OpEmitter {
  readonly rt: Runtime;
  readonly a: Assembler;
  readonly w: WordEmitter;
  readonly frame: Local;
  readonly gas: Local;
  /** STACK_BYTES below the first free word, so that operands have positive offsets from it. */
  readonly #sp: Local;
  readonly #pc: Local;
  readonly #memoryBase: Local;
  readonly #memorySize: Local;
  /** Gas below which a jump pauses; never negative, so that it also finds a frame out of gas. */
  readonly #floor: Local;
  readonly #ending: Local;
  readonly #cell: Local;
  readonly #cellValue: Local;
  readonly #isEntering: Local;
  /** Locals of limbs, used again by each handler. */
  readonly #limbs: Local[] = [];
  #limbsUsed = 0;
  #row!: Opcode;
  #popped = 0;
  #pushed = false;
  #labels = { frame: 0, halted: 0, paused: 0, next: 0 };

  constructor(rt: Runtime, a: Assembler, isEntering: Local) {
    this.rt = rt;
    this.#isEntering = isEntering;
    this.a = a;
    this.frame = a.localI32();
    this.#sp = a.localI32();
    this.#pc = a.localI32();
    this.#memoryBase = a.localI32();
    this.#memorySize = a.localI32();
    this.#ending = a.localI32();
    this.#cell = a.localI32();
    this.#cellValue = a.localI32();
    this.gas = a.localI64();
    this.#floor = a.localI64();
    this.w = new WordEmitter(a, () => this.#allocate());
  }

  write(rows: readonly (Opcode | undefined)[]): void {
    const { a, rt } = this;
    const { f } = a;
    f.loop();
    this.#labels.frame = f.depth;
    this.#load();
    if (rt.isTiered) {
      a.when(this.#isEntering, () => this.#enterCompiled());
      a.set(this.#isEntering, 1);
    }
    f.block();
    this.#labels.halted = f.depth;
    f.block();
    this.#labels.paused = f.depth;
    f.loop();
    this.#labels.next = f.depth;
    if (rt.isTraced) this.#traceStep();

    for (let i = 0; i <= rows.length; i++) f.block();
    a.put(a.load('i32.load8_u', this.#pc));
    const table = Array.from({ length: 256 }, (_, code) => {
      const handler = rows.findIndex((row) => row!.code === code);
      return handler < 0 ? rows.length : handler;
    });
    f.brTable(table, rows.length);
    for (const row of rows) {
      f.end();
      this.#handler(row!);
    }
    f.end();
    this.#halt('invalid-opcode');
    f.end();
    f.op('unreachable');

    f.end(); // paused
    a.when(a.i64.ltS(this.gas, 0n), () => this.#halt('out-of-gas'));
    this.#save();
    a.return(PAUSED);

    f.end(); // halted
    // Gas that fell below zero earlier is what the frame really failed of.
    const isOut = a.i64.ltS(this.gas, 0n);
    const ending = a.select(isOut, endingCode('out-of-gas'), this.#ending);
    a.when(a.call(rt.function('endFrame'), ending, 0, 0, 0n), () => a.return(ENDED));
    f.br(f.depth - this.#labels.frame);
    f.end();
    f.op('unreachable');
  }

  // --- OpEmitter

  get pc(): Expression {
    return this.a.i32.sub(this.#pc, this.a.load('i32.load', this.frame, frame.code));
  }

  pop(): Word {
    this.#popped++;
    const offset = operandOffset(this.#popped);
    return [0, 8, 16, 24].map((limb) =>
      this.w.limb(this.a.load('i64.load', this.#sp, offset + limb)),
    ) as unknown as Word;
  }

  push(word: Word): void {
    this.#moveStack();
    word.forEach((limb, i) => {
      this.a.store('i64.store', this.#sp, limb, operandOffset(1) + 8 * i);
    });
  }

  pushBigEndian(address: Expression): void {
    const at = this.#temporary(address);
    this.#moveStack();
    copyReversed(this.a, this.#sp, operandOffset(1), at, 0);
  }

  popBigEndian(address: Expression): void {
    const at = this.#temporary(address);
    this.#popped++;
    copyReversed(this.a, at, 0, this.#sp, operandOffset(this.#popped));
  }

  pushStored(address: Expression, offset = 0): void {
    const at = this.#temporary(address);
    this.#moveStack();
    copyWord(this.a, this.#sp, operandOffset(1), at, offset);
  }

  charge(amount: Expression): void {
    this.a.set(this.gas, this.a.i64.sub(this.gas, amount));
  }

  haltIf(condition: Expression, ending: Ending): void {
    this.a.when(condition, () => this.#halt(ending));
  }

  checkGas(): void {
    this.haltIf(this.a.i64.ltS(this.gas, 0n), 'out-of-gas');
  }

  memory(offset: Word, size: number): Expression {
    const { a } = this;
    const { i32, i64 } = a;
    const end = this.w.limb(i64.add(offset[0], BigInt(size)));
    const high = i64.or(this.w.orOfLimbs(offset, 1), i64.shrU(offset[0], 32n));
    const isBeyond = i64.gtU(end, i64.extendU(this.#memorySize));
    a.when(i32.or(i64.ne(high, 0n), isBeyond), () => {
      a.set(end, a.select(i64.ne(high, 0n), -1n, end));
      a.set(this.gas, a.call(this.rt.function('expand'), end, this.gas));
      this.checkGas();
      a.set(this.#memorySize, a.load('i32.load', this.frame, frame.memorySize));
    });
    return i32.add(this.#memoryBase, i32.wrap(offset[0]));
  }

  loadInput(): void {
    this.stackRun('callDataLoad');
  }

  stackCall(name: string, ...args: Expression[]): void {
    this.checkGas();
    this.a.set(this.gas, this.a.call(this.rt.function(name), this.#stackTop(), ...args, this.gas));
    this.checkGas();
    // The function may have grown the frame's memory.
    this.a.set(this.#memorySize, this.a.load('i32.load', this.frame, frame.memorySize));
    this.#leaveInPlace();
  }

  stackRun(name: string): void {
    this.a.run(this.rt.function(name), this.#stackTop());
    this.#leaveInPlace();
  }

  jump(destination: Word): void {
    this.#moveStack();
    this.#jumpTo(destination);
  }

  jumpIf(destination: Word, condition: Word): void {
    this.#moveStack();
    this.a.when(this.w.isNonZero(condition), () => this.#jumpTo(destination));
  }

  end(ending: 'success' | 'revert', hasOutput: boolean): void {
    const { a, rt } = this;
    this.checkGas();
    const code = endingCode(ending);
    if (hasOutput) {
      const offset = a.i32.add(this.#sp, operandOffset(1));
      const size = a.i32.add(this.#sp, operandOffset(2));
      const range = a.call(rt.function('range'), offset, size);
      a.set(this.gas, a.call(rt.function('expand'), range, this.gas));
      this.checkGas();
      const address = a.i32.add(this.#memoryBase, a.load('i32.load', offset));
      a.put(a.call(rt.function('endFrame'), code, address, a.load('i32.load', size), this.gas));
    } else {
      a.put(a.call(rt.function('endFrame'), code, 0, 0, this.gas));
    }
    a.f.if();
    a.return(ENDED);
    a.f.end();
    this.#branch('frame');
    this.#pushed = true;
  }

  invoke(name: string): void {
    const { a } = this;
    this.checkGas();
    a.store('i32.store', this.frame, a.i32.add(this.#pc, 1), frame.pc);
    a.set(this.#ending, a.call(this.rt.function(name), this.#stackTop(), this.gas));
    a.when(this.#ending, () => this.#branch('halted'));
    this.#branch('frame');
    this.#pushed = true;
  }

  // --- one handler

  #handler(row: Opcode): void {
    this.#row = row;
    this.#popped = 0;
    this.#pushed = false;
    this.#limbsUsed = 0;
    if (row.shape === 'jumpdest' && this.rt.isTiered) this.#enterCompiled();
    this.#checkStack(row);
    const price = opcodeGas(row, this.rt.fork);
    if (price > 0) this.charge(BigInt(price));
    if (this.rt.isTraced) this.checkGas();
    switch (row.shape) {
      case 'push':
        this.#pushImmediate(row.immediate);
        break;
      case 'dup':
        this.#dup(row.index);
        break;
      case 'swap':
        this.#swap(row.index);
        break;
      case 'pop':
      case 'jumpdest':
        break;
      case 'plain':
        row.emit!(this);
        break;
    }
    if (row.shape === 'pop' || (row.shape === 'plain' && !this.#pushed)) this.#moveStack();
    this.a.set(this.#pc, this.a.i32.add(this.#pc, 1 + row.immediate));
    this.#branch('next');
  }

  /** One unsigned comparison finds both too few operands and too many results. */
  #checkStack(row: Opcode): void {
    const { a } = this;
    const { i32 } = a;
    const growth = row.pushes - row.pops;
    const depth = i32.and(this.#sp, STACK_BYTES - 1);
    if (row.pops > 0) {
      this.haltIf(i32.ltU(depth, 32 * row.pops), 'stack-underflow');
    }
    if (growth > 0) {
      this.haltIf(i32.gtU(depth, 32 * (STACK_WORDS_MAX - growth)), 'stack-overflow');
    }
  }

  /** Reads the operand behind the opcode: 8 big-endian bytes at a time, right-aligned. */
  #pushImmediate(size: number): void {
    const { a } = this;
    a.set(this.#sp, a.i32.add(this.#sp, 32));
    for (let limb = 0; limb < 4; limb++) {
      const bytes = Math.max(0, Math.min(8, size - 8 * limb));
      const value = this.#immediateLimb(size - 8 * limb, bytes);
      a.store('i64.store', this.#sp, value, operandOffset(1) + 8 * limb);
    }
  }

  /** The limb whose last byte is `end` bytes behind the opcode and that has `count` bytes. */
  #immediateLimb(end: number, count: number): Expression {
    const { a } = this;
    const { i64 } = a;
    if (count === 0) return 0n;
    if (count <= 2) {
      const low = a.load('i64.load8_u', this.#pc, end);
      if (count === 1) return low;
      return i64.or(low, i64.shl(a.load('i64.load8_u', this.#pc, end - 1), 8n));
    }
    // The 8 bytes that end there, reversed; what stands before the operand is masked off.
    const start = end - 7;
    const address = start < 0 ? a.i32.sub(this.#pc, -start) : this.#pc;
    const reversed: Expression = () => {
      a.put(address).f.v128Load64Splat(Math.max(start, 0));
      const vector = this.#vector();
      a.f.tee(vector.index).get(vector.index);
      a.f.i8x16Shuffle([7, 6, 5, 4, 3, 2, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0]).i64x2ExtractLane(0);
    };
    return count === 8 ? reversed : i64.and(reversed, (1n << BigInt(8 * count)) - 1n);
  }

  #dup(index: number): void {
    const { a } = this;
    const value = this.#allocate();
    a.set(this.#sp, a.i32.add(this.#sp, 32));
    for (let limb = 0; limb < 32; limb += 8) {
      a.set(value, a.load('i64.load', this.#sp, operandOffset(index + 1) + limb));
      a.store('i64.store', this.#sp, value, operandOffset(1) + limb);
    }
  }

  #swap(index: number): void {
    const { a } = this;
    const value = this.#allocate();
    for (let limb = 0; limb < 32; limb += 8) {
      const [top, deep] = [operandOffset(1) + limb, operandOffset(index + 1) + limb];
      a.set(value, a.load('i64.load', this.#sp, top));
      a.store('i64.store', this.#sp, a.load('i64.load', this.#sp, deep), top);
      a.store('i64.store', this.#sp, value, deep);
    }
  }

  #jumpTo(destination: Word): void {
    const { a } = this;
    const { i32, i64 } = a;
    const target = this.#number();
    const size = i64.extendU(a.load('i32.load', this.frame, frame.codeSize));
    const isOutside = i32.or(
      i64.ne(this.w.orOfLimbs(destination, 1), 0n),
      i64.geU(destination[0], size),
    );
    this.haltIf(isOutside, 'invalid-jump');
    a.set(target, i32.wrap(destination[0]));
    const mark = i32.add(a.load('i32.load', this.frame, frame.jumpdests), target);
    this.haltIf(i32.eqz(a.load('i32.load8_u', mark)), 'invalid-jump');
    a.set(this.#pc, i32.add(a.load('i32.load', this.frame, frame.code), target));
    a.when(i64.ltS(this.gas, this.#floor), () => this.#branch('paused'));
    this.#branch('next');
  }

  #halt(ending: Ending): void {
    this.a.set(this.#ending, endingCode(ending));
    this.#branch('halted');
  }

  #branch(label: 'frame' | 'halted' | 'paused' | 'next'): void {
    this.a.f.br(this.a.f.depth - this.#labels[label]);
  }

  /** Loads the registers of the running frame. */
  #load(): void {
    const { a } = this;
    a.set(this.frame, a.global(this.rt.globals.frame));
    a.set(this.gas, a.load('i64.load', this.frame, frame.gas));
    a.set(this.#sp, a.i32.sub(a.load('i32.load', this.frame, frame.sp), STACK_BYTES));
    a.set(this.#pc, a.load('i32.load', this.frame, frame.pc));
    a.set(this.#memoryBase, a.load('i32.load', this.frame, frame.memoryBase));
    a.set(this.#memorySize, a.load('i32.load', this.frame, frame.memorySize));
    const slice = a.global(this.rt.globals.slice);
    a.set(this.#floor, a.select(a.i64.ltS(slice, 0n), 0n, slice));
  }

  #save(): void {
    const { a } = this;
    a.store('i64.store', this.frame, this.gas, frame.gas);
    a.store('i32.store', this.frame, this.#stackTop(), frame.sp);
    a.store('i32.store', this.frame, this.#pc, frame.pc);
  }

  /** Goes over to the code compiled for this instruction, or counts a visit that found none. */
  #enterCompiled(): void {
    const { a, rt } = this;
    const { i32 } = a;
    const cells = a.load('i32.load', this.frame, frame.cells);
    const address = this.#cell;
    const cell = this.#cellValue;
    a.when(cells, () => {
      a.set(address, cellAt(a, cells, this.pc));
      a.set(cell, a.load('i32.load', address));
      a.when(i32.and(cell, 1), () => {
        enterSuperblock(rt, a, [this.frame, this.#stackTop(), this.gas, this.#floor], cell);
      });
      a.store('i32.store', address, i32.add(cell, 2));
      const isReport = i32.eqz(i32.and(i32.add(cell, 2), 2 * VISITS_PER_REPORT - 1));
      a.rarely(isReport, () => {
        a.store('i64.store', this.frame, this.gas, frame.gas);
        a.run(rt.imports.hot, this.pc);
      });
    });
  }

  #traceStep(): void {
    this.a.setGlobal(this.rt.globals.gas, this.gas);
    this.a.run(this.rt.imports.traceStep, this.#pc, this.#stackTop());
  }

  /** Moves the stack pointer over the whole instruction; done once, before its result is written. */
  #moveStack(): void {
    if (this.#pushed) return;
    this.#pushed = true;
    const distance = 32 * (this.#row.pushes - this.#row.pops);
    if (distance !== 0) this.a.set(this.#sp, this.a.i32.add(this.#sp, distance));
  }

  /** A runtime function has written the result where the last operand stood. */
  #leaveInPlace(): void {
    if (this.#row.pushes > 0) this.#moveStack();
  }

  /** Address of the first free word. */
  #stackTop(): Expression {
    return this.a.i32.add(this.#sp, STACK_BYTES);
  }

  #temporary(value: Expression): Local {
    const local = this.#number();
    this.a.set(local, value);
    return local;
  }

  #allocate(): Local {
    const index = this.#limbsUsed++;
    this.#limbs[index] ??= this.a.localI64();
    return this.#limbs[index];
  }

  #number(): Local {
    return this.a.localI32();
  }

  readonly #vectors: Local[] = [];
  #vector(index = 0): Local {
    this.#vectors[index] ??= this.a.localV128();
    return this.#vectors[index];
  }
}

/** Offset of operand `n` (1 is the top) from the biased stack pointer. */
function operandOffset(n: number): number {
  return STACK_BYTES - 32 * n;
}
