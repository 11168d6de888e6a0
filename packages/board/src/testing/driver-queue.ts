import { RAM_BASE } from '../layout.ts';
import type { TestRam } from './test-ram.ts';

/** A buffer as a driver offers it: bytes for the device to read, or room for it to write. */
export type Buffer = Uint8Array | number;

interface Offered {
  readonly rooms: readonly { readonly address: number; readonly length: number }[];
}

export interface Returned {
  readonly head: number;
  readonly written: number;
  /** What the device wrote, `written` bytes. */
  readonly bytes: Uint8Array;
}

/** The driver's side of a split virtqueue, in a region of test RAM of its own. */
export class DriverQueue {
  readonly size: number;
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
  readonly #ram: TestRam;
  readonly #offered = new Map<number, Offered>();
  #dataAt: number;
  #nextDescriptor = 0;
  #nextAvailable = 0;
  #nextUsed = 0;

  /** @param at offset into RAM, a multiple of 4096 */
  constructor(ram: TestRam, at: number, size = 16) {
    this.#ram = ram;
    this.size = size;
    this.descriptors = RAM_BASE + at;
    this.available = this.descriptors + 16 * size;
    this.used = RAM_BASE + (((this.available - RAM_BASE + 6 + 2 * size + 3) >>> 2) << 2);
    this.#dataAt = at + 0x2000;
  }

  /** Begins anew, with empty rings. */
  restart(): void {
    const rings = this.available - RAM_BASE;
    this.#ram.memory.fill(0, rings, this.used - RAM_BASE + 6 + 8 * this.size);
    this.#nextDescriptor = 0;
    this.#nextAvailable = 0;
    this.#nextUsed = 0;
  }

  /** Makes a chain of the buffers available. @returns its head */
  add(...buffers: readonly Buffer[]): number {
    const head = this.#nextDescriptor % this.size;
    const rooms: { address: number; length: number }[] = [];
    buffers.forEach((buffer, i) => {
      const length = typeof buffer === 'number' ? buffer : buffer.length;
      const address = RAM_BASE + this.#dataAt;
      if (typeof buffer === 'number') rooms.push({ address, length });
      else this.#ram.memory.set(buffer, this.#dataAt);
      this.#dataAt += length;
      const index = this.#nextDescriptor % this.size;
      this.#nextDescriptor++;
      const isLast = i === buffers.length - 1;
      const flags = (isLast ? 0 : 1) | (typeof buffer === 'number' ? 2 : 0);
      this.describe(index, address, length, flags, (index + 1) % this.size);
    });
    this.#offered.set(head, { rooms });
    this.offer(head);
    return head;
  }

  /** Writes a descriptor, right or wrong. */
  describe(index: number, address: number, length: number, flags: number, next: number): void {
    const view = this.#ram.view();
    const at = this.descriptors - RAM_BASE + 16 * index;
    view.setBigUint64(at, BigInt(address), true);
    view.setUint32(at + 8, length, true);
    view.setUint16(at + 12, flags, true);
    view.setUint16(at + 14, next, true);
  }

  /** Puts a head, right or wrong, into the available ring. */
  offer(head: number): void {
    const view = this.#ram.view();
    const at = this.available - RAM_BASE;
    view.setUint16(at + 4 + 2 * (this.#nextAvailable % this.size), head, true);
    this.#nextAvailable = (this.#nextAvailable + 1) & 0xffff;
    view.setUint16(at + 2, this.#nextAvailable, true);
  }

  /** Chains that came back since the last call. */
  takeUsed(): Returned[] {
    const view = this.#ram.view();
    const at = this.used - RAM_BASE;
    const returned: Returned[] = [];
    while (this.#nextUsed !== view.getUint16(at + 2, true)) {
      const slot = at + 4 + 8 * (this.#nextUsed % this.size);
      const head = view.getUint32(slot, true);
      const written = view.getUint32(slot + 4, true);
      this.#nextUsed = (this.#nextUsed + 1) & 0xffff;
      returned.push({ head, written, bytes: this.#gather(head, written) });
    }
    return returned;
  }

  #gather(head: number, written: number): Uint8Array {
    const out = new Uint8Array(written);
    let done = 0;
    for (const { address, length } of this.#offered.get(head)?.rooms ?? []) {
      const count = Math.min(length, written - done);
      out.set(this.#ram.bytes(address, count)!, done);
      done += count;
    }
    return out;
  }
}
