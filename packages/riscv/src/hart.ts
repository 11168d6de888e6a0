import { assert } from '@polyvisor/errors/assert';
import { HostError } from '@polyvisor/errors/host-error';
import { halves } from './address.ts';
import type { MemorySnapshot } from '@polyvisor/memory/guest-memory';
import { CodePages, type PlacesInUse } from './code-pages.ts';
import { type CompiledRegions, REGIONS_MAX, Regions } from './compiler/regions.ts';
import type {
  AccessSize,
  HartOptions,
  HartRun,
  HartSnapshot,
  InterruptLineName,
  Processor,
} from './contract.ts';
import { CsrFile, TIMER_LINE } from './csr-file.ts';
import { Evaluator } from './evaluator.ts';
import { HartMemory } from './hart-memory.ts';
import { InstructionFetch } from './instruction-fetch.ts';
import { type InterpreterImports, interpreterModule } from './interpreter.ts';
import * as at from './layout.ts';
import { MemoryAccess } from './memory-access.ts';
import { Pmp } from './pmp.ts';
import { Progress } from './progress.ts';
import * as status from './status.ts';
import type { Privilege } from './status.ts';
import { Translation } from './translation.ts';
import { Traps } from './traps.ts';

/** Steps between two looks at the clock, counted from the hart's beginning. */
const TIMER_STEPS = 32_768;
/** The most looks in a row of which all but the last are left out, as it is known that they would find nothing. */
const LOOKS_MAX = 32;
/**
 * Steps after which counts of landings are halved, so that what is compiled is what is run often now, and not what was
 * run now and then for long.
 */
const FADING_STEPS = 2 ** 26;
const CODE_PAGES_DEFAULT = 2048;
const HOT_LANDINGS_DEFAULT = 5000;
/** More are not counted. */
const HOT_LANDINGS_MAX = 65_535;
/** Where a board without firmware in M mode gives S mode all that it can have. */
const DELEGATED_TO_S = 0xb1ffn;
const ALL_COUNTERS = 7n;

let compiled: WebAssembly.Module | undefined;

/** What is beside the engine's memory of a hart's code. Those of all snapshots between two changes of it are one. */
interface CodeBeside {
  readonly places: PlacesInUse;
  readonly regions: CompiledRegions;
}

class SavedHart implements HartSnapshot {
  readonly memory: MemorySnapshot;
  readonly code: CodeBeside;

  constructor(memory: MemorySnapshot, code: CodeBeside) {
    this.memory = memory;
    this.code = code;
  }

  [Symbol.dispose](): void {
    this.memory[Symbol.dispose]();
  }
}

/** A RISC-V hart: RV64GC and more, with machine, supervisor and user mode. */
export class Hart implements Processor {
  readonly #memory: HartMemory;
  readonly #clock: (steps: number) => number;
  readonly #progress: Progress;
  readonly #pmp: Pmp;
  readonly #csrs: CsrFile;
  readonly #code: CodePages;
  readonly #translation: Translation;
  readonly #traps: Traps;
  readonly #access: MemoryAccess;
  readonly #regions: Regions;
  readonly #run: () => void;
  /** Beside the memory's base, which is of the same moment. */
  #savedCode: CodeBeside | undefined;
  /** Steps after which the clock is looked at next. */
  #stretchEnd = 0;
  /** Steps after which counts of landings fade next. */
  #nextFading = FADING_STEPS;

  /** @throws HostError `hart-memory` where RAM is not in whole pages, or not all in the memory */
  constructor(options: HartOptions) {
    const { memory, ramBase, ramBytes, codePagesMax = CODE_PAGES_DEFAULT } = options;
    const from = options.from as SavedHart | undefined;
    const isWhole = ramBase % 4096 === 0 && ramBytes % 4096 === 0 && ramBytes > 0;
    if (!isWhole || ramBytes > memory.buffer.byteLength) {
      throw new HostError(
        'hart-memory',
        `RAM of ${ramBytes} bytes at ${ramBase}`,
        'give multiples of 4096, and no more than the memory has',
      );
    }
    this.#clock = options.clock;
    const sizes = { ramBase, ramBytes, codePages: codePagesMax, regions: REGIONS_MAX };
    this.#memory = new HartMemory(memory, sizes, from?.memory);
    this.#progress = new Progress(this.#memory);
    this.#pmp = new Pmp(this.#memory);
    this.#code = new CodePages(this.#memory, codePagesMax, from?.code.places);
    this.#translation = new Translation(
      this.#memory,
      this.#pmp,
      (offset) => this.#code.has(offset),
      from !== undefined,
    );
    this.#csrs = new CsrFile(this.#memory, this.#pmp, {
      hartId: options.hartId ?? 0,
      time: () => this.#clock(this.steps),
      steps: () => this.steps,
      updateTimer: () => {
        this.#updateTimer();
        if (this.deadline <= this.#clock(this.#stretchEnd)) this.#progress.withhold();
      },
      translationChanged: (mustFlush) => {
        if (mustFlush) this.#translation.flush();
        this.#translation.update();
      },
    });
    this.#traps = new Traps(this.#memory, this.#csrs, this.#translation, this.#progress);
    this.#access = new MemoryAccess(
      this.#memory,
      this.#translation,
      this.#code,
      this.#traps,
      options.bus,
    );
    this.#regions = new Regions(
      this.#memory,
      this.#code,
      {
        engine: this.#memory.engine,
        ram: memory,
        fill: (low, high, size, isWritten) =>
          this.#access.fill(low, high, size, isWritten ? 'write' : 'read') ? 1 : 0,
      },
      from?.code.regions,
    );
    this.#run = this.#instantiate(memory, options.isSbiOutside ?? false);
    this.#savedCode = from?.code;
    if (from) return;
    const { hotLandings = HOT_LANDINGS_DEFAULT } = options;
    this.#memory.setWord(at.HOT_LANDINGS, hotLandings <= HOT_LANDINGS_MAX ? hotLandings : 0);
    this.#reset(options.isSbiOutside ?? false);
  }

  run(budget: number): HartRun {
    assert(Number.isSafeInteger(budget) && budget >= 0, 'a budget is a number of steps');
    this.#progress.reason = 'budget';
    if (this.#memory.word(at.IS_WAITING)) {
      this.#updateTimer();
      if (!this.#traps.isAwake) return { used: 0, reason: 'wfi' };
      this.#memory.setWord(at.IS_WAITING, 0);
    }
    let left = budget;
    while (left > 0 && this.#progress.reason === 'budget') left -= this.#runStretch(left);
    return { used: budget - left, reason: this.#progress.reason };
  }

  stop(): void {
    this.#progress.end('halt');
  }

  setLine(line: InterruptLineName, isHigh: boolean): void {
    const bit = status[line];
    const lines = this.#memory.word(at.LINES);
    this.#memory.setWord(at.LINES, isHigh ? lines | bit : lines & ~bit);
    this.#progress.withhold();
  }

  raiseSoftware(): void {
    this.#csrs.set('mip', this.#csrs.get('mip') | BigInt(status.SSIP));
    this.#progress.withhold();
  }

  get deadline(): number {
    if (!(this.#csrs.get('menvcfg') & status.STCE)) return Infinity;
    const ticks = BigInt.asUintN(64, this.#csrs.get('stimecmp'));
    return ticks > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(ticks);
  }

  get steps(): number {
    return this.#progress.steps;
  }

  x(register: number): bigint {
    return this.#memory.x(register);
  }

  setX(register: number, value: bigint): void {
    this.#memory.setX(register, value);
  }

  f(register: number): bigint {
    return this.#memory.f(register);
  }

  setF(register: number, value: bigint): void {
    this.#memory.setF(register, value);
  }

  get pc(): bigint {
    return BigInt.asUintN(64, this.#memory.long(at.PC));
  }

  set pc(value: bigint) {
    this.#memory.setLong(at.PC, value);
  }

  get privilege(): Privilege {
    return this.#memory.privilege;
  }

  set privilege(value: Privilege) {
    this.#memory.setWord(at.PRIVILEGE, value);
    this.#translation.update();
  }

  csr(number: number): bigint | undefined {
    return this.#csrs.read(number);
  }

  setCsr(number: number, value: bigint): boolean {
    return this.#csrs.write(number, BigInt.asIntN(64, value));
  }

  written(address: number, length: number): void {
    const start = address - this.#memory.ramBase;
    const end = Math.min(start + length, this.#memory.ramBytes);
    for (let from = Math.max(start, 0); from < end;) {
      const size = Math.min(4096 - (from % 4096), end - from);
      if (this.#code.has(from)) this.#code.written(from, size);
      from += size;
    }
  }

  translate(address: bigint): number | undefined {
    const physical = this.#translation.translate(...halves(address), 'read');
    return physical < 0 ? undefined : physical;
  }

  save(): Uint8Array {
    // What was written to x0 is nobody's, and not the same in both tiers.
    return this.#memory.u8.slice(0, at.STATE_BYTES).fill(0, at.SINK, at.SINK + 8);
  }

  load(state: Uint8Array): void {
    checkState(state);
    this.#code.dropAll();
    this.#translation.flush();
    this.#setState(state);
  }

  goBack(state: Uint8Array, changed: Iterable<number>): void {
    checkState(state);
    for (const offset of changed) if (this.#code.has(offset)) this.#code.drop(offset);
    this.#translation.flush();
    this.#setState(state);
  }

  snapshot(): HartSnapshot {
    if (this.#savedCode?.places.changes === this.#code.changes) {
      return new SavedHart(this.#memory.base(), this.#savedCode);
    }
    const memory = this.#memory.snapshot();
    this.#savedCode = { places: this.#code.placesInUse(), regions: this.#regions.compiled() };
    return new SavedHart(memory, this.#savedCode);
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }

  #setState(state: Uint8Array): void {
    this.#memory.u8.set(state);
    this.#progress.begin(0);
    this.#nextFading = this.steps + FADING_STEPS;
    this.#pmp.update();
    this.#translation.update();
  }

  #runStretch(stepsMax: number): number {
    const { steps } = this;
    const phase = steps % TIMER_STEPS;
    if (phase === 0) this.#updateTimer();
    const last = steps - phase;
    if (steps >= this.#nextFading) {
      this.#nextFading = steps + FADING_STEPS;
      this.#memory.fadeCounts();
    }
    const { deadline } = this;
    let looks = LOOKS_MAX;
    while (looks > 1 && this.#clock(last + (looks - 1) * TIMER_STEPS) >= deadline) looks /= 2;
    this.#stretchEnd = last + looks * TIMER_STEPS;
    this.#progress.begin(Math.min(stepsMax, this.#stretchEnd - steps));
    this.#traps.interrupt();
    this.#run();
    return this.#progress.finish();
  }

  #updateTimer(): void {
    const isDue = this.deadline <= this.#clock(this.steps);
    const lines = this.#memory.word(at.LINES);
    this.#memory.setWord(at.LINES, isDue ? lines | TIMER_LINE : lines & ~TIMER_LINE);
  }

  #instantiate(ram: WebAssembly.Memory, isSbiOutside: boolean): () => void {
    const memory = this.#memory;
    const access = this.#access;
    const regions = this.#regions;
    const fetch = new InstructionFetch(
      memory,
      this.#translation,
      this.#code,
      access,
      this.#progress,
    );
    const evaluator = new Evaluator({
      memory,
      csrs: this.#csrs,
      translation: this.#translation,
      traps: this.#traps,
      access,
      progress: this.#progress,
      isSbiOutside,
      updateTimer: () => this.#updateTimer(),
      fetchWord: () => fetch.word(),
    });
    const imports: InterpreterImports = {
      fetchMiss: () => fetch.miss(),
      decode: (record) => fetch.decode(record),
      loadMiss: (low, high, size) => (access.load(low, high, size as AccessSize) ? 1 : 0),
      storeMiss: (low, high, size, record) => {
        const ending = access.store(low, high, size as AccessSize);
        if (ending === 'code') {
          // The present instruction's page may be among those dropped.
          const step = memory.u8[record + at.RECORD_STEP]! >> 3;
          memory.setLong(at.PC, memory.long(at.PC) + BigInt(step));
        }
        return ending === 'done' ? 0 : 1;
      },
      atomicMiss: (low, high, size, isWritten) =>
        access.atomic(low, high, size, isWritten !== 0) ? 1 : 0,
      evaluate: (record) => evaluator.evaluate(record),
      hot: () => {
        const offset = fetch.offset();
        if (this.#code.isUnsteady(offset)) {
          regions.giveUp(offset);
        } else if (regions.isFull) {
          this.#code.dropAll();
          this.#translation.flush();
        } else {
          regions.compile(offset);
        }
      },
      absent: () => regions.called(fetch.offset()),
    };
    compiled ??= new WebAssembly.Module(interpreterModule());
    const instance = new WebAssembly.Instance(compiled, {
      hart: { ...imports, engine: memory.engine, ram, regions: regions.table },
    });
    regions.begin(instance.exports['absent']!);
    return instance.exports['run'] as () => void;
  }

  #reset(isSbiOutside: boolean): void {
    this.#memory.setLong(at.RESERVED_ADDRESS, at.NO_RESERVATION);
    this.#csrs.set('stimecmp', -1n);
    this.privilege = status.MACHINE;
    if (!isSbiOutside) return;
    this.#pmp.open();
    this.#csrs.set('medeleg', DELEGATED_TO_S);
    this.#csrs.set('mideleg', BigInt(status.S_INTERRUPTS));
    this.#csrs.set('mcounteren', ALL_COUNTERS);
    const { ADUE, CBCFE, CBIE, CBZE, STCE } = status;
    this.#csrs.set('menvcfg', BigInt.asIntN(64, ADUE | CBCFE | CBIE | CBZE | STCE));
    this.privilege = status.SUPERVISOR;
  }
}

function checkState(state: Uint8Array): void {
  if (state.length !== at.STATE_BYTES) {
    throw new HostError('hart-state', `a state of ${state.length} bytes`);
  }
  if (![status.USER, status.SUPERVISOR, status.MACHINE].includes(state[at.PRIVILEGE]!)) {
    throw new HostError('hart-state', `a state in mode ${state[at.PRIVILEGE]}`);
  }
}
