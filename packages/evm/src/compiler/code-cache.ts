import type { Hardfork } from '../hardfork.ts';
import { engineModule } from '../module.ts';
import { type CompiledUnit, compileUnit } from './compiled-unit.ts';
import { Program } from './program.ts';
import { type Trace, planTrace, traceLimits } from './trace.ts';

/**
 * How code is run. `interpreter`: never compiled. `compiled`: all of it, before it first runs. `mixed`: what is
 * visited so often that compiling it pays.
 */
export const tiers = ['interpreter', 'compiled', 'mixed'] as const;
export type Tier = (typeof tiers)[number];

/** An instruction becomes some 50 bytes of WebAssembly, and about twice that of machine code. */
export interface CacheLimits {
  /** Instructions that the superblocks of one contract have together: its share of compiling, whatever it does. */
  readonly contractInstructionsMax: number;
  /** Instructions of all contracts together that are kept; the contracts loaded longest ago go first. */
  readonly instructionsMax: number;
}

export const cacheLimits: CacheLimits = {
  contractInstructionsMax: 40_000,
  instructionsMax: 1_000_000,
};

/**
 * What compiling costs in interpreted instructions: for a module, and for each instruction in it. A superblock is
 * compiled when interpreting all of it would have taken as long so far. How much of it was really run nobody knows,
 * so all compiling together is also bounded by the gas that all code together has spent.
 */
const UNIT_COST = 60_000;
const INSTRUCTION_COST = 500;
const INSTRUCTIONS_MAX = 2 * traceLimits.instructionsMax;

/** Gas that an instruction costs at least on the average, in code that is not made to be slow. */
const INSTRUCTION_GAS = 3;

/** How many instructions may be interpreted in the time that compiling takes: earned by running, spent by compiling. */
interface Credit {
  instructions: number;
}

/** Compiled code of an engine, shared by its instances. */
export class CodeCache {
  readonly #fork: Hardfork;
  readonly #tier: Tier;
  readonly limits: CacheLimits;
  readonly #contracts = new Map<string, CompiledContract>();
  readonly #credit: Credit = { instructions: 0 };

  constructor(fork: Hardfork, tier: Tier, limits = cacheLimits) {
    this.#fork = fork;
    this.#tier = tier;
    this.limits = limits;
  }

  /** @param key says which code it is: its hash */
  contract(key: string, code: Uint8Array): CompiledContract {
    const known = this.#contracts.get(key);
    const { contractInstructionsMax } = this.limits;
    const contract =
      known ??
      new CompiledContract(
        code.slice(),
        this.#fork,
        this.#tier,
        contractInstructionsMax,
        this.#credit,
      );
    // A Map keeps the order of insertion: the first is the one loaded longest ago.
    this.#contracts.delete(key);
    this.#trim();
    this.#contracts.set(key, contract);
    return contract;
  }

  /** Code has run and spent this gas: that much more may be compiled. */
  earn(gas: number): void {
    this.#credit.instructions += Math.max(0, gas / INSTRUCTION_GAS);
  }

  #trim(): void {
    let total = 0;
    for (const { instructionCount } of this.#contracts.values()) total += instructionCount;
    for (const [key, { instructionCount }] of this.#contracts) {
      const isOver = total > this.limits.instructionsMax || this.#contracts.size > CONTRACTS_MAX;
      if (!isOver) break;
      this.#contracts.delete(key);
      total -= instructionCount;
    }
  }
}

/** Contracts that are known, compiled or not: what they have seen costs little, so this is only to be bounded. */
const CONTRACTS_MAX = 1_000;

export class CompiledContract {
  readonly #code: Uint8Array;
  readonly #fork: Hardfork;
  readonly #tier: Tier;
  readonly #lengths = new Map<number, number>();
  readonly #units = new Map<number, CompiledUnit>();
  #program: Program | undefined;
  readonly #instructionsMax: number;
  readonly #credit: Credit;
  #isWhole = false;
  /** Instructions of its superblocks. */
  instructionCount = 0;

  constructor(
    code: Uint8Array,
    fork: Hardfork,
    tier: Tier,
    instructionsMax: number,
    credit: Credit,
  ) {
    this.#credit = credit;
    this.#code = code;
    this.#fork = fork;
    this.#tier = tier;
    this.#instructionsMax = instructionsMax;
  }

  /** All there is to link before the code first runs. */
  whole(): Iterable<CompiledUnit> {
    if (this.#tier === 'compiled' && !this.#isWhole) {
      this.#isWhole = true;
      const traces = this.#read()
        .entries()
        .map((pc) => planTrace(this.#read(), pc));
      const payable = this.#withContinuations(traces);
      if (payable.length > 0) this.#compile(payable);
    }
    return new Set(this.#units.values());
  }

  /** The unit for a place that was visited so often; undefined: it goes on being interpreted. */
  unitAt(pc: number, visits: number): CompiledUnit | undefined {
    const known = this.#units.get(pc);
    if (known || this.#tier === 'compiled') return known;
    const isDue = (instructions: number): boolean => {
      const cost = UNIT_COST + INSTRUCTION_COST * instructions;
      const isPaid = Math.min(visits * instructions, this.#credit.instructions) >= cost;
      return isPaid && this.instructionCount + instructions <= this.#instructionsMax;
    };
    // Planning costs too, so how long a trace is is remembered, and asked only when it could be due.
    const length = this.#lengths.get(pc);
    if (!isDue(length ?? INSTRUCTIONS_MAX)) return undefined;
    const trace = planTrace(this.#read(), pc);
    if (!isDue(trace.instructionCount)) {
      this.#lengths.set(pc, trace.instructionCount);
      // Overlapping traces are about as long.
      for (const inside of trace.jumpdests) {
        if (!this.#lengths.has(inside)) this.#lengths.set(inside, trace.instructionCount);
      }
      return undefined;
    }
    this.#pay(trace);
    this.#credit.instructions -= UNIT_COST + INSTRUCTION_COST * trace.instructionCount;
    return this.#compile([trace]);
  }

  #read(): Program {
    return (this.#program ??= new Program(this.#code, this.#fork));
  }

  /** As many of the traces as the contract's share allows, and behind each one that became too long what follows. */
  #withContinuations(traces: readonly Trace[]): Trace[] {
    const all: Trace[] = [];
    const begun = new Set(this.#units.keys());
    for (const first of traces) {
      for (let trace = first; !begun.has(trace.pc);) {
        if (!this.#pay(trace)) return all;
        begun.add(trace.pc);
        all.push(trace);
        if (trace.next.kind !== 'leave') break;
        trace = planTrace(this.#read(), trace.next.pc);
      }
    }
    return all;
  }

  /** Takes a trace's instructions from the contract's share. */
  #pay({ instructionCount }: Trace): boolean {
    if (this.instructionCount + instructionCount > this.#instructionsMax) return false;
    this.instructionCount += instructionCount;
    return true;
  }

  #compile(traces: readonly Trace[]): CompiledUnit {
    const { linkTypes } = engineModule({ fork: this.#fork, isTraced: false, isTiered: true });
    const unit = compileUnit(this.#read(), traces, linkTypes);
    for (const pc of unit.entries) this.#units.set(pc, unit);
    return unit;
  }
}
