import { assert } from '@polyvisor/errors/assert';
import type { GuestRam } from '../device.ts';

/** A piece of guest memory that was found to be RAM. */
export interface Segment {
  readonly address: number;
  readonly length: number;
}

/**
 * A buffer of the driver: bytes for the device to read, then room for it to write, each in pieces.
 */
export class DescriptorChain {
  /** Number of its first descriptor, by which the driver knows it. */
  readonly head: number;
  readonly #ram: GuestRam;
  readonly #readable: Cursor;
  readonly #writable: Cursor;
  #written = 0;

  constructor(
    ram: GuestRam,
    head: number,
    readable: readonly Segment[],
    writable: readonly Segment[],
  ) {
    this.#ram = ram;
    this.head = head;
    this.#readable = new Cursor(readable);
    this.#writable = new Cursor(writable);
  }

  /** Bytes not read yet. */
  get readableBytes(): number {
    return this.#readable.left;
  }

  /** Room not written yet. */
  get writableBytes(): number {
    return this.#writable.left;
  }

  get writtenBytes(): number {
    return this.#written;
  }

  /** The next bytes, a copy; fewer at the end of the chain. */
  read(lengthMax: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(Math.min(lengthMax, this.#readable.left));
    this.readInto(out);
    return out;
  }

  /** Fills `out`, of at most `readableBytes`. */
  readInto(out: Uint8Array): void {
    this.#readable.take(out.length, (address, length, at) => {
      out.set(this.#ram.bytes(address, length)!, at);
    });
  }

  /** As many bytes as there is room for. @returns how many */
  write(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.#writable.left);
    this.#writable.take(count, (address, length, at) => {
      this.#ram.bytes(address, length)!.set(bytes.subarray(at, at + length));
      this.#ram.written(address, length);
    });
    this.#written += count;
    return count;
  }

  /** The next `length` bytes of room are zeros. @param length at most `writableBytes` */
  writeZeros(length: number): void {
    this.#writable.take(length, (address, count) => {
      this.#ram.bytes(address, count)!.fill(0);
      this.#ram.written(address, count);
    });
    this.#written += length;
  }
}

/** Where a reader or writer stands in a list of segments. */
class Cursor {
  readonly #segments: readonly Segment[];
  #index = 0;
  #offset = 0;
  left = 0;

  constructor(segments: readonly Segment[]) {
    this.#segments = segments;
    for (const { length } of segments) this.left += length;
  }

  /**
   * Gives the next `length` bytes to `use`, a piece at a time, each with how many bytes came before it.
   * @param length at most `left`
   */
  take(length: number, use: (address: number, length: number, at: number) => void): void {
    assert(length <= this.left, 'no more is taken than there is');
    for (let at = 0; at < length;) {
      const segment = this.#segments[this.#index]!;
      const count = Math.min(length - at, segment.length - this.#offset);
      use(segment.address + this.#offset, count, at);
      this.#offset += count;
      if (this.#offset === segment.length) {
        this.#index++;
        this.#offset = 0;
      }
      this.left -= count;
      at += count;
    }
  }
}
