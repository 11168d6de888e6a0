import { assert } from '@polyvisor/errors/assert';
import { halves } from './address.ts';
import { CACHE_BLOCK_BYTES } from './cache-block.ts';
import type { CsrFile } from './csr-file.ts';
import { DYNAMIC, type FloatContext } from './float/soft-float.ts';
import type { HartMemory } from './hart-memory.ts';
import type { HartView } from './hart-view.ts';
import { rowOf } from './interpreter.ts';
import * as at from './layout.ts';
import type { MemoryAccess } from './memory-access.ts';
import type { Progress } from './progress.ts';
import {
  CBCFE,
  CBIE,
  CBZE,
  ECALL_FROM_U,
  FS_MASK,
  ILLEGAL_INSTRUCTION,
  MACHINE,
  type Privilege,
  SUPERVISOR,
  TSR,
  TVM,
  TW,
  USER,
} from './status.ts';
import type { Operands } from './table/row.ts';
import type { Translation } from './translation.ts';
import type { Traps } from './traps.ts';

/** The highest number of a rounding mode, and the one that stands for `frm`. */
const ROUNDING_MODE_MAX = 4;

/** Thrown where an instruction ends in a trap, which has been taken by then. */
const TRAPPED = new Error('trapped');

export interface EvaluatorParts {
  readonly memory: HartMemory;
  readonly csrs: CsrFile;
  readonly translation: Translation;
  readonly traps: Traps;
  readonly access: MemoryAccess;
  readonly progress: Progress;
  readonly isSbiOutside: boolean;
  /** Brings the timer up to date. */
  readonly updateTimer: () => void;
  /** The instruction's bytes, to be shown where it is illegal. */
  readonly fetchWord: () => bigint;
}

/** Evaluates, for the engine, the instructions that it has no code for. */
export class Evaluator implements HartView {
  pc = 0n;
  nextPc = 0n;
  /** The engine has code for all that reserves. */
  reservation: HartView['reservation'];
  readonly #parts: EvaluatorParts;
  #target = 0n;

  constructor(parts: EvaluatorParts) {
    this.#parts = parts;
  }

  /** Runs the decoded instruction at `PC`, and moves that on. */
  evaluate(record: number): void {
    const { memory, traps, progress } = this.#parts;
    this.pc = memory.long(at.PC);
    this.nextPc = this.pc + BigInt(memory.u8[record + at.RECORD_STEP]! >> 3);
    this.#target = this.nextPc;
    try {
      const row = rowOf(memory.u16[record >> 1]!);
      if (!row) this.illegal();
      row.evaluate(this, this.#operands(record));
      memory.setLong(at.PC, this.#target);
    } catch (error) {
      if (error !== TRAPPED) throw error;
    }
    if (progress.left > 0) traps.interrupt();
  }

  x(register: number): bigint {
    return this.#parts.memory.x(register);
  }

  setX(register: number, value: bigint): void {
    this.#parts.memory.setX(register, value);
  }

  f(register: number): bigint {
    return this.#parts.memory.f(register);
  }

  setF(register: number, value: bigint): void {
    this.#parts.memory.setF(register, value);
    this.#parts.csrs.status |= FS_MASK;
  }

  jump(target: bigint): void {
    this.#target = target;
  }

  load(): bigint {
    assert(false, 'the engine has code for all loads');
  }

  store(): void {
    assert(false, 'the engine has code for all stores');
  }

  checkAligned(): void {
    assert(false, 'the engine has code for all atomic accesses');
  }

  raise(cause: number, value: bigint): never {
    this.#parts.traps.enter(cause, value);
    throw TRAPPED;
  }

  illegal(): never {
    return this.raise(ILLEGAL_INSTRUCTION, this.#parts.fetchWord());
  }

  float(rm: number): FloatContext {
    const { csrs } = this.#parts;
    const mode = rm === DYNAMIC ? Number(csrs.get('fcsr') >> 5n) : rm;
    if (!(csrs.status & FS_MASK) || mode > ROUNDING_MODE_MAX) this.illegal();
    return { mode, flags: 0 };
  }

  finishFloat({ flags }: FloatContext): void {
    const { csrs } = this.#parts;
    if (flags === 0) return;
    csrs.set('fcsr', csrs.get('fcsr') | BigInt(flags));
    csrs.status |= FS_MASK;
  }

  readCsr(number: number): bigint {
    const { csrs } = this.#parts;
    if (!csrs.isPermitted(number, this.#privilege, false)) this.illegal();
    return csrs.read(number) ?? this.illegal();
  }

  keptCsr(number: number): bigint {
    return this.#parts.csrs.kept(number) ?? this.illegal();
  }

  writeCsr(number: number, value: bigint): void {
    const { csrs } = this.#parts;
    if (!csrs.isPermitted(number, this.#privilege, true)) this.illegal();
    csrs.write(number, BigInt.asIntN(64, value));
  }

  environmentCall(): void {
    const privilege = this.#privilege;
    if (privilege === SUPERVISOR && this.#parts.isSbiOutside) this.#parts.progress.end('sbi');
    else this.raise(ECALL_FROM_U + privilege, 0n);
  }

  returnFromTrap(mode: 'supervisor' | 'machine'): void {
    const { csrs, traps } = this.#parts;
    const least = mode === 'machine' ? MACHINE : SUPERVISOR;
    const isTrapped = this.#privilege === SUPERVISOR && (csrs.status & TSR) !== 0;
    if (this.#privilege < least || (mode === 'supervisor' && isTrapped)) this.illegal();
    this.#target = traps.leave(mode);
  }

  waitForInterrupt(): void {
    const { csrs, memory, traps, progress, updateTimer } = this.#parts;
    const isTrapped = this.#privilege < MACHINE && (csrs.status & TW) !== 0;
    if (this.#privilege === USER || isTrapped) this.illegal();
    updateTimer();
    if (traps.isAwake) return;
    memory.setWord(at.IS_WAITING, 1);
    progress.end('wfi');
  }

  fenceTranslations(address: bigint | undefined): void {
    const { csrs, translation } = this.#parts;
    const isTrapped = this.#privilege === SUPERVISOR && (csrs.status & TVM) !== 0;
    if (this.#privilege === USER || isTrapped) this.illegal();
    if (address === undefined) translation.flush();
    else translation.flushAddress(...halves(address));
  }

  cacheBlock(address: bigint, operation: 'zero' | 'invalidate' | 'clean' | 'flush'): void {
    const bits = operation === 'zero' ? CBZE : operation === 'invalidate' ? CBIE : CBCFE;
    const { csrs, memory, access } = this.#parts;
    const isOpen = (name: 'menvcfg' | 'senvcfg'): boolean => (csrs.get(name) & bits) !== 0n;
    const privilege = this.#privilege;
    if (privilege < MACHINE && !isOpen('menvcfg')) this.illegal();
    if (privilege === USER && !isOpen('senvcfg')) this.illegal();
    const [low, high] = halves(address);
    if (operation !== 'zero') {
      // Rights to read or to write will do. A fault is a store's.
      if (!access.probe(low, high)) throw TRAPPED;
      return;
    }
    // A fault tells the address as it was given, so this is asked first.
    if (access.translate(low, high, 'write') < 0) throw TRAPPED;
    memory.setLong(at.VALUE, 0n);
    const start = low & ~(CACHE_BLOCK_BYTES - 1);
    for (let i = 0; i < CACHE_BLOCK_BYTES; i += 8) {
      if (access.store(start + i, high, 8) === 'trapped') throw TRAPPED;
    }
  }

  #operands(record: number): Operands {
    const { u16, u8, i32 } = this.#parts.memory;
    const register = (place: number): number => (u16[(record + place) >> 1]! >> 3) & 31;
    return {
      rd: register(at.RECORD_RD),
      rs1: register(at.RECORD_RS1),
      rs2: register(at.RECORD_RS2),
      rs3: register(at.RECORD_RS3),
      rm: u8[record + at.RECORD_RM]!,
      imm: i32[(record + at.RECORD_IMM) >> 2]!,
    };
  }

  get #privilege(): Privilege {
    return this.#parts.memory.privilege;
  }
}
