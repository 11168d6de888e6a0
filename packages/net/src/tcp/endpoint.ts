import { assert } from '@polyvisor/errors/assert';
import { Congestion } from './congestion.ts';
import { Reassembly } from './reassembly.ts';
import { RoundTrip } from './round-trip.ts';
import { FLAG } from './segment.ts';
import type { Segment } from './segment.ts';
import { SendQueue } from './send-queue.ts';
import { add, distance } from './sequence.ts';

export type TcpState =
  | 'closed'
  | 'asked'
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'close-wait'
  | 'closing'
  | 'last-ack'
  | 'time-wait';

/** Why a connection is no more. */
export type TcpEnd = 'done' | 'refused' | 'reset' | 'timeout';

export interface TcpLimits {
  /** Bytes that it takes before the application has consumed any: the window. */
  readonly receiveBytes: number;
  /** Bytes that it keeps until the peer has them; `write` says when there is room again. */
  readonly sendBytes: number;
  readonly retransmitsMax: number;
  readonly retransmitMsMin: number;
  readonly retransmitMsMax: number;
  readonly delayedAckMs: number;
  readonly timeWaitMs: number;
}

export const TCP_LIMITS: TcpLimits = {
  receiveBytes: 512 * 1024,
  sendBytes: 512 * 1024,
  retransmitsMax: 10,
  retransmitMsMin: 200,
  retransmitMsMax: 30_000,
  delayedAckMs: 20,
  timeWaitMs: 10_000,
};

/** What the peer did, told to the application. */
export interface TcpEvents {
  /** Both sides know each other. */
  opened(): void;
  /** Bytes in order, valid until it returns. The window shrinks by them until they are `consumed`. */
  received(bytes: Uint8Array): void;
  /** There is room to write again. */
  drained(): void;
  /** The peer sends no more. */
  ended(): void;
  /** The last that is told. */
  closed(end: TcpEnd): void;
}

export interface TcpParts {
  readonly localPort: number;
  readonly remotePort: number;
  /** Payload that we take in a segment. */
  readonly mss: number;
  /** Any number of 32 bits that others can't guess. */
  readonly initialSequence: number;
  readonly limits: TcpLimits;
  readonly nowMs: () => number;
  readonly transmit: (segment: Segment) => void;
  readonly events: TcpEvents;
}

/** What a peer takes that doesn't say. @see RFC 9293 3.7.1 */
const MSS_DEFAULT = 536;
const MSS_MIN = 64;
/** @see RFC 6298 2.1 */
const RETRANSMIT_MS_INITIAL = 1000;
/** So many challenges in so much time. */
const CHALLENGES_MAX = 10;
const CHALLENGE_MS = 100;
const NOTHING = new Uint8Array(0);

/**
 * One end of a TCP connection: RFC 9293, with window scaling (RFC 7323), fast recovery (RFC 6582) and challenge
 * acknowledgments (RFC 5961). Time and the wire are handed in; whoever has it calls `advance` at `deadlineMs`.
 */
export class TcpEndpoint {
  readonly #parts: TcpParts;
  readonly #limits: TcpLimits;
  #state: TcpState = 'closed';
  /** Whether `closed` was told. */
  #isOver = false;

  // What we send: `una` is the oldest number not acknowledged, `next` the next to send, `max` the highest ever sent.
  #una: number;
  #next: number;
  #max: number;
  readonly #queue = new SendQueue();
  /** The number of the first byte in the queue. */
  #queueStart: number;
  #isEnding = false;
  #isFull = false;
  /** What the peer lets us have underway, and the largest that it ever did. */
  #window = 0;
  #windowMax = 0;
  /** Sequence and acknowledgment of the segment that last set the window. */
  #windowSequence = 0;
  #windowAcknowledgment = 0;
  #windowShift = 0;
  #peerMss = MSS_DEFAULT;
  #congestion: Congestion;
  /** In recovery, what was underway when it began. */
  #recoverTo = 0;
  readonly #roundTrip: RoundTrip;
  /** A number whose acknowledgment is timed, and since when. */
  #timed: { readonly sequence: number; readonly sinceMs: number } | undefined;

  // What we receive.
  #receiveNext = 0;
  /** The end of the window as the peer knows it. */
  #receiveEdge = 0;
  #receiveShift = 0;
  #unconsumed = 0;
  readonly #reassembly = new Reassembly();
  /** The number of the peer's FIN, when it came before its turn. */
  #finAt: number | undefined;
  #unacknowledged = 0;

  // Times when something is to be done.
  #retransmitAtMs = Infinity;
  #retransmits = 0;
  #isProbing = false;
  #acknowledgeAtMs = Infinity;
  #timeWaitUntilMs = Infinity;
  #challengedAtMs = -Infinity;
  #challenges = 0;

  constructor(parts: TcpParts) {
    this.#parts = parts;
    this.#limits = parts.limits;
    this.#una = parts.initialSequence >>> 0;
    this.#next = this.#una;
    this.#max = this.#una;
    this.#queueStart = add(this.#una, 1);
    this.#congestion = new Congestion(MSS_DEFAULT);
    this.#roundTrip = new RoundTrip({
      initialMs: RETRANSMIT_MS_INITIAL,
      minMs: parts.limits.retransmitMsMin,
      maxMs: parts.limits.retransmitMsMax,
    });
  }

  get state(): TcpState {
    return this.#state;
  }

  /** Bytes that can be written before it is full. */
  get room(): number {
    return Math.max(0, this.#limits.sendBytes - this.#queue.length);
  }

  /** When `advance` has something to do; Infinity when nothing. */
  get deadlineMs(): number {
    return Math.min(this.#retransmitAtMs, this.#acknowledgeAtMs, this.#timeWaitUntilMs);
  }

  /** The sequence number expected next, by which a new connection on the same ports is told from an old one. */
  get receiveNext(): number {
    return this.#receiveNext;
  }

  /** A peer's SYN came: `accept` or `refuse` answers. */
  ask(syn: Segment): void {
    assert(this.#state === 'closed' && !this.#isOver, 'an endpoint is used once');
    this.#state = 'asked';
    this.#readSyn(syn);
  }

  accept(): void {
    if (this.#state !== 'asked') return;
    this.#state = 'syn-received';
    this.#sendSyn();
  }

  refuse(): void {
    if (this.#state !== 'asked') return;
    this.#send(FLAG.rst | FLAG.ack, 0, NOTHING);
    this.#close('refused');
  }

  /** Asks the peer. */
  connect(): void {
    assert(this.#state === 'closed' && !this.#isOver, 'an endpoint is used once');
    this.#state = 'syn-sent';
    this.#sendSyn();
  }

  /** Keeps the bytes and sends them as the peer lets it. @returns whether there is room for more */
  write(bytes: Uint8Array): boolean {
    if (this.#isEnding || this.#isOver) return false;
    this.#queue.push(bytes);
    this.#isFull = this.room === 0;
    this.#output();
    return !this.#isFull;
  }

  /** Sends no more after what was written. */
  end(): void {
    if (this.#isEnding || this.#isOver) return;
    this.#isEnding = true;
    this.#output();
  }

  /** Ends it at once, and tells the peer. */
  abort(): void {
    if (this.#isOver && this.#state === 'closed') return;
    if (this.#state !== 'time-wait' && this.#state !== 'syn-sent') {
      this.#send(FLAG.rst | FLAG.ack, this.#next, NOTHING);
    }
    this.#close('reset');
  }

  /** The application took so many bytes of those received. */
  consumed(count: number): void {
    this.#unconsumed = Math.max(0, this.#unconsumed - count);
    if (!this.#canReceive()) return;
    const opened = this.#receiveWindow() - distance(this.#receiveEdge, this.#receiveNext);
    // A window that opens by crumbs would be filled by crumbs. See RFC 9293 3.8.6.2.2.
    const step = Math.min(this.#limits.receiveBytes / 2, 2 * this.#parts.mss);
    if (opened >= step) this.#acknowledge();
  }

  advance(): void {
    const now = this.#parts.nowMs();
    if (now >= this.#timeWaitUntilMs) this.#close('done');
    if (now >= this.#acknowledgeAtMs) this.#acknowledge();
    if (now < this.#retransmitAtMs) return;
    this.#retransmits++;
    if (this.#retransmits > this.#limits.retransmitsMax) {
      if (this.#state !== 'syn-sent') this.#send(FLAG.rst | FLAG.ack, this.#next, NOTHING);
      this.#close('timeout');
      return;
    }
    this.#roundTrip.backOff();
    this.#timed = undefined;
    if (this.#isProbing) this.#probe();
    else this.#resend();
  }

  receive(segment: Segment): void {
    switch (this.#state) {
      case 'closed':
      case 'asked':
        // A SYN sent again waits for `accept`; a reset of it ends the wait.
        if (this.#state === 'asked' && (segment.flags & FLAG.rst) !== 0) this.#close('reset');
        return;
      case 'syn-sent':
        this.#receiveAnswer(segment);
        return;
      default:
        this.#receiveSynchronized(segment);
    }
  }

  /** RFC 9293 3.10.7.3 */
  #receiveAnswer(segment: Segment): void {
    const { flags, acknowledgment } = segment;
    const hasAck = (flags & FLAG.ack) !== 0;
    if (hasAck && acknowledgment !== this.#max) {
      if ((flags & FLAG.rst) === 0) this.#send(FLAG.rst, acknowledgment, NOTHING);
      return;
    }
    if ((flags & FLAG.rst) !== 0) {
      if (hasAck) this.#close('refused');
      return;
    }
    if ((flags & FLAG.syn) === 0) return;
    this.#readSyn(segment);
    if (!hasAck) {
      // Both asked at once.
      this.#state = 'syn-received';
      this.#next = this.#una;
      this.#sendSyn();
      return;
    }
    this.#una = acknowledgment;
    this.#setWindow(segment);
    this.#establish();
    this.#acknowledge();
    this.#output();
  }

  /** RFC 9293 3.10.7.4 */
  #receiveSynchronized(segment: Segment): void {
    const { flags, sequence } = segment;
    if (!this.#isAcceptable(segment)) {
      if ((flags & FLAG.rst) !== 0) return;
      // A SYN that comes again wasn't answered, as far as the peer knows.
      if (this.#state === 'syn-received' && (flags & FLAG.syn) !== 0) this.#sendSyn();
      else this.#challenge();
      return;
    }
    if ((flags & FLAG.rst) !== 0) {
      // One in the window that isn't exact may be a guess. See RFC 5961 3.2.
      if (sequence !== this.#receiveNext) this.#challenge();
      else this.#close(this.#state === 'syn-received' ? 'refused' : 'reset');
      return;
    }
    if ((flags & FLAG.syn) !== 0) {
      this.#challenge();
      return;
    }
    if ((flags & FLAG.ack) === 0) return;
    if (this.#state === 'syn-received') {
      const isOurs = segment.acknowledgment === this.#max;
      if (!isOurs) {
        this.#send(FLAG.rst, segment.acknowledgment, NOTHING);
        return;
      }
      this.#una = segment.acknowledgment;
      this.#setWindow(segment);
      this.#establish();
    } else if (!this.#receiveAcknowledgment(segment)) return;
    if (this.#isOver && this.#state === 'closed') return;
    this.#receivePayload(segment);
    this.#output();
    if (this.#unacknowledged >= 2 * this.#parts.mss) this.#acknowledge();
  }

  /** Whether a part of the segment lies in the window. RFC 9293 3.4, table 6 */
  #isAcceptable({ sequence, flags, payload }: Segment): boolean {
    const length =
      payload.length + Number((flags & FLAG.syn) !== 0) + Number((flags & FLAG.fin) !== 0);
    const start = distance(sequence, this.#receiveNext);
    const window = distance(this.#receiveEdge, this.#receiveNext);
    if (length === 0) return window === 0 ? start === 0 : start >= 0 && start < window;
    return window > 0 && start < window && start + length > 0;
  }

  /** @returns whether the rest of the segment counts */
  #receiveAcknowledgment(segment: Segment): boolean {
    const { acknowledgment, sequence, payload, flags } = segment;
    if (distance(acknowledgment, this.#max) > 0) {
      this.#challenge();
      return false;
    }
    const count = distance(acknowledgment, this.#una);
    const isNewer =
      distance(sequence, this.#windowSequence) > 0 ||
      (sequence === this.#windowSequence &&
        distance(acknowledgment, this.#windowAcknowledgment) >= 0);
    const windowBefore = this.#window;
    if (count >= 0 && isNewer) this.#setWindow(segment);
    if (count > 0) this.#acknowledgedTo(acknowledgment, count);
    else if (
      count === 0 &&
      payload.length === 0 &&
      (flags & FLAG.fin) === 0 &&
      this.#window === windowBefore &&
      distance(this.#max, this.#una) > 0 &&
      this.#congestion.duplicate(distance(this.#max, this.#una))
    ) {
      this.#recoverTo = this.#max;
      this.#resendFirst();
    }
    // An answer, be it that the window is still shut, shows that the peer lives.
    if (this.#isProbing) this.#retransmits = 0;
    if (this.#isProbing && this.#window > 0) this.#stopTimer();
    return true;
  }

  #acknowledgedTo(acknowledgment: number, count: number): void {
    this.#una = acknowledgment;
    if (distance(this.#next, acknowledgment) < 0) this.#next = acknowledgment;
    const ofQueue = Math.min(distance(acknowledgment, this.#queueStart), this.#queue.length);
    if (ofQueue > 0) {
      this.#queue.drop(ofQueue);
      this.#queueStart = add(this.#queueStart, ofQueue);
    }
    if (this.#timed && distance(acknowledgment, this.#timed.sequence) >= 0) {
      this.#roundTrip.measured(this.#parts.nowMs() - this.#timed.sinceMs);
      this.#timed = undefined;
    }
    this.#retransmits = 0;
    if (this.#congestion.isRecovering && distance(acknowledgment, this.#recoverTo) < 0) {
      this.#congestion.partlyAcknowledged(count);
      this.#resendFirst();
    } else this.#congestion.acknowledged(count);
    this.#stopTimer();
    if (distance(this.#max, this.#una) > 0) this.#startTimer();
    if (this.#isFinAcknowledged()) this.#finAcknowledged();
    if (this.#isFull && !this.#isOver && this.#queue.length <= this.#limits.sendBytes / 2) {
      this.#isFull = false;
      this.#parts.events.drained();
    }
  }

  #finAcknowledged(): void {
    if (this.#state === 'fin-wait-1') this.#state = 'fin-wait-2';
    else if (this.#state === 'closing') {
      this.#waitForStrays();
      this.#tellClosed('done');
    } else if (this.#state === 'last-ack') this.#close('done');
  }

  #receivePayload({ sequence, payload, flags }: Segment): void {
    if (!this.#canReceive()) return;
    if ((flags & FLAG.fin) !== 0) this.#finAt = add(sequence, payload.length);
    const early = distance(sequence, this.#receiveNext);
    const room = distance(this.#receiveEdge, this.#receiveNext);
    if (early > 0) {
      this.#reassembly.add(sequence, payload.subarray(0, room - early));
      this.#acknowledge();
      return;
    }
    const hadHole = !this.#reassembly.isEmpty;
    this.#deliver(payload.subarray(-early, room - early));
    for (;;) {
      const next = this.#reassembly.take(this.#receiveNext);
      if (!next) break;
      this.#deliver(next);
    }
    // The application may have ended it.
    if (!this.#canReceive()) return;
    if (hadHole) this.#acknowledge();
    if (this.#finAt === this.#receiveNext) this.#receiveFin();
  }

  #deliver(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#isOver) return;
    this.#receiveNext = add(this.#receiveNext, bytes.length);
    this.#unconsumed += bytes.length;
    this.#unacknowledged += bytes.length;
    if (this.#acknowledgeAtMs === Infinity) {
      this.#acknowledgeAtMs = this.#parts.nowMs() + this.#limits.delayedAckMs;
    }
    this.#parts.events.received(bytes);
  }

  #receiveFin(): void {
    this.#receiveNext = add(this.#receiveNext, 1);
    if (this.#state === 'established') this.#state = 'close-wait';
    else if (this.#state === 'fin-wait-1') this.#state = 'closing';
    else if (this.#state === 'fin-wait-2') this.#waitForStrays();
    this.#acknowledge();
    this.#parts.events.ended();
    if (this.#state === 'time-wait') this.#tellClosed('done');
  }

  /** Sends what the peer's window and the congestion window allow. */
  #output(): void {
    if (!this.#canSend()) return;
    for (;;) {
      const underway = distance(this.#next, this.#una);
      const usable = Math.min(this.#window, this.#congestion.window) - underway;
      const offset = distance(this.#next, this.#queueStart);
      const rest = this.#queue.length - offset;
      const length = Math.max(0, Math.min(this.#peerMss, rest, usable));
      const hasFin = this.#isEnding && offset + length === this.#queue.length && usable > length;
      const isFinSent = offset > this.#queue.length;
      if (isFinSent || (length === 0 && !hasFin)) break;
      // A small segment only when it's all there is, or the window was never larger. See RFC 9293 3.8.6.2.1.
      const isCrumb = length < Math.min(this.#peerMss, rest, this.#windowMax / 2);
      if (isCrumb && underway > 0) break;
      this.#sendData(offset, length, hasFin);
    }
    const isWaiting =
      distance(this.#queueStart, this.#next) + this.#queue.length + Number(this.#isEnding) > 0;
    if (this.#retransmitAtMs === Infinity && isWaiting && this.#max === this.#una) {
      // Only the peer can open the window, and what says so may be lost.
      this.#isProbing = true;
      this.#startTimer();
    }
  }

  #sendData(offset: number, length: number, hasFin: boolean): void {
    const isLast = offset + length === this.#queue.length;
    const flags = FLAG.ack | (isLast ? FLAG.psh : 0) | (hasFin ? FLAG.fin : 0);
    const start = this.#next;
    this.#next = add(start, length + Number(hasFin));
    const isNew = distance(this.#next, this.#max) > 0;
    if (isNew) {
      this.#max = this.#next;
      this.#timed ??= { sequence: this.#next, sinceMs: this.#parts.nowMs() };
    }
    if (this.#isProbing) this.#stopTimer();
    if (this.#retransmitAtMs === Infinity) this.#startTimer();
    if (hasFin) this.#finSent();
    this.#send(flags, start, this.#queue.peek(offset, length));
  }

  #finSent(): void {
    if (this.#state === 'established') this.#state = 'fin-wait-1';
    else if (this.#state === 'close-wait') this.#state = 'last-ack';
  }

  /** Nothing was acknowledged in time: begins again with the first. */
  #resend(): void {
    if (this.#window === 0 && this.#canSend()) {
      this.#next = this.#una;
      this.#isProbing = true;
      this.#probe();
      return;
    }
    this.#congestion.timedOut(distance(this.#max, this.#una));
    this.#next = this.#una;
    this.#retransmitAtMs = Infinity;
    if (this.#state === 'syn-sent' || this.#state === 'syn-received') this.#sendSyn();
    else this.#output();
    if (this.#retransmitAtMs === Infinity) this.#startTimer();
  }

  /** Sends the first segment that isn't acknowledged again, and nothing else. */
  #resendFirst(): void {
    this.#timed = undefined;
    const offset = distance(this.#una, this.#queueStart);
    const length = Math.min(this.#peerMss, this.#queue.length - offset);
    if (length < 0) return;
    const isLast = offset + length === this.#queue.length;
    const hasFin =
      this.#isEnding && isLast && distance(this.#max, this.#queueStart) > this.#queue.length;
    const flags = FLAG.ack | (hasFin ? FLAG.fin : 0);
    this.#send(flags, this.#una, this.#queue.peek(offset, length));
  }

  /** A segment before the window: whoever gets it has to answer with what the window is. */
  #probe(): void {
    this.#send(FLAG.ack, add(this.#una, -1), NOTHING);
    this.#startTimer();
  }

  #sendSyn(): void {
    const hasAck = this.#state === 'syn-received';
    const { mss, limits, localPort, remotePort } = this.#parts;
    // An answer has the option only when the question did; `readSyn` noted that as a shift of 0.
    const windowShift =
      hasAck && this.#receiveShift === 0 ? undefined : shiftFor(limits.receiveBytes);
    this.#next = add(this.#una, 1);
    this.#max = this.#next;
    this.#timed =
      this.#retransmits === 0 ? { sequence: this.#next, sinceMs: this.#parts.nowMs() } : undefined;
    this.#startTimer();
    const window = Math.min(limits.receiveBytes, 0xffff);
    if (hasAck) this.#receiveEdge = add(this.#receiveNext, window);
    this.#parts.transmit({
      sourcePort: localPort,
      destinationPort: remotePort,
      sequence: this.#una,
      acknowledgment: hasAck ? this.#receiveNext : 0,
      flags: FLAG.syn | (hasAck ? FLAG.ack : 0),
      window,
      mss,
      windowShift,
      payload: NOTHING,
    });
  }

  #readSyn({ sequence, mss, windowShift }: Segment): void {
    this.#receiveNext = add(sequence, 1);
    this.#receiveEdge = add(this.#receiveNext, Math.min(this.#limits.receiveBytes, 0xffff));
    this.#peerMss = Math.max(MSS_MIN, mss ?? MSS_DEFAULT);
    this.#congestion = new Congestion(this.#peerMss);
    this.#windowShift = windowShift ?? 0;
    this.#receiveShift = windowShift === undefined ? 0 : shiftFor(this.#limits.receiveBytes);
    this.#windowSequence = sequence;
  }

  #setWindow({ window, sequence, acknowledgment, flags }: Segment): void {
    this.#window = (flags & FLAG.syn) !== 0 ? window : window * 2 ** this.#windowShift;
    this.#windowMax = Math.max(this.#windowMax, this.#window);
    this.#windowSequence = sequence;
    this.#windowAcknowledgment = acknowledgment;
  }

  #establish(): void {
    this.#state = 'established';
    if (this.#timed) this.#roundTrip.measured(this.#parts.nowMs() - this.#timed.sinceMs);
    this.#timed = undefined;
    this.#retransmits = 0;
    this.#stopTimer();
    this.#parts.events.opened();
  }

  /**
   * Answers what doesn't belong here with what we expect. Two ends that each find the other wrong would go on for
   * ever, so it's a few at a time. See RFC 5961 7.
   */
  #challenge(): void {
    const now = this.#parts.nowMs();
    if (now - this.#challengedAtMs >= CHALLENGE_MS) {
      this.#challengedAtMs = now;
      this.#challenges = 0;
    }
    if (this.#challenges++ < CHALLENGES_MAX) this.#acknowledge();
  }

  #acknowledge(): void {
    this.#send(FLAG.ack, this.#next, NOTHING);
  }

  #send(flags: number, sequence: number, payload: Uint8Array): void {
    const window = Math.min(0xffff, Math.floor(this.#receiveWindow() / 2 ** this.#receiveShift));
    const edge = add(this.#receiveNext, window * 2 ** this.#receiveShift);
    if (distance(edge, this.#receiveEdge) > 0) this.#receiveEdge = edge;
    this.#acknowledgeAtMs = Infinity;
    this.#unacknowledged = 0;
    const { localPort, remotePort } = this.#parts;
    const acknowledgment = (flags & FLAG.ack) === 0 ? 0 : this.#receiveNext;
    this.#parts.transmit({
      sourcePort: localPort,
      destinationPort: remotePort,
      sequence,
      acknowledgment,
      flags,
      window,
      payload,
    });
  }

  /** Bytes that we can take, from the next expected on; what was promised stays so. */
  #receiveWindow(): number {
    return Math.max(
      this.#limits.receiveBytes - this.#unconsumed,
      distance(this.#receiveEdge, this.#receiveNext),
      0,
    );
  }

  #canReceive(): boolean {
    return (
      this.#state === 'established' || this.#state === 'fin-wait-1' || this.#state === 'fin-wait-2'
    );
  }

  #canSend(): boolean {
    switch (this.#state) {
      case 'established':
      case 'close-wait':
      case 'fin-wait-1':
      case 'closing':
      case 'last-ack':
        return true;
      default:
        return false;
    }
  }

  #isFinAcknowledged(): boolean {
    return this.#isEnding && distance(this.#una, this.#queueStart) > this.#queue.length;
  }

  #startTimer(): void {
    this.#retransmitAtMs = this.#parts.nowMs() + this.#roundTrip.timeoutMs;
  }

  #stopTimer(): void {
    this.#retransmitAtMs = Infinity;
    this.#isProbing = false;
  }

  /** Both sides have ended; what is still underway must not reach another connection. */
  #waitForStrays(): void {
    this.#stopTimer();
    this.#timeWaitUntilMs = this.#parts.nowMs() + this.#limits.timeWaitMs;
    this.#state = 'time-wait';
  }

  #close(end: TcpEnd): void {
    this.#stopTimer();
    this.#acknowledgeAtMs = Infinity;
    this.#timeWaitUntilMs = Infinity;
    this.#state = 'closed';
    this.#tellClosed(end);
  }

  #tellClosed(end: TcpEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.events.closed(end);
  }
}

/** Bits to shift a window by so that it fits 16; at least 1, for 0 stands for a peer without the option. */
function shiftFor(bytes: number): number {
  let shift = 1;
  while (bytes / 2 ** shift > 0xffff) shift++;
  return shift;
}
