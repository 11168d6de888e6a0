const encoder = new TextEncoder();

/** An append-only byte buffer that doubles when full: the writer's only allocation. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** The bytes so far: a view that the next write may leave behind. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  u8(value: number): this {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  bytes(values: ArrayLike<number>): this {
    if (this.#length + values.length > this.#bytes.length) this.#grow(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
    return this;
  }

  /** Unsigned LEB128 of an integer in [0, 2^32). */
  u32(value: number): this {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.u8(rest);
  }

  /** Signed LEB128 of a 32-bit integer. */
  s32(value: number): this {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && !(low & 0x40)) || (rest === -1 && low & 0x40)) return this.u8(low);
      this.u8(low | 0x80);
    }
  }

  /** Signed LEB128 of the low 64 bits of `value`. */
  s64(value: bigint): this {
    let rest = BigInt.asIntN(64, value);
    if (rest >= -0x8000_0000n && rest < 0x8000_0000n) return this.s32(Number(rest));
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && !(low & 0x40)) || (rest === -1n && low & 0x40)) return this.u8(low);
      this.u8(low | 0x80);
    }
  }

  /** A UTF-8 name with its length in front. */
  name(text: string): this {
    const encoded = encoder.encode(text);
    return this.u32(encoded.length).bytes(encoded);
  }

  #grow(need: number): void {
    const next = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + need));
    next.set(this.view());
    this.#bytes = next;
  }
}
