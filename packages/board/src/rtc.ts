import {
  type Clock,
  type InterruptLine,
  type MmioDevice,
  NANOSECONDS_PER_TICK,
  type Timed,
} from './device.ts';
import { WINDOW_BYTES } from './layout.ts';
import type { StateReader, StateWriter, Stateful } from './state.ts';

/** @see Android emulator, docs/GOLDFISH-VIRTUAL-HARDWARE, section V "Goldfish timer" */
const TIME_LOW = 0x00;
const TIME_HIGH = 0x04;
const ALARM_LOW = 0x08;
const ALARM_HIGH = 0x0c;
const IRQ_ENABLED = 0x10;
const CLEAR_ALARM = 0x14;
const ALARM_STATUS = 0x18;
const CLEAR_INTERRUPT = 0x1c;

export interface RtcOptions {
  readonly clock: Clock;
  readonly line: InterruptLine;
  /** Wall-clock time at tick 0, in nanoseconds since 1970. */
  readonly epochNs: bigint;
}

/** The date, in nanoseconds since 1970, with one alarm. */
export class GoldfishRtc implements MmioDevice, Stateful, Timed {
  readonly size = WINDOW_BYTES;
  readonly #clock: Clock;
  readonly #line: InterruptLine;
  /** What the guest sees at tick 0. */
  #epochNs: bigint;
  #high = 0;
  #alarmHigh = 0;
  #alarmNs: bigint | undefined;
  #isEnabled = false;
  #isPending = false;

  constructor({ clock, line, epochNs }: RtcOptions) {
    this.#clock = clock;
    this.#line = line;
    this.#epochNs = epochNs;
  }

  get wakesAt(): number {
    if (this.#alarmNs === undefined) return Infinity;
    const ticks = Number(this.#alarmNs - this.#epochNs) / NANOSECONDS_PER_TICK;
    return Math.max(0, Math.ceil(ticks));
  }

  elapse(): void {
    if (this.#alarmNs !== undefined && this.#now() >= this.#alarmNs) {
      this.#alarmNs = undefined;
      this.#isPending = true;
    }
    this.#line(this.#isPending && this.#isEnabled);
  }

  load(offset: number, size: 1 | 2 | 4 | 8): number {
    if (size !== 4) return 0;
    switch (offset) {
      case TIME_LOW: {
        // The high half is the one that belongs to the low half read last.
        const now = this.#now();
        this.#high = Number(now >> 32n);
        return Number(BigInt.asUintN(32, now));
      }
      case TIME_HIGH:
        return this.#high;
      case ALARM_LOW:
        return Number(BigInt.asUintN(32, this.#alarmNs ?? 0n));
      case ALARM_HIGH:
        return Number((this.#alarmNs ?? 0n) >> 32n);
      case IRQ_ENABLED:
        return this.#isEnabled ? 1 : 0;
      case ALARM_STATUS:
        return this.#alarmNs === undefined ? 0 : 1;
      default:
        return 0;
    }
  }

  store(offset: number, size: 1 | 2 | 4 | 8, value: number | bigint): void {
    if (size !== 4) return;
    const word = Number(value) >>> 0;
    switch (offset) {
      case TIME_HIGH:
        this.#high = word;
        return;
      case TIME_LOW:
        this.#epochNs += join(this.#high, word) - this.#now();
        break;
      case ALARM_HIGH:
        this.#alarmHigh = word;
        return;
      case ALARM_LOW:
        this.#alarmNs = join(this.#alarmHigh, word);
        break;
      case IRQ_ENABLED:
        this.#isEnabled = (word & 1) === 1;
        break;
      case CLEAR_ALARM:
        this.#alarmNs = undefined;
        break;
      case CLEAR_INTERRUPT:
        this.#isPending = false;
        break;
    }
    this.elapse();
  }

  saveState(out: StateWriter): void {
    out.u64(this.#epochNs).u32(this.#high).u32(this.#alarmHigh);
    out.flag(this.#alarmNs !== undefined).u64(this.#alarmNs ?? 0n);
    out.flag(this.#isEnabled).flag(this.#isPending);
  }

  loadState(from: StateReader): void {
    this.#epochNs = BigInt.asIntN(64, from.u64());
    this.#high = from.u32();
    this.#alarmHigh = from.u32();
    const hasAlarm = from.flag();
    const alarm = from.u64();
    this.#alarmNs = hasAlarm ? alarm : undefined;
    this.#isEnabled = from.flag();
    this.#isPending = from.flag();
    this.elapse();
  }

  #now(): bigint {
    const elapsed = BigInt(this.#clock.ticks) * BigInt(NANOSECONDS_PER_TICK);
    return BigInt.asUintN(64, this.#epochNs + elapsed);
  }
}

function join(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}
