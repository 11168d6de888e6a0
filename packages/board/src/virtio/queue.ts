import type { GuestRam } from '../device.ts';
import type { StateReader, StateWriter, Stateful } from '../state.ts';
import { DescriptorChain, type Segment } from './chain.ts';

/** Largest size that a device here gives a queue. */
export const QUEUE_SIZE_MAX = 256;

const DESCRIPTOR_BYTES = 16;
const FLAG_NEXT = 1;
const FLAG_WRITE = 2;
const FLAG_INDIRECT = 4;
const AVAILABLE_NO_INTERRUPT = 1;

/** Descriptors of an indirect table, beyond which no driver goes. */
export const INDIRECT_MAX = 1024;

/**
 * Bytes of a chain, read and written together: more than drivers ask for, and served in a fraction
 * of a second.
 */
export const CHAIN_BYTES_MAX = 2 ** 24;

/**
 * A split virtqueue: three tables in guest memory, which the driver may fill with anything. What
 * the specification forbids makes the queue `broken`, for good, until the device is reset; it never
 * throws.
 *
 *     descriptor   u64 address · u32 length · u16 flags · u16 next
 *     available    u16 flags · u16 index · u16 head[size] · u16 used_event
 *     used         u16 flags · u16 index · { u32 head · u32 written }[size] · u16 avail_event
 *
 * @see Virtual I/O Device (VIRTIO) 1.2, section 2.7
 */
export class Virtqueue implements Stateful {
  readonly sizeMax: number;
  readonly #ram: GuestRam;
  /** Called when a queue turns out to be malformed. */
  readonly #onBroken: () => void;
  size: number;
  descriptors = 0;
  available = 0;
  used = 0;
  isReady = false;
  hasEventIndex = false;
  isBroken = false;
  /** Where the device stands in the two rings, modulo 2^16. */
  #nextAvailable = 0;
  #nextUsed = 0;
  /** `#nextUsed` at the last decision about an interrupt. */
  #signalledUsed = 0;

  constructor(ram: GuestRam, sizeMax: number, onBroken: () => void) {
    this.#ram = ram;
    this.sizeMax = sizeMax;
    this.size = sizeMax;
    this.#onBroken = onBroken;
  }

  reset(): void {
    this.size = this.sizeMax;
    this.descriptors = 0;
    this.available = 0;
    this.used = 0;
    this.isReady = false;
    this.hasEventIndex = false;
    this.isBroken = false;
    this.#nextAvailable = 0;
    this.#nextUsed = 0;
    this.#signalledUsed = 0;
  }

  /**
   * The driver says that its tables are in place. What they are is checked here, so that they are
   * RAM later on.
   */
  enable(hasEventIndex: boolean): void {
    this.isReady = true;
    this.hasEventIndex = hasEventIndex;
    const { size } = this;
    const isSizeGood = size >= 1 && size <= this.sizeMax && (size & (size - 1)) === 0;
    const areAligned =
      this.descriptors % 16 === 0 && this.available % 2 === 0 && this.used % 4 === 0;
    const areInRam =
      this.#ram.bytes(this.descriptors, size * DESCRIPTOR_BYTES) !== undefined &&
      this.#ram.bytes(this.available, 6 + 2 * size) !== undefined &&
      this.#ram.bytes(this.used, 6 + 8 * size) !== undefined;
    if (!isSizeGood || !areAligned || !areInRam) this.#break();
  }

  /**
   * The next chain that the driver made available; undefined if there is none, or if the queue is
   * broken.
   */
  pop(): DescriptorChain | undefined {
    if (!this.isReady || this.isBroken) return undefined;
    const waiting = (this.#u16(this.available + 2) - this.#nextAvailable) & 0xffff;
    if (waiting > this.size) return this.#break();
    if (waiting === 0) return undefined;
    const slot = this.#nextAvailable & (this.size - 1);
    const head = this.#u16(this.available + 4 + 2 * slot);
    this.#nextAvailable = (this.#nextAvailable + 1) & 0xffff;
    // "Kick me when you go beyond what I have seen": avail_event, section 2.7.10.
    if (this.hasEventIndex) this.#setU16(this.used + 4 + 8 * this.size, this.#nextAvailable);
    return this.#chain(head);
  }

  /** Gives a chain back to the driver. */
  push(chain: DescriptorChain): void {
    if (!this.isReady || this.isBroken) return;
    const at = this.used + 4 + 8 * (this.#nextUsed & (this.size - 1));
    this.#setU32(at, chain.head);
    this.#setU32(at + 4, chain.writtenBytes);
    this.#nextUsed = (this.#nextUsed + 1) & 0xffff;
    this.#setU16(this.used + 2, this.#nextUsed);
  }

  /**
   * Whether the driver wants an interrupt for what was pushed since the last call (sections 2.7.7,
   * 2.7.10).
   */
  takeSignal(): boolean {
    if (!this.isReady || this.isBroken) return false;
    const before = this.#signalledUsed;
    const now = this.#nextUsed;
    this.#signalledUsed = now;
    if (before === now) return false;
    if (!this.hasEventIndex) return (this.#u16(this.available) & AVAILABLE_NO_INTERRUPT) === 0;
    const event = this.#u16(this.available + 4 + 2 * this.size);
    return ((now - event - 1) & 0xffff) < ((now - before) & 0xffff);
  }

  saveState(out: StateWriter): void {
    out.u32(this.size).number(this.descriptors).number(this.available).number(this.used);
    out.flag(this.isReady).flag(this.hasEventIndex).flag(this.isBroken);
    out.u32(this.#nextAvailable).u32(this.#nextUsed).u32(this.#signalledUsed);
  }

  loadState(from: StateReader): void {
    this.size = from.u32(0xffff);
    this.descriptors = from.number();
    this.available = from.number();
    this.used = from.number();
    const isReady = from.flag();
    const hasEventIndex = from.flag();
    const isBroken = from.flag();
    this.#nextAvailable = from.u32(0xffff);
    this.#nextUsed = from.u32(0xffff);
    this.#signalledUsed = from.u32(0xffff);
    this.isReady = false;
    this.isBroken = isBroken;
    this.hasEventIndex = hasEventIndex;
    if (isReady) this.enable(hasEventIndex);
  }

  /** Walks a chain; every segment of it is RAM. */
  #chain(head: number): DescriptorChain | undefined {
    const readable: Segment[] = [];
    const writable: Segment[] = [];
    let table = this.#view(this.descriptors, this.size * DESCRIPTOR_BYTES);
    let count = this.size;
    let isIndirect = false;
    let index = head;
    let total = 0;
    for (let steps = 0; ; steps++) {
      // A chain has no more descriptors than its table, so one that goes on is a loop.
      if (index >= count || steps >= count) return this.#break();
      const at = index * DESCRIPTOR_BYTES;
      const address = table.getUint32(at, true) + table.getUint32(at + 4, true) * 2 ** 32;
      const length = table.getUint32(at + 8, true);
      const flags = table.getUint16(at + 12, true);
      const next = table.getUint16(at + 14, true);
      if ((flags & FLAG_INDIRECT) !== 0) {
        // Not inside another one, not followed by anything (section 2.7.5.3.1).
        const isGood =
          !isIndirect &&
          (flags & FLAG_NEXT) === 0 &&
          length > 0 &&
          length % DESCRIPTOR_BYTES === 0 &&
          length <= INDIRECT_MAX * DESCRIPTOR_BYTES &&
          this.#isRam(address, length);
        if (!isGood) return this.#break();
        isIndirect = true;
        table = this.#view(address, length);
        count = length / DESCRIPTOR_BYTES;
        index = 0;
        steps = -1;
        continue;
      }
      if (length > 0 && !this.#isRam(address, length)) return this.#break();
      total += length;
      if (total > CHAIN_BYTES_MAX) return this.#break();
      const isWritable = (flags & FLAG_WRITE) !== 0;
      // What the device reads comes before what it writes (section 2.7.4.2).
      if (!isWritable && writable.length > 0) return this.#break();
      if (length > 0) (isWritable ? writable : readable).push({ address, length });
      if ((flags & FLAG_NEXT) === 0) break;
      index = next;
    }
    return new DescriptorChain(this.#ram, head, readable, writable);
  }

  /** Asked for so often that a view of the bytes would be too much. */
  #isRam(address: number, length: number): boolean {
    const at = address - this.#ram.base;
    return at >= 0 && at + length <= this.#ram.byteLength;
  }

  #break(): undefined {
    this.isBroken = true;
    this.#onBroken();
  }

  /** Of a table that `enable` or `#chain` found to be RAM. */
  #view(address: number, length: number): DataView {
    const bytes = this.#ram.bytes(address, length)!;
    return new DataView(bytes.buffer, bytes.byteOffset, length);
  }

  #u16(address: number): number {
    return this.#view(address, 2).getUint16(0, true);
  }

  #setU16(address: number, value: number): void {
    this.#view(address, 2).setUint16(0, value, true);
    this.#ram.written(address, 2);
  }

  #setU32(address: number, value: number): void {
    this.#view(address, 4).setUint32(0, value, true);
    this.#ram.written(address, 4);
  }
}
