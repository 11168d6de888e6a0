import { FLAG } from '../tcp/segment.ts';
import type { Segment } from '../tcp/segment.ts';

/** What it has underway at most: a few small segments. */
const WINDOW_SEGMENTS = 4;
const SEGMENT_BYTES = 100;
const RETRY_MS = 300;
const RECEIVE_WINDOW = 1000;

/**
 * A TCP of the plainest kind, written apart from the real one: it takes only what is in order, and sends everything
 * from the first that isn't acknowledged again and again.
 */
export class PlainPeer {
  readonly received: number[] = [];
  hasEnded = false;
  isReset = false;
  /** When it sends again; Infinity when nothing is left. */
  deadlineMs = 0;
  readonly #send: (segment: Segment) => void;
  readonly #nowMs: () => number;
  readonly #data: Uint8Array;
  readonly #start: number;
  /** How much of SYN, data and FIN was acknowledged. */
  #acknowledged = 0;
  #expected: number | undefined;

  constructor(
    send: (segment: Segment) => void,
    nowMs: () => number,
    data: Uint8Array,
    start: number,
  ) {
    this.#send = send;
    this.#nowMs = nowMs;
    this.#data = data;
    this.#start = start >>> 0;
  }

  get isDone(): boolean {
    return this.hasEnded && this.#acknowledged === this.#data.length + 2;
  }

  advance(): void {
    this.deadlineMs = this.isDone || this.isReset ? Infinity : this.#nowMs() + RETRY_MS;
    if (this.#expected === undefined) return this.#transmit(FLAG.syn, 0, new Uint8Array(0));
    // The last acknowledgment of a SYN is data or a bare one.
    let at = Math.max(0, this.#acknowledged - 1);
    for (let count = 0; count < WINDOW_SEGMENTS && at < this.#data.length; count++) {
      const bytes = this.#data.subarray(at, at + SEGMENT_BYTES);
      this.#transmit(FLAG.ack, at + 1, bytes);
      at += bytes.length;
    }
    if (at === this.#data.length && this.#acknowledged < this.#data.length + 2) {
      this.#transmit(FLAG.ack | FLAG.fin, at + 1, new Uint8Array(0));
    }
  }

  receive(segment: Segment): void {
    const { flags, sequence, acknowledgment, payload } = segment;
    if ((flags & FLAG.rst) !== 0) {
      this.isReset = true;
      this.deadlineMs = Infinity;
      return;
    }
    if ((flags & FLAG.syn) !== 0) this.#expected ??= (sequence + 1) >>> 0;
    if (this.#expected === undefined) return;
    const before = this.#acknowledged;
    if ((flags & FLAG.ack) !== 0) {
      const count = (acknowledgment - this.#start) | 0;
      this.#acknowledged = Math.max(this.#acknowledged, count);
    }
    const hasContent = payload.length > 0 || (flags & (FLAG.fin | FLAG.syn)) !== 0;
    if (sequence === this.#expected && (flags & FLAG.syn) === 0 && !this.hasEnded) {
      this.received.push(...payload);
      this.hasEnded = (flags & FLAG.fin) !== 0;
      this.#expected = (sequence + payload.length + Number(this.hasEnded)) >>> 0;
    }
    if (hasContent) {
      const sent = Math.min(this.#data.length + 2, Math.max(1, this.#acknowledged));
      this.#transmit(FLAG.ack, sent, new Uint8Array(0));
    }
    if (this.#acknowledged > before) this.advance();
    if (this.isDone) this.deadlineMs = Infinity;
  }

  #transmit(flags: number, offset: number, payload: Uint8Array): void {
    this.#send({
      sourcePort: 1,
      destinationPort: 2,
      sequence: (this.#start + offset) >>> 0,
      acknowledgment: this.#expected ?? 0,
      flags,
      window: RECEIVE_WINDOW,
      payload,
    });
  }
}
