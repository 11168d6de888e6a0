import { WasmError } from './wasm-error.ts';

/** Reads numbers and names of the binary format. @throws WasmError `malformed` behind the end and for bad encodings */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  /** Reads [at, end) of the bytes, and reports offsets in all of them. */
  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.at === this.end;
  }

  u8(): number {
    if (this.at >= this.end) throw this.malformed('bytes end too early');
    return this.bytes[this.at++]!;
  }

  /** A view of the next bytes. */
  take(size: number): Uint8Array {
    if (size > this.end - this.at) throw this.malformed('bytes end too early');
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  /** A reader of the next bytes. */
  part(size: number): ByteReader {
    const start = this.at;
    this.take(size);
    return new ByteReader(this.bytes, start, this.at);
  }

  /** Unsigned LEB128 of an integer in [0, 2^32), in at most five bytes. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const last = this.u8();
    if (last > 0x0f) throw this.malformed('a number of more than 32 bits');
    return (value | (last << 28)) >>> 0;
  }

  s32(): number {
    return this.#signed(32);
  }

  /** A block type or heap type: an index, or a negative number for a type of one byte. */
  s33(): number {
    return this.#signed(33);
  }

  s64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 63n; shift += 7n) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(Number(shift) + 7, value);
    }
    const last = this.u8();
    if (last !== 0 && last !== 0x7f) throw this.malformed('a number of more than 64 bits');
    return BigInt.asIntN(64, value | (BigInt(last) << 63n));
  }

  /** A string with its length in front. */
  name(bytesMax: number): string {
    const size = this.u32();
    if (size > bytesMax) throw new WasmError('limit', `a name of ${size} bytes`, this.at);
    const bytes = this.take(size);
    try {
      return utf8.decode(bytes);
    } catch {
      throw this.malformed('a name that is no UTF-8');
    }
  }

  malformed(message: string): WasmError {
    return new WasmError('malformed', message, this.at);
  }

  /** A number of more than 28 and less than 36 bits: five bytes at most. */
  #signed(bits: number): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value << (25 - shift)) >> (25 - shift);
    }
    const last = this.u8();
    // All bits from the number's highest on repeat the sign.
    const signs = last >> (bits - 29);
    if (signs !== 0 && signs !== 0x7f >> (bits - 29)) {
      throw this.malformed(`a number of more than ${bits} bits`);
    }
    return value + (signs === 0 ? last : last - 0x80) * 2 ** 28;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
