import type { Ipv4 } from './address.ts';
import type { GatewayLimits, NetGuest } from './gateway.ts';
import { IPV4_BYTES } from './ipv4.ts';
import type { Ipv4Packet } from './ipv4.ts';
import type { NetDoor, StreamEvents, StreamSocket } from './net-door.ts';
import { Splice } from './splice.ts';
import { TCP_LIMITS } from './tcp/endpoint.ts';
import { FLAG, TCP_BYTES, parseSegment, segmentBytes, writeSegment } from './tcp/segment.ts';
import type { Segment } from './tcp/segment.ts';
import { distance } from './tcp/sequence.ts';

export interface TcpGatewayParts {
  readonly door: NetDoor;
  readonly nowMs: () => number;
  readonly random32: () => number;
  readonly address: Ipv4;
  readonly mtu: number;
  readonly limits: GatewayLimits;
  /** Where a connection goes outside; undefined: it may not. */
  readonly outside: (guest: NetGuest, to: Ipv4, port: number) => Ipv4 | undefined;
  /** Sends a packet from `from` with a payload of `length` bytes, which `write` fills in. */
  readonly send: (
    guest: NetGuest,
    from: Ipv4,
    length: number,
    write: (into: Uint8Array) => void,
  ) => void;
}

/** Ports that connections to guests come from. @see RFC 6335 6 */
const EPHEMERAL_FIRST = 49_152;
const EPHEMERAL_COUNT = 16_384;
const NOTHING = new Uint8Array(0);

/** The connections of all guests. */
export class TcpGateway {
  readonly #parts: TcpGatewayParts;
  /** By guest; then by the guest's port, the other address and its port. */
  readonly #guests = new Map<NetGuest, Map<string, Splice>>();
  #nextPort = 0;

  constructor(parts: TcpGatewayParts) {
    this.#parts = parts;
  }

  receive(guest: NetGuest, packet: Ipv4Packet, isTrusted: boolean): void {
    const segment = parseSegment(packet.payload, packet, isTrusted);
    if (!segment) return;
    const key = keyOf(segment.sourcePort, packet.destination, segment.destinationPort);
    const known = this.#guests.get(guest)?.get(key);
    const isQuestion = (segment.flags & (FLAG.syn | FLAG.ack | FLAG.rst)) === FLAG.syn;
    const isNew =
      known?.endpoint.state === 'time-wait' &&
      isQuestion &&
      distance(segment.sequence, known.endpoint.receiveNext) > 0;
    if (known && !known.isOver && !isNew) {
      known.endpoint.receive(segment);
      if (known.isOver) this.#forget(guest, key);
      return;
    }
    if (isQuestion) this.#connect(guest, packet, segment, key);
    else this.#reset(guest, packet.destination, segment);
  }

  /** A connection to a port of the guest; undefined when it has as many as it may. */
  forward(guest: NetGuest, port: number, socket: StreamSocket): StreamEvents | undefined {
    const connections = this.#connectionsOf(guest);
    if (!connections || port < 1 || port > 65_535) return undefined;
    const { address } = this.#parts;
    let localPort: number;
    let key: string;
    do {
      localPort = EPHEMERAL_FIRST + (this.#nextPort++ % EPHEMERAL_COUNT);
      key = keyOf(port, address, localPort);
    } while (connections.has(key));
    const splice = this.#makeSplice(guest, address, localPort, port);
    connections.set(key, splice);
    splice.join(socket);
    splice.endpoint.connect();
    return splice.events(this.#parts.nowMs);
  }

  get deadlineMs(): number {
    let deadline = Infinity;
    for (const connections of this.#guests.values()) {
      for (const splice of connections.values()) {
        // What ended since the last time is to be forgotten.
        if (splice.isOver) return 0;
        deadline = Math.min(deadline, splice.endpoint.deadlineMs, this.#idleAtMs(splice));
      }
    }
    return deadline;
  }

  advance(): void {
    const now = this.#parts.nowMs();
    for (const [guest, connections] of this.#guests) {
      for (const [key, splice] of connections) {
        if (splice.endpoint.deadlineMs <= now) splice.endpoint.advance();
        if (this.#idleAtMs(splice) <= now) splice.destroy();
        if (splice.isOver) this.#forget(guest, key);
      }
    }
  }

  drop(guest: NetGuest): void {
    for (const splice of this.#guests.get(guest)?.values() ?? []) splice.destroy();
    this.#guests.delete(guest);
  }

  #connect(guest: NetGuest, packet: Ipv4Packet, segment: Segment, key: string): void {
    const { outside, door, nowMs } = this.#parts;
    const to = outside(guest, packet.destination, segment.destinationPort);
    const connections = to === undefined ? undefined : this.#connectionsOf(guest);
    if (to === undefined || !connections) {
      this.#reset(guest, packet.destination, segment);
      return;
    }
    const { sourcePort, destinationPort } = segment;
    const splice = this.#makeSplice(guest, packet.destination, destinationPort, sourcePort);
    connections.set(key, splice);
    splice.endpoint.ask(segment);
    splice.join(door.connectTcp(to, destinationPort, splice.events(nowMs)));
  }

  #makeSplice(guest: NetGuest, from: Ipv4, localPort: number, remotePort: number): Splice {
    return new Splice({
      localPort,
      remotePort,
      mss: this.#parts.mtu - IPV4_BYTES - TCP_BYTES,
      initialSequence: this.#parts.random32(),
      limits: TCP_LIMITS,
      nowMs: this.#parts.nowMs,
      transmit: (segment) => this.#send(guest, from, segment),
    });
  }

  /** Those of a guest, when it may have another. Over the limit those go first that only wait to be forgotten. */
  #connectionsOf(guest: NetGuest): Map<string, Splice> | undefined {
    let connections = this.#guests.get(guest);
    if (!connections) this.#guests.set(guest, (connections = new Map()));
    const { connectionsMax } = this.#parts.limits;
    if (connections.size >= connectionsMax) {
      for (const [key, { isOver, endpoint }] of connections) {
        if (isOver || endpoint.state === 'time-wait') connections.delete(key);
      }
    }
    return connections.size < connectionsMax ? connections : undefined;
  }

  #idleAtMs({ usedAtMs }: Splice): number {
    return usedAtMs + this.#parts.limits.connectionIdleMs;
  }

  #forget(guest: NetGuest, key: string): void {
    this.#guests.get(guest)?.delete(key);
  }

  /** To a segment of no connection. RFC 9293 3.10.7.1 */
  #reset(guest: NetGuest, from: Ipv4, { flags, ...segment }: Segment): void {
    if ((flags & FLAG.rst) !== 0) return;
    const hasAck = (flags & FLAG.ack) !== 0;
    const length =
      segment.payload.length + Number((flags & FLAG.syn) !== 0) + Number((flags & FLAG.fin) !== 0);
    this.#send(guest, from, {
      sourcePort: segment.destinationPort,
      destinationPort: segment.sourcePort,
      sequence: hasAck ? segment.acknowledgment : 0,
      acknowledgment: hasAck ? 0 : (segment.sequence + length) >>> 0,
      flags: hasAck ? FLAG.rst : FLAG.rst | FLAG.ack,
      window: 0,
      payload: NOTHING,
    });
  }

  #send(guest: NetGuest, from: Ipv4, segment: Segment): void {
    const ends = { source: from, destination: guest.address };
    this.#parts.send(guest, from, segmentBytes(segment), (into) => {
      writeSegment(segment, into, ends);
    });
  }
}

function keyOf(guestPort: number, address: Ipv4, port: number): string {
  return `${guestPort}-${address}-${port}`;
}
