import { assert } from '@polyvisor/errors/assert';
import type { MmioDevice } from './device.ts';

interface Window {
  readonly base: number;
  readonly end: number;
  readonly device: MmioDevice;
}

/** Physical addresses outside RAM: which device answers where. */
export class Bus {
  readonly #windows: Window[] = [];
  /** Drivers speak to one device many times in a row. */
  #last: Window | undefined;

  attach(base: number, device: MmioDevice): void {
    const end = base + device.size;
    const overlaps = this.#windows.some((window) => base < window.end && window.base < end);
    assert(!overlaps, 'two devices have no address in common');
    this.#windows.push({ base, end, device });
  }

  /** undefined: nobody answers, which the processor reports as an access fault. */
  load(address: number, size: 1 | 2 | 4 | 8): number | bigint | undefined {
    const window = this.#windowOf(address, size);
    return window?.device.load(address - window.base, size);
  }

  /** False: nobody answers. */
  store(address: number, size: 1 | 2 | 4 | 8, value: number | bigint): boolean {
    const window = this.#windowOf(address, size);
    window?.device.store(address - window.base, size, value);
    return window !== undefined;
  }

  #windowOf(address: number, size: number): Window | undefined {
    const last = this.#last;
    if (last && address >= last.base && address + size <= last.end) return last;
    return (this.#last = this.#windows.find(
      (window) => address >= window.base && address + size <= window.end,
    ));
  }
}
