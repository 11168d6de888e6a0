import type { CsrFile } from './csr-file.ts';
import { csrPlace } from './csr-numbers.ts';
import type { HartMemory } from './hart-memory.ts';
import * as at from './layout.ts';
import type { Progress } from './progress.ts';
import {
  MACHINE,
  MEIP,
  MIE,
  MPIE,
  MPP,
  MPP_SHIFT,
  MPRV,
  MSIP,
  MTIP,
  type Privilege,
  SEIP,
  SIE,
  SPIE,
  SPP,
  SSIP,
  STIP,
  SUPERVISOR,
  USER,
} from './status.ts';
import type { Translation } from './translation.ts';

/** Interrupts by falling priority. @see RISC-V Privileged ISA 20240411, section 3.1.9 */
const PRIORITY = [MEIP, MSIP, MTIP, SEIP, SSIP, STIP];

/** Entering and leaving traps. */
export class Traps {
  readonly #memory: HartMemory;
  readonly #csrs: CsrFile;
  readonly #translation: Translation;
  readonly #progress: Progress;

  constructor(memory: HartMemory, csrs: CsrFile, translation: Translation, progress: Progress) {
    this.#memory = memory;
    this.#csrs = csrs;
    this.#translation = translation;
    this.#progress = progress;
  }

  /** Takes an exception of the instruction at `PC`. @param value for `stval` or `mtval` */
  enter(cause: number, value: bigint): void {
    const delegated = this.#memory.word(csrPlace('medeleg'));
    const isForS = this.#memory.privilege !== MACHINE && ((delegated >> cause) & 1) === 1;
    this.#enter(isForS, BigInt(cause), value, 0n);
  }

  /** Takes the foremost interrupt that is pending and enabled, as a step of its own. @returns whether there was one */
  interrupt(): boolean {
    const pending = this.#csrs.pending & this.#memory.word(csrPlace('mie'));
    if (pending === 0) return false;
    const { status } = this.#csrs;
    const privilege = this.#memory.privilege;
    const delegated = this.#memory.word(csrPlace('mideleg'));
    const forM = privilege < MACHINE || status & MIE ? pending & ~delegated : 0;
    const isSOpen = privilege < SUPERVISOR || (privilege === SUPERVISOR && status & SIE);
    const forS = isSOpen ? pending & delegated : 0;
    const open = forM || forS;
    const bit = PRIORITY.find((candidate) => open & candidate);
    if (bit === undefined) return false;
    this.#progress.count();
    const cause = BigInt(31 - Math.clz32(bit));
    this.#enter(forM === 0, cause | (1n << 63n), 0n, 4n * cause);
    return true;
  }

  /** Whether something is pending that would end a wait, enabled or not. */
  get isAwake(): boolean {
    return (this.#csrs.pending & this.#memory.word(csrPlace('mie'))) !== 0;
  }

  /** @returns where to go on */
  leave(mode: 'supervisor' | 'machine'): bigint {
    const { status } = this.#csrs;
    let next: number;
    let privilege: Privilege;
    if (mode === 'machine') {
      privilege = ((status & MPP) >> MPP_SHIFT) as Privilege;
      next = (status & ~(MIE | MPP)) | MPIE | (status & MPIE ? MIE : 0);
    } else {
      privilege = status & SPP ? SUPERVISOR : USER;
      next = (status & ~(SIE | SPP)) | SPIE | (status & SPIE ? SIE : 0);
    }
    if (privilege !== MACHINE) next &= ~MPRV;
    this.#csrs.status = next;
    this.#memory.setLong(at.RESERVED_ADDRESS, at.NO_RESERVATION);
    this.#setPrivilege(privilege);
    return this.#csrs.get(mode === 'machine' ? 'mepc' : 'sepc');
  }

  #enter(isForS: boolean, cause: bigint, value: bigint, vector: bigint): void {
    const csrs = this.#csrs;
    const { status } = csrs;
    const privilege = this.#memory.privilege;
    const pc = this.#memory.long(at.PC);
    if (isForS) {
      csrs.set('sepc', pc);
      csrs.set('scause', cause);
      csrs.set('stval', value);
      const saved = (status & SIE ? SPIE : 0) | (privilege === SUPERVISOR ? SPP : 0);
      csrs.status = (status & ~(SIE | SPIE | SPP)) | saved;
    } else {
      csrs.set('mepc', pc);
      csrs.set('mcause', cause);
      csrs.set('mtval', value);
      const saved = (status & MIE ? MPIE : 0) | (privilege << MPP_SHIFT);
      csrs.status = (status & ~(MIE | MPIE | MPP)) | saved;
    }
    const base = csrs.get(isForS ? 'stvec' : 'mtvec');
    this.#memory.setLong(at.PC, (base & ~3n) + (base & 1n ? vector : 0n));
    this.#memory.setLong(at.RESERVED_ADDRESS, at.NO_RESERVATION);
    const retired = this.#memory.long(at.INSTRET_OFFSET);
    this.#memory.setLong(at.INSTRET_OFFSET, retired - 1n);
    this.#setPrivilege(isForS ? SUPERVISOR : MACHINE);
  }

  #setPrivilege(privilege: Privilege): void {
    this.#memory.setWord(at.PRIVILEGE, privilege);
    this.#translation.update();
  }
}
