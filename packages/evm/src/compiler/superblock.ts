import { Assembler, type Expression, Local } from '@polyvisor/wasm/assembler';
import { FunctionWriter } from '@polyvisor/wasm/function-writer';
import { I32, I64, type ValueType } from '@polyvisor/wasm/types';
import { type Ending, endingCode } from '../halts.ts';
import { STACK_BYTES, STACK_WORDS_MAX, frame } from '../layout.ts';
import type { OpEmitter } from '../op-emitter.ts';
import type { Links } from '../runtime/links.ts';
import { superblockType } from '../runtime/tiers.ts';
import { type Word, WordEmitter, constantValue, constantWord } from '../word.ts';
import { LocalPool } from './local-pool.ts';
import type { Program } from './program.ts';
import type { Flow, Segment, Step, Trace } from './trace.ts';
import { type Entry, VirtualStack } from './virtual-stack.ts';

/**
 * Rounds of a loop after which it is entered anew: an engine that has better code for a function by then uses it
 * from the next call on, not inside a loop that runs.
 */
const ROUNDS_MAX = 2000;
/** Words of the stack that a loop keeps in locals from round to round, from the top. */
const LOOP_WORDS_MAX = 16;

/**
 * Writes a trace as a function of type `superblockType`. It is exact as long as nothing fails, and what fails ends
 * the frame by the same reason as in the interpreter: a segment pays first, and only its last instruction may fail
 * for another reason than gas.
 *
 * ```
 *   too few or too many words for the trace?     to the interpreter
 *   loop, where the trace comes back to its head
 *     for each segment
 *       gas of the segment; below the floor?     to the interpreter, the segment not begun
 *       the instructions; side exits write the stack to memory and go on elsewhere
 * ```
 */
export function writeSuperblock(rt: Links, program: Program, trace: Trace): FunctionWriter {
  const f = new FunctionWriter(0, 0, superblockType, `pc-${trace.pc}`);
  new Superblock(rt, f, program, trace).write();
  return f;
}

class Superblock implements OpEmitter {
  readonly rt: Links;
  readonly a: Assembler;
  readonly w: WordEmitter;
  readonly frame: Local;
  readonly #sp: Local;
  readonly #gas: Local;
  readonly #floor: Local;
  readonly #memoryBase: Local;
  readonly #rounds: Local;
  readonly #pool: LocalPool;
  readonly #program: Program;
  readonly #trace: Trace;
  readonly #stack: VirtualStack;
  /** Locals that hold words from round to round, by position. */
  readonly #carried = new Map<number, readonly [Local, Local, Local, Local]>();
  #loopDepth = 0;
  #step!: Step;
  /** A runtime function has taken the operands and left the result on the stack in memory. */
  #isInPlace = false;

  constructor(rt: Links, f: FunctionWriter, program: Program, trace: Trace) {
    this.rt = rt;
    this.#program = program;
    this.#trace = trace;
    this.#pool = new LocalPool(f);
    this.a = new Assembler(f, (type) => this.#pool.take(type));
    this.w = new WordEmitter(this.a, () => this.a.localI64(), true);
    [this.frame, this.#sp, this.#gas, this.#floor] = [0, 1, 2, 3].map((i) => this.a.param(i)) as [
      Local,
      Local,
      Local,
      Local,
    ];
    const own = (type: ValueType): Local => new Local(f.local(type), type);
    this.#memoryBase = own(I32);
    this.#rounds = own(I32);
    this.#stack = new VirtualStack(this.a, own(I32), trace.need, () => this.a.localI64());
    if (trace.loop) {
      for (let p = -1; p >= -Math.min(trace.need, LOOP_WORDS_MAX); p--) {
        this.#carried.set(p, [own(I64), own(I64), own(I64), own(I64)]);
      }
    }
  }

  write(): void {
    const { a } = this;
    const trace = this.#trace;
    this.#stack.begin(this.#sp);
    a.set(this.#memoryBase, a.load('i32.load', this.frame, frame.memoryBase));
    this.#checkBounds();
    if (trace.loop) this.#openLoop(trace.loop.unchanged);
    for (const segment of trace.segments) this.#segment(segment);
    this.#end();
    if (trace.loop) {
      a.f.end();
      a.f.op('unreachable');
    }
  }

  // --- OpEmitter

  get pc(): Expression {
    return this.#step.pc;
  }

  get gas(): Expression {
    const { gasBehind } = this.#step;
    return gasBehind === 0 ? this.#gas : this.a.i64.add(this.#gas, BigInt(gasBehind));
  }

  pop(): Word {
    return this.#stack.pop();
  }

  push(word: Word): void {
    this.#stack.push(word);
  }

  pushBigEndian(address: Expression): void {
    const out = this.#limbs();
    this.#loadBigEndian(address, out);
    this.#stack.push(out);
  }

  popBigEndian(address: Expression): void {
    const { a } = this;
    const at = this.#temporary(address);
    const word = this.#stack.pop();
    for (const [low, high, offset] of [
      [word[2], word[3], 0],
      [word[0], word[1], 16],
    ] as const) {
      a.put(at).put(low);
      a.f.i64x2Splat();
      a.put(high).f.i64x2ReplaceLane(1);
      const vector = a.localV128();
      a.f.tee(vector.index).get(vector.index).i8x16Shuffle(REVERSE).v128Store(offset);
    }
  }

  pushStored(address: Expression, offset = 0): void {
    const at = this.#temporary(address);
    const limbs = [0, 8, 16, 24].map((limb) =>
      this.w.limb(this.a.load('i64.load', at, offset + limb)),
    );
    this.#stack.push(limbs as unknown as Word);
  }

  charge(amount: Expression): void {
    this.a.set(this.#gas, this.a.i64.sub(this.#gas, amount));
    this.#haltWithoutGas();
  }

  haltIf(condition: Expression, ending: Ending): void {
    this.a.rarely(condition, () => this.#halt(ending));
  }

  checkGas(): void {
    // Gas is never below zero here: whatever takes some looks at what is left.
  }

  memory(offset: Word, size: number): Expression {
    const { a } = this;
    const { i32, i64 } = a;
    const sizeNow = i64.extendU(a.load('i32.load', this.frame, frame.memorySize));
    const known = constantValue(offset);
    if (known !== undefined) {
      const end = known + BigInt(size);
      if (end >> 32n !== 0n) this.#halt('out-of-gas');
      else a.when(i64.gtU(end, sizeNow), () => this.#expand(end));
      return i32.add(this.#memoryBase, Number(BigInt.asIntN(32, known)));
    }
    // Memory that far costs more gas than there is, so behind the check the offset is known to be small.
    this.#stack.replace(offset, [offset[0], 0n, 0n, 0n]);
    const end = this.w.limb(i64.add(offset[0], BigInt(size)));
    const high = this.w.limb(i64.or(this.w.orOfLimbs(offset, 1), i64.shrU(offset[0], 32n)));
    this.haltIf(i64.ne(high, 0n), 'out-of-gas');
    a.when(i64.gtU(end, sizeNow), () => this.#expand(end));
    return i32.add(this.#memoryBase, i32.wrap(offset[0]));
  }

  loadInput(): void {
    const { a } = this;
    const { i32, i64 } = a;
    const stack = this.#stack;
    const top = stack.entries.length - 1;
    stack.evict(top, top + 1);
    const offset = stack.pop();
    const out = this.#limbs();
    const size = i64.extendU(a.load('i32.load', this.frame, frame.inputSize));
    const high = this.w.orOfLimbs(offset, 1);
    const isInside = i32.and(
      i64.leU(offset[0], i64.sub(size, 32n)),
      i32.and(i64.geU(size, 32n), i64.eqz(high)),
    );
    a.when(
      isInside,
      () => {
        const input = a.load('i32.load', this.frame, frame.input);
        this.#loadBigEndian(i32.add(input, i32.wrap(offset[0])), out);
      },
      () => {
        const pointer = i32.add(stack.pointer, 32);
        const at = this.#temporary(stack.pointer);
        offset.forEach((limb, i) => a.store('i64.store', at, limb, 8 * i));
        a.run(this.rt.function('callDataLoad'), pointer);
        out.forEach((limb, i) => a.set(limb, a.load('i64.load', at, 8 * i)));
      },
    );
    stack.push(out);
  }

  stackCall(name: string, ...args: Expression[]): void {
    this.#stack.settle(this.#step.row.pops);
    const result = this.a.call(this.rt.function(name), this.#stack.pointer, ...args, this.#gas);
    this.a.set(this.#gas, result);
    this.#haltWithoutGas();
    this.#isInPlace = true;
  }

  stackRun(name: string): void {
    this.#stack.settle(this.#step.row.pops);
    this.a.run(this.rt.function(name), this.#stack.pointer);
    this.#isInPlace = true;
  }

  jump(destination: Word): void {
    const { a } = this;
    const high = this.w.orOfLimbs(destination, 1);
    if (high !== 0n) this.haltIf(a.i64.ne(high, 0n), 'invalid-jump');
    this.#stack.flush();
    this.#putRegisters().put(destination[0]).f.returnCall(this.rt.function('jump'));
  }

  jumpIf(destination: Word, condition: Word): void {
    this.a.when(this.w.isNonZero(condition), () => this.jump(destination));
  }

  end(ending: 'success' | 'revert', hasOutput: boolean): void {
    const { a } = this;
    if (hasOutput) {
      this.#stack.settle(2);
      a.put(endingCode(ending)).put(this.#stack.pointer).put(this.#gas);
      a.f.returnCall(this.rt.function('finishWithOutput'));
    } else {
      a.put(endingCode(ending)).put(0).put(0).put(this.#gas);
      a.f.returnCall(this.rt.function('finish'));
    }
  }

  invoke(name: string): void {
    const { a } = this;
    const ending = a.localI32();
    this.#stack.flush();
    const next = a.i32.add(a.load('i32.load', this.frame, frame.code), this.#step.pc + 1);
    a.store('i32.store', this.frame, next, frame.pc);
    a.set(ending, a.call(this.rt.function(name), this.#stack.pointer, this.#gas));
    a.rarely(ending, () => this.#finish(ending));
    a.put(1).f.returnCall(this.rt.function('run'));
  }

  // --- the trace

  /** One unsigned comparison each, for all that the trace will do. */
  #checkBounds(): void {
    const { need, growth, segments } = this.#trace;
    const { i32 } = this.a;
    const depth = i32.and(this.#sp, STACK_BYTES - 1);
    const checks: Expression[] = [];
    if (need > 0) checks.push(i32.ltU(depth, 32 * need));
    if (growth > 0) checks.push(i32.gtU(depth, 32 * (STACK_WORDS_MAX - growth)));
    const [first] = segments;
    if (checks.length === 0 || !first) return;
    const isOut = checks.reduce((x, y) => i32.or(x, y));
    this.a.rarely(isOut, () => this.#giveUp(first, 0));
  }

  #openLoop(unchanged: ReadonlySet<number>): void {
    const { entries } = this.#stack;
    for (const [position, limbs] of this.#carried) {
      const entry = entries[position + entries.length]!;
      this.#stack.read(entry).forEach((limb, i) => this.a.set(limbs[i]!, limb));
      entries[position + entries.length] = {
        word: limbs,
        home: unchanged.has(position) ? position : undefined,
      };
    }
    this.a.f.loop();
    this.#loopDepth = this.a.f.depth;
  }

  #segment(segment: Segment): void {
    const { a } = this;
    if (segment.gas > 0) {
      a.set(this.#gas, a.i64.sub(this.#gas, BigInt(segment.gas)));
      a.rarely(a.i64.ltS(this.#gas, this.#floor), () => this.#giveUp(segment, segment.gas));
    }
    for (const step of segment.steps) {
      this.#instruction(step);
      this.#pool.keep(() => this.#liveLocals());
    }
  }

  /** To the interpreter, which begins the segment; a JUMPDEST is passed, or it would come back here. */
  #giveUp(segment: Segment, gasBack: number): void {
    const skipped = this.#program.isJumpdest(segment.pc) ? 1 : 0;
    const gas = this.a.i64.add(this.#gas, BigInt(gasBack - skipped));
    this.#leave(segment.pc + skipped, gas, 0);
  }

  #leave(pc: number, gas: Expression, isEntering: 0 | 1): void {
    this.#stack.flush();
    this.a.put(this.frame).put(this.#stack.pointer).put(gas).put(pc).put(isEntering);
    this.a.f.returnCall(this.rt.function('leave'));
  }

  #instruction(step: Step): void {
    const { row } = step;
    const stack = this.#stack;
    this.#step = step;
    switch (row.shape) {
      case 'push':
        stack.push(constantWord(step.operand));
        return;
      case 'pop':
        stack.drop();
        return;
      case 'dup':
        stack.dup(row.index);
        return;
      case 'swap':
        stack.swap(row.index);
        return;
      case 'jumpdest':
        return;
      case 'plain':
        break;
    }
    if (step.flow.kind !== 'none') this.#go(step.flow);
    else if (!this.#fold()) {
      const height = stack.entries.length;
      this.#isInPlace = false;
      row.emit!(this);
      if (!this.#isInPlace) return;
      while (stack.entries.length > height - row.pops) stack.drop();
      for (let i = 0; i < row.pushes; i++) stack.pushStored();
    }
  }

  /** Computes a pure instruction whose operands are known. */
  #fold(): boolean {
    const { row } = this.#step;
    if (!row.evaluate || row.name === 'EXP') return false;
    const { entries } = this.#stack;
    const operands: bigint[] = [];
    for (let i = 1; i <= row.pops; i++) {
      const value = constantValue(entries.at(-i)!.word);
      if (value === undefined) return false;
      operands.push(value);
    }
    entries.length -= row.pops;
    this.#stack.push(constantWord(row.evaluate(...operands)));
    return true;
  }

  #go(flow: Flow): void {
    const { a } = this;
    const stack = this.#stack;
    const isConditional = this.#step.row.name === 'JUMPI';
    if (flow.kind === 'find') return this.#step.row.emit!(this);
    stack.drop();
    const condition = isConditional ? stack.pop() : undefined;
    const leave = (isLeaving: (condition: Word) => Expression, go: () => void): void => {
      if (condition) a.when(isLeaving(condition), go);
      else go();
    };
    const isTaken = (word: Word): Expression => this.w.isNonZero(word);
    switch (flow.kind) {
      case 'none':
      case 'follow':
      case 'pass':
        break;
      case 'loop':
        leave(isTaken, () => this.#again());
        break;
      case 'go':
        leave(isTaken, () => this.#goTo(flow.pc));
        break;
      case 'turn':
        leave(
          (word) => this.w.isZero(word),
          () => this.#goTo(flow.pc),
        );
        break;
      case 'fail':
        leave(isTaken, () => this.#halt('invalid-jump'));
        break;
    }
  }

  #end(): void {
    const { next } = this.#trace;
    switch (next.kind) {
      case 'said':
        break;
      case 'stop':
        this.end('success', false);
        break;
      case 'invalid':
        this.#halt('invalid-opcode');
        break;
      case 'loop':
        this.#again();
        break;
      case 'go':
        this.#goTo(next.pc);
        break;
      case 'leave':
        this.#leave(next.pc, this.#gas, 1);
        break;
      default:
        next satisfies never;
    }
  }

  /** Leaves the trace for another place in the code. */
  #goTo(pc: number): void {
    if (!this.#program.isJumpdest(pc)) {
      this.#leave(pc, this.#gas, 0);
      return;
    }
    this.#stack.flush();
    this.#putRegisters().put(pc).f.returnCall(this.rt.function('goTo'));
  }

  /** Another round of the loop: words that changed go where the next round expects them. */
  #again(): void {
    const { a } = this;
    const { i32 } = a;
    const trace = this.#trace;
    a.set(this.#rounds, i32.add(this.#rounds, 1));
    a.rarely(i32.eq(this.#rounds, ROUNDS_MAX), () => this.#goTo(trace.pc));
    const { entries } = this.#stack;
    const carried = [...this.#carried].map(([position, limbs]) => {
      const entry: Entry = entries[position + entries.length]!;
      return [limbs, entry.word ?? this.#stack.load(entry.home!)] as const;
    });
    this.#stack.flushIf((position) => !this.#carried.has(position));
    const moved: Local[] = [];
    for (const [limbs, word] of carried) {
      word.forEach((limb, i) => {
        if (limb === limbs[i]) return;
        a.put(limb);
        moved.push(limbs[i]!);
      });
    }
    for (const local of moved.toReversed()) a.f.set(local.index);
    a.f.br(a.f.depth - this.#loopDepth);
  }

  #expand(end: Expression): void {
    this.a.set(this.#gas, this.a.call(this.rt.function('expand'), end, this.#gas));
    this.#haltWithoutGas();
  }

  #haltWithoutGas(): void {
    this.haltIf(this.a.i64.ltS(this.#gas, 0n), 'out-of-gas');
  }

  #halt(ending: Ending): void {
    this.#finish(endingCode(ending));
  }

  #finish(ending: Expression): void {
    this.a.put(ending).put(0).put(0).put(0n);
    this.a.f.returnCall(this.rt.function('finish'));
  }

  #putRegisters(): Assembler {
    return this.a.put(this.frame).put(this.#stack.pointer).put(this.#gas).put(this.#floor);
  }

  #loadBigEndian(address: Expression, out: readonly Local[]): void {
    const { a } = this;
    const at = this.#temporary(address);
    for (const [low, offset] of [
      [2, 0],
      [0, 16],
    ] as const) {
      const vector = a.localV128();
      a.put(at).f.v128Load(offset);
      a.f.tee(vector.index).get(vector.index).i8x16Shuffle(REVERSE).tee(vector.index);
      a.f.i64x2ExtractLane(0).set(out[low]!.index);
      a.f
        .get(vector.index)
        .i64x2ExtractLane(1)
        .set(out[low + 1]!.index);
    }
  }

  #limbs(): readonly [Local, Local, Local, Local] {
    const { a } = this;
    return [a.localI64(), a.localI64(), a.localI64(), a.localI64()];
  }

  #temporary(value: Expression): Local {
    const local = this.a.localI32();
    this.a.set(local, value);
    return local;
  }

  #liveLocals(): ReadonlySet<number> {
    const live = new Set<number>();
    for (const { word } of this.#stack.entries) {
      for (const limb of word ?? []) {
        if (typeof limb === 'bigint') continue;
        live.add(limb.index);
        const flag = this.w.flagOf(limb);
        if (flag) live.add(flag.index);
      }
    }
    return live;
  }
}

const REVERSE = [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0];
