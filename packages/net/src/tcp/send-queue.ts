/** Bytes in the order they were written, read from any offset, and dropped from the front. */
export class SendQueue {
  readonly #chunks: Uint8Array[] = [];
  /** Bytes of the first chunk that were dropped. */
  #skipped = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Keeps the bytes: the caller doesn't change them. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }

  drop(count: number): void {
    this.#length -= count;
    let skipped = this.#skipped + count;
    let done = 0;
    while (done < this.#chunks.length && skipped >= this.#chunks[done]!.length) {
      skipped -= this.#chunks[done]!.length;
      done++;
    }
    this.#chunks.splice(0, done);
    this.#skipped = skipped;
  }

  /** `count` bytes from `offset` on, which have to be there. */
  peek(offset: number, count: number): Uint8Array {
    let at = offset + this.#skipped;
    let index = 0;
    while (this.#chunks[index] !== undefined && at >= this.#chunks[index]!.length) {
      at -= this.#chunks[index]!.length;
      index++;
    }
    const first = this.#chunks[index]?.subarray(at, at + count) ?? new Uint8Array(0);
    if (first.length === count) return first;
    const out = new Uint8Array(count);
    let filled = 0;
    for (; filled < count; index++) {
      const part = this.#chunks[index]!.subarray(at, at + count - filled);
      out.set(part, filled);
      filled += part.length;
      at = 0;
    }
    return out;
  }
}
