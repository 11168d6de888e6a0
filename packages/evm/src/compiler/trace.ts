import type { Hardfork } from '../hardfork.ts';
import { type Opcode, opcodeGas } from '../opcodes.ts';
import { type Program, lastOfTrace } from './program.ts';

/**
 * What a superblock will consist of: one way through the code that begins at an instruction, with static jumps
 * followed and conditional ones taken or not, whichever seems the rule. Stack heights are the same whenever it is run.
 */
export interface Trace {
  readonly pc: number;
  readonly segments: readonly Segment[];
  /** Words of the stack, as found, that it reads or moves. */
  readonly need: number;
  /** How many words higher the stack is at most than found. */
  readonly growth: number;
  /** Set when the trace jumps back to its beginning with a stack of the same height. */
  readonly loop: Loop | undefined;
  readonly instructionCount: number;
  /** JUMPDESTs that it contains, its beginning among them. */
  readonly jumpdests: ReadonlySet<number>;
  /** Where it goes on when the last step doesn't say. */
  readonly next: Next;
}

export type Next =
  | { readonly kind: 'said' | 'stop' | 'invalid' | 'loop' }
  | { readonly kind: 'go'; readonly pc: number }
  /** To an instruction that is no JUMPDEST, because the trace has become too long or is a loop. */
  | { readonly kind: 'leave'; readonly pc: number };

export interface Loop {
  /** Positions (-1 is the word on top as found) that are the same at the end of each round. */
  readonly unchanged: ReadonlySet<number>;
}

/** Instructions that run all or end the frame: their gas is paid at once. */
export interface Segment {
  readonly pc: number;
  gas: number;
  readonly steps: Step[];
}

export interface Step {
  readonly pc: number;
  readonly row: Opcode;
  /** What a PUSH pushes. */
  readonly operand: bigint;
  /** For JUMP and JUMPI. */
  readonly flow: Flow;
  /** Fixed gas of the instructions behind it in the segment. */
  gasBehind: number;
}

/**
 * - `follow`: the destination is what comes next in the trace
 * - `pass`: a JUMPI whose condition is a constant zero
 * - `go`: to a known JUMPDEST outside; `loop`: to the trace's beginning
 * - `turn`: a JUMPI whose destination comes next in the trace: falling through leaves it
 * - `find`: to a destination that is known when the code runs
 * - `fail`: to a place that is no JUMPDEST
 */
export type Flow =
  | { readonly kind: 'none' | 'follow' | 'pass' | 'loop' | 'find' | 'fail' }
  | { readonly kind: 'go' | 'turn'; readonly pc: number };

export interface TraceLimits {
  readonly instructionsMax: number;
  readonly jumpsMax: number;
}

export const traceLimits: TraceLimits = { instructionsMax: 400, jumpsMax: 64 };

/**
 * Instructions behind which a segment ends: those that may end the frame for another reason than gas, so that where
 * gas ran out in a segment, gas is the reason; and those that see the gas there is left.
 */
const lastOfSegment: ReadonlySet<string> = new Set(
  (
    'JUMP JUMPI SSTORE TSTORE RETURNDATACOPY LOG0 LOG1 LOG2 LOG3 LOG4 ' +
    'CREATE CREATE2 CALL CALLCODE DELEGATECALL STATICCALL SELFDESTRUCT'
  ).split(' '),
);

/** A word of the stack while a trace is planned: a constant, or where on the stack it was found. */
type Planned = bigint | { readonly found: number } | undefined;

/** Plans the superblock that begins at `pc`. */
export function planTrace(program: Program, pc: number, limits = traceLimits): Trace {
  return new Planner(program, pc, limits).plan();
}

class Planner {
  readonly #program: Program;
  readonly #start: number;
  readonly #limits: TraceLimits;
  readonly #segments: Segment[] = [];
  readonly #visited = new Set<number>();
  readonly #changed = new Set<number>();
  #segment: Segment | undefined;
  #stack: Planned[] = [];
  #need = 0;
  #growth = 0;
  #count = 0;
  #jumps = 0;
  #isLoop = false;
  #arrivesByJump = false;
  #pc: number;

  constructor(program: Program, pc: number, limits: TraceLimits) {
    this.#program = program;
    this.#start = pc;
    this.#pc = pc;
    this.#limits = limits;
  }

  plan(): Trace {
    const next = this.#follow();
    const unchanged = new Set<number>();
    for (let p = -this.#need; p < 0; p++) if (!this.#changed.has(p)) unchanged.add(p);
    for (const segment of this.#segments) price(segment, this.#program.fork);
    return {
      pc: this.#start,
      segments: this.#segments,
      need: this.#need,
      growth: this.#growth,
      loop: this.#isLoop ? { unchanged } : undefined,
      instructionCount: this.#count,
      jumpdests: this.#visited,
      next,
    };
  }

  #follow(): Next {
    const program = this.#program;
    for (;;) {
      const pc = this.#pc;
      if (pc >= program.code.length) return { kind: 'stop' };
      if (program.isJumpdest(pc) && this.#count > 0 && !this.#arrivesByJump) {
        if (this.#closes(pc)) return { kind: 'loop' };
        if (!this.#mayVisit(pc)) return { kind: 'go', pc };
      }
      if (this.#count >= 2 * this.#limits.instructionsMax) return this.#elsewhere();
      this.#arrivesByJump = false;
      if (program.isJumpdest(pc)) this.#visited.add(pc);
      const row = program.rowAt(pc);
      if (!row) return { kind: 'invalid' };
      const next = this.#step(pc, row);
      if (next) return next;
    }
  }

  /** @returns where the trace ends, if it does behind this instruction */
  #step(pc: number, row: Opcode): Next | undefined {
    this.#count++;
    this.#pc = pc + 1 + row.immediate;
    let operand = 0n;
    let flow: Flow = { kind: 'none' };
    switch (row.shape) {
      case 'push':
        operand = this.#program.operandOf(pc, row.immediate);
        this.#push(operand);
        break;
      case 'dup':
        this.#reach(row.index);
        this.#push(this.#stack.at(-row.index));
        break;
      case 'swap': {
        this.#reach(row.index + 1);
        const [top, deep] = [this.#stack.length - 1, this.#stack.length - 1 - row.index];
        [this.#stack[top], this.#stack[deep]] = [this.#stack[deep], this.#stack[top]];
        break;
      }
      default:
        flow = this.#plain(row);
    }
    this.#segment ??= this.#open(pc);
    this.#segment.steps.push({ pc, row, operand, flow, gasBehind: 0 });
    const isFollowing = flow.kind === 'follow' || flow.kind === 'pass';
    if (lastOfSegment.has(row.name) && !isFollowing) this.#segment = undefined;
    if (lastOfTrace.has(row.name)) return { kind: 'said' };
    if (row.name === 'JUMP' && flow.kind !== 'follow') return { kind: 'said' };
    // What comes after a loop is run once where the loop is run often, so it is another trace.
    if (row.name === 'JUMPI' && flow.kind === 'loop') return this.#elsewhere();
    return undefined;
  }

  #elsewhere(): Next {
    const pc = this.#pc;
    if (pc >= this.#program.code.length) return { kind: 'stop' };
    return { kind: this.#program.isJumpdest(pc) ? 'go' : 'leave', pc };
  }

  #plain(row: Opcode): Flow {
    this.#reach(row.pops);
    const operands: Planned[] = [];
    for (let i = 0; i < row.pops; i++) operands.push(this.#stack.pop());
    if (row.name === 'JUMP') return this.#jump(operands[0]);
    if (row.name === 'JUMPI') return this.#jumpIf(operands[0], operands[1]);
    const { evaluate } = row;
    const isKnown = evaluate !== undefined && operands.every((x) => typeof x === 'bigint');
    const result = isKnown ? evaluate(...(operands as bigint[])) : undefined;
    for (let i = 0; i < row.pushes; i++) this.#push(row.name === 'PUSH0' ? 0n : result);
    return { kind: 'none' };
  }

  #jump(destination: Planned): Flow {
    if (typeof destination !== 'bigint') return { kind: 'find' };
    if (!this.#program.isJumpdest(destination)) return { kind: 'fail' };
    const pc = Number(destination);
    if (this.#closes(pc)) return { kind: 'loop' };
    if (!this.#mayVisit(pc)) return { kind: 'go', pc };
    this.#goOnAt(pc);
    return { kind: 'follow' };
  }

  #jumpIf(destination: Planned, condition: Planned): Flow {
    if (condition === 0n) return { kind: 'pass' };
    if (typeof destination !== 'bigint') return { kind: 'find' };
    if (!this.#program.isJumpdest(destination)) return { kind: 'fail' };
    const pc = Number(destination);
    if (this.#closes(pc)) return { kind: 'loop' };
    if (this.#mayVisit(pc) && this.#program.isCold(this.#pc)) {
      const leavesTo = this.#pc;
      this.#goOnAt(pc);
      return { kind: 'turn', pc: leavesTo };
    }
    return { kind: 'go', pc };
  }

  #goOnAt(pc: number): void {
    this.#pc = pc;
    this.#jumps++;
    this.#arrivesByJump = true;
  }

  #mayVisit(pc: number): boolean {
    return (
      pc !== this.#start &&
      !this.#visited.has(pc) &&
      this.#count < this.#limits.instructionsMax &&
      this.#jumps < this.#limits.jumpsMax
    );
  }

  /** Whether going to `pc` from here is another round of the trace; notes what the round has changed. */
  #closes(pc: number): boolean {
    if (pc !== this.#start || this.#stack.length !== this.#need) return false;
    if (!this.#program.isJumpdest(pc)) return false;
    this.#isLoop = true;
    this.#stack.forEach((word, i) => {
      const position = i - this.#need;
      const isSame = typeof word === 'object' && word.found === position;
      if (!isSame) this.#changed.add(position);
    });
    return true;
  }

  #open(pc: number): Segment {
    const segment = { pc, gas: 0, steps: [] };
    this.#segments.push(segment);
    return segment;
  }

  #push(word: Planned): void {
    this.#stack.push(word);
    this.#growth = Math.max(this.#growth, this.#stack.length - this.#need);
  }

  /** Makes sure that `count` words are there, taking them from below what was looked at. */
  #reach(count: number): void {
    while (this.#stack.length < count) this.#stack.unshift({ found: -++this.#need });
  }
}

function price(segment: Segment, fork: Hardfork): void {
  for (const step of segment.steps.toReversed()) {
    step.gasBehind = segment.gas;
    segment.gas += opcodeGas(step.row, fork);
  }
}
