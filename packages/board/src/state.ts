import { HostError } from '@polyvisor/errors/host-error';
import { bytesToUtf8, utf8ToBytes } from '@polyvisor/bytes/bytes';

/** What keeps state that a snapshot holds. Both sides name the same fields in the same order. */
export interface Stateful {
  saveState(out: StateWriter): void;
  /** @throws HostError `machine-state` where the bytes can't have come from `saveState` */
  loadState(from: StateReader): void;
}

/**
 * State as bytes, little-endian:
 *
 *     section   u32 length of the name · name · u32 version · u32 length of the body · body
 *     bytes     u32 length · the bytes
 */
export class StateWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  flag(value: boolean): this {
    return this.u32(value ? 1 : 0);
  }

  u32(value: number): this {
    const at = this.#take(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  u64(value: bigint): this {
    const at = this.#take(8);
    this.#view.setBigUint64(at, value, true);
    return this;
  }

  /** An integer up to 2^53, or Infinity: ticks, addresses, offsets. */
  number(value: number): this {
    const at = this.#take(8);
    this.#view.setFloat64(at, value, true);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.u32(value.length);
    const at = this.#take(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  text(value: string): this {
    return this.bytes(utf8ToBytes(value));
  }

  words(value: Uint32Array): this {
    this.u32(value.length);
    for (const word of value) this.u32(word);
    return this;
  }

  section(name: string, version: number, write: (out: StateWriter) => void): this {
    this.text(name).u32(version);
    const at = this.#take(4);
    write(this);
    this.#view.setUint32(at, this.#length - at - 4, true);
    return this;
  }

  #take(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

/** Reads what a `StateWriter` wrote; everything is checked, for the bytes come from a file. */
export class StateReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#end = bytes.length;
  }

  /** @throws HostError where there are more bytes */
  expectEnd(what = 'the state'): void {
    if (this.#at !== this.#end) throw badState(`has more in ${what} than is due`);
  }

  flag(): boolean {
    const value = this.u32();
    if (value > 1) throw badState(`has ${value} for a flag`);
    return value === 1;
  }

  /** @param max the largest value that can be */
  u32(max = 0xffff_ffff): number {
    const value = this.#view.getUint32(this.#take(4), true);
    if (value > max) throw badState(`has ${value} where at most ${max} can be`);
    return value;
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  number(): number {
    const value = this.#view.getFloat64(this.#take(8), true);
    if (value !== Infinity && !(Number.isSafeInteger(value) && value >= 0)) {
      throw badState(`has ${value} for a count`);
    }
    return value;
  }

  /** A copy. @param max the longest that can be */
  bytes(max = this.#end - this.#at): Uint8Array<ArrayBuffer> {
    const length = this.u32(max);
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length) as Uint8Array<ArrayBuffer>;
  }

  text(): string {
    return bytesToUtf8(this.bytes());
  }

  /** Fills an array of the length that was written. */
  words(into: Uint32Array): void {
    const length = this.u32();
    if (length !== into.length) throw badState(`has ${length} words where ${into.length} are due`);
    for (let i = 0; i < length; i++) into[i] = this.u32();
  }

  /**
   * @throws HostError unless the next section has this name and version and `read` reads all of it
   */
  section(name: string, version: number, read: (from: StateReader) => void): void {
    const found = this.text();
    if (found !== name) throw badState(`has '${found}' where '${name}' is due`);
    const foundVersion = this.u32();
    if (foundVersion !== version) {
      throw badState(`has version ${foundVersion} of '${name}', and not ${version}`);
    }
    const length = this.u32(this.#end - this.#at);
    const outerEnd = this.#end;
    this.#end = this.#at + length;
    read(this);
    this.expectEnd(`'${name}'`);
    this.#end = outerEnd;
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#end) throw badState('ends too early');
    this.#at = at + count;
    return at;
  }
}

export function badState(why: string): HostError {
  return new HostError('machine-state', `the machine's saved state ${why}`, 'take it anew');
}
