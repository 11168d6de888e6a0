import { type CsrName, SSTATUS, csrNumbers, csrPlace } from './csr-numbers.ts';
import type { HartMemory } from './hart-memory.ts';
import * as at from './layout.ts';
import { PMP_ENTRIES, type Pmp } from './pmp.ts';
import { isTranslationMode } from './translation.ts';
import {
  ADUE,
  CBCFE,
  CBIE,
  CBZE,
  FS_MASK,
  MACHINE,
  MIE,
  MPIE,
  MPP,
  MPP_SHIFT,
  MPRV,
  MXR,
  SD,
  SSIP,
  STCE,
  STIP,
  SEIP,
  SUM,
  STATUS_S,
  SUPERVISOR,
  SXL_64,
  S_INTERRUPTS,
  TSR,
  TVM,
  TW,
  UXL_64,
} from './status.ts';

/** What a control register looks at or acts on beyond itself. */
export interface CsrSurroundings {
  readonly hartId: number;
  /** Ticks. */
  time(): number;
  /** Steps, the present one among them. */
  steps(): number;
  /** Brings the timer's bit of `mip` up to date. */
  updateTimer(): void;
  /** The mode of translation, or rights, have changed. */
  translationChanged(mustFlush: boolean): void;
}

/** Bit of LINES that `stimecmp` drives, beside those of `mip`. */
export const TIMER_LINE = 1 << 30;

const STATUS_M = STATUS_S | MIE | MPIE | MPP | MPRV | TVM | TW | TSR;
const INTERRUPTS = 0xaaan;
/** No environment calls from M mode, and none of the reserved numbers. */
const DELEGABLE = 0xb3ffn;
const ENVIRONMENT_S = 1n | CBIE | CBCFE | CBZE;
const ENVIRONMENT_M = ENVIRONMENT_S | ADUE | STCE;
const COUNTERS = 7n;
const MISA = (2n << 62n) | [...'ACDFIMSU'].reduce((bits, c) => bits | (1n << letter(c)), 0n);

function letter(c: string): bigint {
  return BigInt(c.charCodeAt(0) - 65);
}

interface Csr {
  read(): bigint;
  /** What of the value shown was written, where lines from outside show too. */
  kept?(): bigint;
  write(value: bigint): void;
}

/**
 * The control registers by number. Who may access which is not decided here.
 * @see RISC-V Privileged ISA 20240411, chapters 2, 3 and 12; there are no counters to program
 */
export class CsrFile {
  readonly #memory: HartMemory;
  readonly #pmp: Pmp;
  readonly #around: CsrSurroundings;
  readonly #csrs = new Map<number, Csr>();

  constructor(memory: HartMemory, pmp: Pmp, around: CsrSurroundings) {
    this.#memory = memory;
    this.#pmp = pmp;
    this.#around = around;
    this.#defineFloat();
    this.#defineCounters();
    this.#defineSupervisor();
    this.#defineMachine();
    this.#defineProtection();
    this.#defineTriggers();
  }

  read(number: number): bigint | undefined {
    const value = this.#csrs.get(number)?.read();
    return value === undefined ? undefined : BigInt.asUintN(64, value);
  }

  /**
   * What setting or clearing bits begins with: not what a line shows, or it would stay when the line falls.
   * @see Privileged ISA 20240411, section 3.1.9
   */
  kept(number: number): bigint | undefined {
    const value = this.#csrs.get(number)?.kept?.();
    return value === undefined ? this.read(number) : BigInt.asUintN(64, value);
  }

  /** False where there is no such register. A value that it can not have changes nothing or what can be. */
  write(number: number, value: bigint): boolean {
    const csr = this.#csrs.get(number);
    csr?.write(value);
    return csr !== undefined;
  }

  get(name: CsrName): bigint {
    return this.#memory.long(csrPlace(name));
  }

  set(name: CsrName, value: bigint): void {
    this.#memory.setLong(csrPlace(name), value);
  }

  /** `mstatus` without the bits that are always the same. */
  get status(): number {
    return this.#memory.word(csrPlace('mstatus'));
  }

  set status(value: number) {
    const old = this.status;
    this.#memory.setWord(csrPlace('mstatus'), value);
    if ((old ^ value) & (SUM | MXR | MPRV | MPP)) {
      this.#around.translationChanged(((old ^ value) & MXR) !== 0);
    }
  }

  /** `mip`, as lines, timer and software make it. */
  get pending(): number {
    const lines = this.#memory.word(at.LINES);
    const isTimed = (this.get('menvcfg') & STCE) !== 0n;
    const software = this.#memory.word(csrPlace('mip')) & (isTimed ? ~STIP : -1);
    const timer = isTimed && lines & TIMER_LINE ? STIP : 0;
    return (lines & ~TIMER_LINE) | software | timer;
  }

  #plain(name: CsrName, mask = -1n): void {
    this.#csrs.set(csrNumbers[name], {
      read: () => this.get(name) & mask,
      write: (value) => this.set(name, (this.get(name) & ~mask) | (value & mask)),
    });
  }

  #fixed(number: number, value: bigint): void {
    this.#csrs.set(number, { read: () => value, write: () => {} });
  }

  #defineFloat(): void {
    const part = (number: number, shift: bigint, mask: bigint): void => {
      this.#csrs.set(number, {
        read: () => (this.get('fcsr') >> shift) & mask,
        write: (value) => {
          const others = this.get('fcsr') & ~(mask << shift);
          this.set('fcsr', others | ((value & mask) << shift));
          this.status |= FS_MASK;
        },
      });
    };
    part(0x001, 0n, 0x1fn);
    part(0x002, 5n, 7n);
    part(csrNumbers.fcsr, 0n, 0xffn);
  }

  #defineCounters(): void {
    const counter = (number: number, place: number): void => {
      const read = (): bigint => BigInt(this.#around.steps() - 1) + this.#memory.long(place);
      this.#csrs.set(0xc00 | number, { read, write: () => {} });
      this.#csrs.set(0xb00 | number, {
        read,
        // The writing instruction itself is not counted.
        write: (value) => this.#memory.setLong(place, value - BigInt(this.#around.steps())),
      });
    };
    counter(0, at.CYCLE_OFFSET);
    counter(2, at.INSTRET_OFFSET);
    this.#csrs.set(0xc01, { read: () => BigInt(this.#around.time()), write: () => {} });
    for (let i = 3; i < 32; i++) {
      this.#fixed(0xb00 | i, 0n);
      this.#fixed(0x320 | i, 0n);
    }
    this.#fixed(0x320, 0n);
  }

  #defineSupervisor(): void {
    this.#csrs.set(SSTATUS, {
      read: () => this.#shownStatus(STATUS_S) | UXL_64,
      write: (value) => this.#writeStatus(value, STATUS_S),
    });
    this.#csrs.set(0x104, {
      read: () => this.get('mie') & this.get('mideleg'),
      write: (value) => {
        const mask = this.get('mideleg');
        this.set('mie', (this.get('mie') & ~mask) | (value & mask));
      },
    });
    this.#plain('stvec', ~2n);
    this.#plain('scounteren', COUNTERS);
    this.#plain('senvcfg', ENVIRONMENT_S);
    this.#plain('sscratch');
    this.#plain('sepc', ~1n);
    this.#plain('scause');
    this.#plain('stval');
    this.#csrs.set(0x144, {
      read: () => this.#shownPending() & this.get('mideleg'),
      kept: () => this.get('mip') & this.get('mideleg'),
      write: (value) => this.#writePending(value, BigInt(SSIP) & this.get('mideleg')),
    });
    this.#csrs.set(csrNumbers.stimecmp, {
      read: () => this.get('stimecmp'),
      write: (value) => {
        this.set('stimecmp', value);
        this.#around.updateTimer();
      },
    });
    this.#csrs.set(csrNumbers.satp, {
      read: () => this.get('satp'),
      write: (value) => {
        if (!isTranslationMode(Number(BigInt.asUintN(64, value) >> 60n))) return;
        // There are no address spaces' numbers.
        this.set('satp', value & ~(0xffffn << 44n));
        this.#around.translationChanged(true);
      },
    });
  }

  #defineMachine(): void {
    this.#csrs.set(csrNumbers.mstatus, {
      read: () => this.#shownStatus(STATUS_M) | UXL_64 | SXL_64,
      write: (value) => this.#writeStatus(value, STATUS_M),
    });
    this.#fixed(0x301, MISA);
    this.#plain('medeleg', DELEGABLE);
    this.#plain('mideleg', BigInt(S_INTERRUPTS));
    this.#plain('mie', INTERRUPTS);
    this.#plain('mtvec', ~2n);
    this.#plain('mcounteren', COUNTERS);
    this.#csrs.set(csrNumbers.menvcfg, {
      read: () => this.get('menvcfg'),
      write: (value) => {
        this.set('menvcfg', value & ENVIRONMENT_M);
        this.#around.updateTimer();
      },
    });
    this.#plain('mscratch');
    this.#plain('mepc', ~1n);
    this.#plain('mcause');
    this.#plain('mtval');
    this.#csrs.set(csrNumbers.mip, {
      read: () => this.#shownPending(),
      kept: () => this.get('mip'),
      write: (value) => this.#writePending(value, BigInt(SSIP | STIP | SEIP)),
    });
    for (const number of [0xf11, 0xf12, 0xf13, 0xf15]) this.#fixed(number, 0n);
    this.#fixed(0xf14, BigInt(this.#around.hartId));
  }

  #defineProtection(): void {
    for (let i = 0; i < 64; i++) this.#fixed(0x3b0 + i, 0n);
    for (let i = 0; i < 16; i += 2) this.#fixed(0x3a0 | i, 0n);
    const written = (): void => {
      this.#pmp.update();
      this.#around.translationChanged(true);
    };
    for (let i = 0; i < PMP_ENTRIES; i++) {
      this.#csrs.set(0x3b0 + i, {
        read: () => this.#pmp.readAddress(i),
        write: (value) => {
          this.#pmp.writeAddress(i, value);
          written();
        },
      });
    }
    // Eight entries each; the odd numbers belong to 32 bits.
    for (let first = 0; first < PMP_ENTRIES; first += 8) {
      const indexes = [0, 1, 2, 3, 4, 5, 6, 7];
      this.#csrs.set(0x3a0 + first / 4, {
        read: () =>
          indexes.reduce(
            (bits, i) => bits | (BigInt(this.#pmp.readConfig(first + i)) << BigInt(8 * i)),
            0n,
          ),
        write: (value) => {
          for (const i of indexes) {
            this.#pmp.writeConfig(first + i, Number((value >> BigInt(8 * i)) & 0xffn));
          }
          written();
        },
      });
    }
  }

  /** There are no triggers. @see RISC-V Debug Specification 1.0, section 5.7.2: type 0 */
  #defineTriggers(): void {
    for (let number = 0x7a0; number <= 0x7a3; number++) this.#fixed(number, 0n);
  }

  #shownStatus(mask: number): bigint {
    const { status } = this;
    const isDirty = (status & FS_MASK) === FS_MASK;
    return BigInt((status & mask) >>> 0) | (isDirty ? SD : 0n);
  }

  #writeStatus(value: bigint, mask: number): void {
    const old = this.status;
    let next = (old & ~mask) | (Number(BigInt.asIntN(32, value)) & mask);
    const previous = (next & MPP) >> MPP_SHIFT;
    // There is no mode 2.
    if (previous === 2) next = (next & ~MPP) | (old & MPP);
    this.status = next;
  }

  #shownPending(): bigint {
    this.#around.updateTimer();
    return BigInt(this.pending);
  }

  #writePending(value: bigint, mask: bigint): void {
    this.set('mip', (this.get('mip') & ~mask) | (value & mask));
  }

  /** Whether a mode may read or write the register at all. */
  isPermitted(number: number, privilege: number, isWrite: boolean): boolean {
    if (isWrite && number >> 10 === 3) return false;
    if (((number >> 8) & 3) > privilege) return false;
    if (number >= 0x001 && number <= 0x003) return (this.status & FS_MASK) !== 0;
    if (number >= 0xc00 && number < 0xc03) return this.#isCounterOpen(number & 31, privilege);
    if (number === csrNumbers.satp) return !(privilege === SUPERVISOR && this.status & TVM);
    if (number === csrNumbers.stimecmp && privilege !== MACHINE) {
      return (this.get('menvcfg') & STCE) !== 0n && (this.get('mcounteren') & 2n) !== 0n;
    }
    return true;
  }

  #isCounterOpen(counter: number, privilege: number): boolean {
    const bit = 1n << BigInt(counter);
    if (privilege === MACHINE) return true;
    const isForS = (this.get('mcounteren') & bit) !== 0n;
    return isForS && (privilege === SUPERVISOR || (this.get('scounteren') & bit) !== 0n);
  }
}
