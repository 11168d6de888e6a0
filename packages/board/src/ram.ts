import type { GuestMemory } from '@polyvisor/memory/guest-memory';
import type { GuestRam } from './device.ts';

/** The guest's memory as RAM at a physical address. */
export class Ram implements GuestRam {
  readonly base: number;
  readonly byteLength: number;
  /** Told of what devices write. */
  onWritten: (address: number, length: number) => void = () => {};
  readonly #bytes: Uint8Array;

  constructor(memory: GuestMemory, base: number) {
    this.base = base;
    this.byteLength = memory.byteLength;
    // The memory never grows, so the view stays good.
    this.#bytes = memory.bytes();
  }

  bytes(address: number, length: number): Uint8Array | undefined {
    const at = address - this.base;
    if (at < 0 || length < 0 || at + length > this.byteLength) return undefined;
    return this.#bytes.subarray(at, at + length);
  }

  written(address: number, length: number): void {
    this.onWritten(address, length);
  }
}
