import type { HartOptions, MmioBus } from '../contract.ts';
import { Hart } from '../hart.ts';
import { type Instruction, isCompressed } from '../table/decoder.ts';
import type { Operands } from '../table/row.ts';
import { encode } from './words.ts';

export const RAM_BASE = 0x8000_0000;
export const RAM_BYTES = 0x4_0000;

/** An instruction by its name, or a word as it is. */
export type Line = readonly [name: string, operands?: Partial<Operands>] | number;

/** A hart in M mode, or S mode where the SBI is outside, with a program at the start of RAM. */
export class SmallHart {
  readonly hart: Hart;
  readonly ram: Uint8Array;
  /** What went to devices. */
  readonly log: string[] = [];
  /** What the clock shows; without it, the steps. */
  time: number | undefined;

  constructor(program: readonly Line[], options: Partial<HartOptions> = {}) {
    const { memory = new WebAssembly.Memory({ initial: RAM_BYTES / 65_536 }), from } = options;
    this.ram = new Uint8Array(memory.buffer);
    this.hart = new Hart({
      memory,
      ramBase: RAM_BASE,
      ramBytes: RAM_BYTES,
      bus: this.#bus(),
      clock: (steps) => this.time ?? steps,
      codePagesMax: 8,
      ...options,
    });
    if (from) return;
    this.put(RAM_BASE, program);
    this.hart.pc = BigInt(RAM_BASE);
  }

  /** One that goes on from here with memory of its own. */
  fork(): SmallHart {
    using from = this.hart.snapshot();
    const memory = new WebAssembly.Memory({ initial: RAM_BYTES / 65_536 });
    new Uint8Array(memory.buffer).set(this.ram);
    const fork = new SmallHart([], { memory, from });
    fork.hart.goBack(this.hart.save(), []);
    fork.time = this.time;
    return fork;
  }

  /** Writes a program. @returns the address behind it */
  put(address: number, program: readonly Line[]): number {
    let at = address - RAM_BASE;
    for (const line of program) {
      const word = typeof line === 'number' ? line : encode(line[0], line[1]);
      const length: Instruction['length'] = isCompressed(word) ? 2 : 4;
      for (let i = 0; i < length; i++) this.ram[at++] = word >>> (8 * i);
    }
    return at + RAM_BASE;
  }

  /** What is there after so many steps, in runs of at most `slice`. */
  stateAfter(
    steps: number,
    slice: number,
  ): { readonly state: Uint8Array; readonly ram: Uint8Array } {
    for (let left = steps; left > 0;) left -= this.hart.run(Math.min(left, slice)).used;
    return { state: this.hart.save(), ram: this.ram };
  }

  putLong(address: number, value: bigint): void {
    new DataView(this.ram.buffer).setBigUint64(address - RAM_BASE, value, true);
  }

  long(address: number): bigint {
    return new DataView(this.ram.buffer).getBigUint64(address - RAM_BASE, true);
  }

  /** A device at 0x1000_0000 that holds its own offset in each byte; the last page of the window stops the hart. */
  #bus(): MmioBus {
    return {
      load: (address, size) => {
        if (address < 0x1000_0000 || address >= 0x1001_0000) return undefined;
        this.log.push(`load ${size} ${address.toString(16)}`);
        return size === 8 ? 0x8877_6655_4433_2211n : 0x8899_aabb >>> (32 - 8 * size);
      },
      store: (address, size, value) => {
        if (address < 0x1000_0000 || address >= 0x1001_0000) return false;
        this.log.push(`store ${size} ${address.toString(16)} ${value.toString(16)}`);
        if (address >= 0x1000_f000) this.hart.stop();
        return true;
      },
    };
  }
}
