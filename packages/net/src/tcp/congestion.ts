/** What the sender may have underway: slow start, congestion avoidance, fast recovery. @see RFC 5681, RFC 6582 */
export class Congestion {
  readonly #mss: number;
  /** Bytes that may be underway; it grows by fractions. */
  #window: number;
  #threshold = Infinity;
  #duplicates = 0;
  #isRecovering = false;

  constructor(mss: number) {
    this.#mss = mss;
    this.#window = INITIAL_SEGMENTS * mss;
  }

  get window(): number {
    return Math.floor(this.#window);
  }

  get isRecovering(): boolean {
    return this.#isRecovering;
  }

  /** `count` bytes were acknowledged, and were not in recovery, or it ended with them. */
  acknowledged(count: number): void {
    this.#duplicates = 0;
    if (this.#isRecovering) {
      this.#isRecovering = false;
      this.#window = this.#threshold;
      return;
    }
    const isSlowStart = this.#window < this.#threshold;
    const growth = isSlowStart ? count : (this.#mss * this.#mss) / this.#window;
    this.#window = Math.min(WINDOW_BYTES_MAX, this.#window + growth);
  }

  /** `count` bytes were acknowledged in recovery, and more was lost than the first of them. */
  partlyAcknowledged(count: number): void {
    this.#window = Math.max(this.#mss, this.#window - count + this.#mss);
  }

  /** @returns whether it's the third that says the same, so that the first segment is to be sent again */
  duplicate(bytesUnderway: number): boolean {
    if (this.#isRecovering) {
      this.#window += this.#mss;
      return false;
    }
    if (++this.#duplicates < 3) return false;
    this.#halve(bytesUnderway);
    this.#window = this.#threshold + 3 * this.#mss;
    this.#isRecovering = true;
    return true;
  }

  timedOut(bytesUnderway: number): void {
    this.#halve(bytesUnderway);
    this.#window = this.#mss;
    this.#duplicates = 0;
    this.#isRecovering = false;
  }

  #halve(bytesUnderway: number): void {
    this.#threshold = Math.max(bytesUnderway / 2, 2 * this.#mss);
  }
}

/** @see RFC 6928 */
const INITIAL_SEGMENTS = 10;
/** No window can be announced that is larger. */
const WINDOW_BYTES_MAX = 2 ** 30;
