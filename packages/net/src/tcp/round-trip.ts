/**
 * How long to wait for an acknowledgment before sending again.
 * @see RFC 6298
 */
export class RoundTrip {
  readonly #minMs: number;
  readonly #maxMs: number;
  #smoothedMs: number | undefined;
  #variationMs = 0;
  #timeoutMs: number;

  constructor(limits: {
    readonly initialMs: number;
    readonly minMs: number;
    readonly maxMs: number;
  }) {
    this.#minMs = limits.minMs;
    this.#maxMs = limits.maxMs;
    this.#timeoutMs = limits.initialMs;
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** The time that an answer took to something sent only once. */
  measured(ms: number): void {
    if (this.#smoothedMs === undefined) {
      this.#smoothedMs = ms;
      this.#variationMs = ms / 2;
    } else {
      this.#variationMs = 0.75 * this.#variationMs + 0.25 * Math.abs(this.#smoothedMs - ms);
      this.#smoothedMs = 0.875 * this.#smoothedMs + 0.125 * ms;
    }
    const timeoutMs = this.#smoothedMs + Math.max(1, 4 * this.#variationMs);
    this.#timeoutMs = Math.min(this.#maxMs, Math.max(this.#minMs, timeoutMs));
  }

  /** No answer in time: the next wait is twice as long. */
  backOff(): void {
    this.#timeoutMs = Math.min(this.#maxMs, this.#timeoutMs * 2);
  }
}
