/** Bytes on their way into a device, which takes them as it has room. */
export class InputQueue {
  readonly #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** Bytes that wait. */
  get byteLength(): number {
    return this.#bytes;
  }

  /** Keeps the bytes, which must not change any more. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
  }

  /** @param receive takes some of the bytes and says how many */
  feed(receive: (bytes: Uint8Array) => number): void {
    while (this.#pieces.length > 0) {
      const first = this.#pieces[0]!;
      const taken = receive(first);
      this.#bytes -= taken;
      if (taken < first.length) {
        this.#pieces[0] = first.subarray(taken);
        return;
      }
      this.#pieces.shift();
    }
  }

  clear(): void {
    this.#pieces.length = 0;
    this.#bytes = 0;
  }
}
