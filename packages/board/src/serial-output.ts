/** Bytes that a guest wrote and nobody took yet. */
export const SERIAL_OUTPUT_BYTES_MAX = 2 ** 20;

export class SerialOutput {
  readonly #bytesMax: number;
  #bytes = new Uint8Array(4096);
  #length = 0;

  /**
   * @param bytesMax from where on it says that it is full; what is written then is kept all the
   * same
   */
  constructor(bytesMax = SERIAL_OUTPUT_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  get isFull(): boolean {
    return this.#length >= this.#bytesMax;
  }

  write(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }
}
