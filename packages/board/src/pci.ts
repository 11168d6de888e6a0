import type { InterruptLine, MmioDevice } from './device.ts';
import { PCI_ECAM_BYTES } from './layout.ts';

/** A function on the bus, of which bus 0 has up to 32 (one a slot). */
export interface PciFunction {
  /** An unsigned value; `size` bytes at an offset below 4096 that is a multiple of `size`. */
  readConfig(offset: number, size: 1 | 2 | 4): number;
  writeConfig(offset: number, size: 1 | 2 | 4, value: number): void;
  /** Where its registers answer; undefined while the driver has them switched off. */
  readonly window: { readonly base: number; readonly size: number } | undefined;
  readonly registers: MmioDevice;
}

/**
 * Pins that the bus leads to the interrupt controller.
 * @see PCI Local Bus Specification 3.0, section 2.2.6
 */
export const PCI_PINS = 4;
export const PCI_SLOTS = 32;
/** A pin, as configuration space numbers them. */
export const PCI_INTA = 1;

/** Which of the bus's wires a slot's pin (1: INTA) is: they are swizzled, as on a board. */
export function pciWire(slot: number, pin: number): number {
  return (slot + pin - 1) % PCI_PINS;
}

/** Memory addresses that the guest hands out to its functions. */
export interface PciWindow {
  readonly base: number;
  readonly size: number;
}

/**
 * A host bridge of one bus: configuration space at fixed addresses (ECAM), and the functions'
 * registers where the guest put them.
 * @see PCI Express Base Specification 5.0, section 7.2.2, "PCI Express Enhanced Configuration
 * Access Mechanism"
 */
export class PciHost {
  readonly #functions: (PciFunction | undefined)[] = [];
  readonly ecam: MmioDevice;
  readonly memory: MmioDevice;

  constructor(window: PciWindow) {
    // A bus has 32 slots of 8 functions of 4096 bytes.
    this.ecam = {
      size: PCI_ECAM_BYTES,
      load: (offset, size) => this.#readConfig(offset, size),
      store: (offset, size, value) => this.#writeConfig(offset, size, value),
    };
    this.memory = {
      size: window.size,
      load: (offset, size) => {
        const hit = this.#find(window.base + offset, size);
        return hit ? hit.registers.load(hit.offset, size) : allOnes(size);
      },
      store: (offset, size, value) => {
        const hit = this.#find(window.base + offset, size);
        hit?.registers.store(hit.offset, size, value);
      },
    };
  }

  plug(slot: number, pciFunction: PciFunction): void {
    this.#functions[slot] = pciFunction;
  }

  #find(address: number, size: number): { registers: MmioDevice; offset: number } | undefined {
    for (const pciFunction of this.#functions) {
      const window = pciFunction?.window;
      if (!window || address < window.base || address + size > window.base + window.size) continue;
      return { registers: pciFunction!.registers, offset: address - window.base };
    }
    return undefined;
  }

  #readConfig(offset: number, size: 1 | 2 | 4 | 8): number | bigint {
    const pciFunction = this.#functionAt(offset);
    // Nobody there: all ones, by which a driver knows (section 2.3.2).
    if (!pciFunction || size === 8 || offset % size !== 0) return allOnes(size);
    return pciFunction.readConfig(offset & 0xfff, size);
  }

  #writeConfig(offset: number, size: 1 | 2 | 4 | 8, value: number | bigint): void {
    if (size === 8 || offset % size !== 0) return;
    this.#functionAt(offset)?.writeConfig(offset & 0xfff, size, Number(value) >>> 0);
  }

  #functionAt(offset: number): PciFunction | undefined {
    return (offset & 0x7000) === 0 ? this.#functions[offset >>> 15] : undefined;
  }
}

function allOnes(size: 1 | 2 | 4 | 8): number | bigint {
  return size === 8 ? 2n ** 64n - 1n : 2 ** (8 * size) - 1;
}

/** One wire that several devices pull: high while any of them does. */
export function sharedLine(line: InterruptLine): () => InterruptLine {
  const levels: boolean[] = [];
  return () => {
    const index = levels.push(false) - 1;
    return (isHigh) => {
      levels[index] = isHigh;
      line(levels.includes(true));
    };
  };
}
