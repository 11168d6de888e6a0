import type { Clock, InterruptLine, MmioDevice, Timed } from './device.ts';
import { ACLINT_BYTES } from './layout.ts';
import type { StateReader, StateWriter, Stateful } from './state.ts';

/** @see RISC-V ACLINT Specification 1.0-rc4, chapters 2 to 4; laid out as SiFive's CLINT. */
const MTIMECMP = 0x4000;
const MTIME = 0xbff8;
const NEVER = 2n ** 64n - 1n;

export interface AclintOptions {
  readonly clock: Clock;
  /** One for each hart: machine software interrupt. */
  readonly software: readonly InterruptLine[];
  /** One for each hart: machine timer interrupt. */
  readonly timer: readonly InterruptLine[];
}

/**
 * Machine-level timer and software interrupts (MTIMER and MSWI), for software that brings its own
 * M-mode.
 */
export class Aclint implements MmioDevice, Stateful, Timed {
  readonly size = ACLINT_BYTES;
  readonly #clock: Clock;
  readonly #software: readonly InterruptLine[];
  readonly #timer: readonly InterruptLine[];
  readonly #isRaised: Uint32Array;
  readonly #compare: bigint[];
  /** mtime is writable: what it is ahead of the clock. */
  #offset = 0n;

  constructor({ clock, software, timer }: AclintOptions) {
    this.#clock = clock;
    this.#software = software;
    this.#timer = timer;
    this.#isRaised = new Uint32Array(software.length);
    this.#compare = timer.map(() => NEVER);
  }

  get wakesAt(): number {
    let earliest = Infinity;
    for (const compare of this.#compare) {
      if (compare === NEVER) continue;
      const ticks = Number(BigInt.asIntN(65, compare - this.#offset));
      // What has fired already needs no second call.
      if (ticks > this.#clock.ticks) earliest = Math.min(earliest, ticks);
    }
    return earliest;
  }

  elapse(): void {
    this.#timer.forEach((line, hart) => line(this.#now() >= this.#compare[hart]!));
  }

  load(offset: number, size: 1 | 2 | 4 | 8): number | bigint {
    if ((size !== 4 && size !== 8) || offset % size !== 0) return 0;
    if (offset < MTIMECMP) return this.#isRaised[offset / 4] ?? 0;
    return part(this.#register(offset), offset, size);
  }

  store(offset: number, size: 1 | 2 | 4 | 8, value: number | bigint): void {
    if ((size !== 4 && size !== 8) || offset % size !== 0) return;
    if (offset < MTIMECMP) {
      const hart = offset / 4;
      const line = this.#software[hart];
      if (!line) return;
      this.#isRaised[hart] = Number(BigInt(value) & 1n);
      line(this.#isRaised[hart] === 1);
      return;
    }
    const merged = merge(this.#register(offset), offset, size, value);
    const hart = (offset - MTIMECMP) >>> 3;
    if (offset >= MTIME) this.#offset = BigInt.asUintN(64, merged - BigInt(this.#clock.ticks));
    else if (hart < this.#compare.length) this.#compare[hart] = merged;
    this.elapse();
  }

  saveState(out: StateWriter): void {
    out.words(this.#isRaised).u64(this.#offset);
    for (const compare of this.#compare) out.u64(compare);
  }

  loadState(from: StateReader): void {
    from.words(this.#isRaised);
    this.#offset = from.u64();
    for (let hart = 0; hart < this.#compare.length; hart++) this.#compare[hart] = from.u64();
    this.#software.forEach((line, hart) => line(this.#isRaised[hart] === 1));
    this.elapse();
  }

  #now(): bigint {
    return BigInt.asUintN(64, BigInt(this.#clock.ticks) + this.#offset);
  }

  #register(offset: number): bigint {
    return offset >= MTIME ? this.#now() : (this.#compare[(offset - MTIMECMP) >>> 3] ?? 0n);
  }
}

/**
 * Supervisor software interrupts (SSWI): a write of 1 raises a hart's, which it clears itself;
 * reads give 0.
 */
export class AclintSswi implements MmioDevice {
  readonly size = 0x4000;
  readonly #raise: readonly (() => void)[];

  /** @param raise one for each hart: sets its `sip.SSIP` */
  constructor(raise: readonly (() => void)[]) {
    this.#raise = raise;
  }

  load(): number {
    return 0;
  }

  store(offset: number, size: 1 | 2 | 4 | 8, value: number | bigint): void {
    if (size === 4 && offset % 4 === 0 && (Number(value) & 1) === 1) this.#raise[offset / 4]?.();
  }
}

function part(register: bigint, offset: number, size: 4 | 8): number | bigint {
  if (size === 8) return register;
  return Number(BigInt.asUintN(32, offset % 8 === 4 ? register >> 32n : register));
}

function merge(register: bigint, offset: number, size: 4 | 8, value: number | bigint): bigint {
  if (size === 8) return BigInt.asUintN(64, BigInt(value));
  const word = BigInt.asUintN(32, BigInt(value));
  const low = BigInt.asUintN(32, register);
  return offset % 8 === 4 ? (word << 32n) | low : ((register >> 32n) << 32n) | word;
}
