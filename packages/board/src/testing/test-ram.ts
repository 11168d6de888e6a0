import type { GuestRam } from '../device.ts';
import { RAM_BASE } from '../layout.ts';

/** RAM without a machine around it. */
export class TestRam implements GuestRam {
  readonly base = RAM_BASE;
  readonly memory: Uint8Array;
  /** What devices wrote, as they reported it. */
  readonly writes: { address: number; length: number }[] = [];

  constructor(byteLength = 0x10_0000) {
    this.memory = new Uint8Array(byteLength);
  }

  get byteLength(): number {
    return this.memory.length;
  }

  bytes(address: number, length: number): Uint8Array | undefined {
    const at = address - RAM_BASE;
    if (at < 0 || length < 0 || at + length > this.memory.length) return undefined;
    return this.memory.subarray(at, at + length);
  }

  written(address: number, length: number): void {
    this.writes.push({ address, length });
  }

  view(): DataView {
    return new DataView(this.memory.buffer);
  }
}
