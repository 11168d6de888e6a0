/**
 * A device as the bus sees it: registers in a window of physical addresses. Devices are pure:
 * memory, interrupts, time and the outside world come through what they are made with, so they run
 * without a processor in tests.
 */
export interface MmioDevice {
  /** Bytes of its window. */
  readonly size: number;
  /**
   * @param size bytes: 1, 2, 4 or 8.
   * @returns an unsigned value; 8 bytes as a bigint only where `size` is 8
   */
  load(offset: number, size: 1 | 2 | 4 | 8): number | bigint;
  store(offset: number, size: 1 | 2 | 4 | 8, value: number | bigint): void;
}

/** The guest's physical memory, as devices that master the bus see it. */
export interface GuestRam {
  /** Physical address of the first byte. */
  readonly base: number;
  readonly byteLength: number;
  /**
   * `length` bytes at a physical address; undefined where they are not all RAM. Valid until the
   * next call.
   */
  bytes(address: number, length: number): Uint8Array | undefined;
  /** Tells whoever caches translated code or page states that a device wrote there. */
  written(address: number, length: number): void;
}

/** A line to the interrupt controller: a level, kept until changed. */
export type InterruptLine = (isHigh: boolean) => void;

/** The machine's time, as devices see it: it never goes back. */
export interface Clock {
  /** Ticks since the machine was made: an integer, `TICKS_PER_SECOND` of them a second. */
  readonly ticks: number;
}

/** What the device tree says as `timebase-frequency`: a tick is 100 ns. */
export const TICKS_PER_SECOND = 10_000_000;
export const NANOSECONDS_PER_TICK = 100;

/** A device that does something by itself when its time comes. */
export interface Timed {
  /** Ticks at which it wants `elapse` to be called; Infinity if never. */
  readonly wakesAt: number;
  /** Brings its lines up to the clock. */
  elapse(): void;
}
