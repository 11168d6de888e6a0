import type { Ipv4 } from './address.ts';
import type { GatewayLimits, NetGuest } from './gateway.ts';
import type { DatagramSocket, NetDoor } from './net-door.ts';
import { UDP_PAYLOAD_BYTES_MAX } from './udp.ts';
import type { Udp } from './udp.ts';

export interface UdpGatewayParts {
  readonly door: NetDoor;
  readonly nowMs: () => number;
  readonly limits: GatewayLimits;
  readonly send: (guest: NetGuest, from: Ipv4, datagram: Udp) => void;
}

/** Others that a port of a guest is in touch with at most; the one heard of longest ago goes. */
const CONTACTS_MAX = 256;

interface Flow {
  readonly socket: DatagramSocket;
  /** Address and port of those who were sent something, and may answer. */
  readonly contacts: Set<string>;
  usedAtMs: number;
}

/** The ports that guests send datagrams from, each with a socket of the host. Answers come from whom they asked. */
export class UdpGateway {
  readonly #parts: UdpGatewayParts;
  /** By guest, then by its port; those used longest ago are first. */
  readonly #guests = new Map<NetGuest, Map<number, Flow>>();

  constructor(parts: UdpGatewayParts) {
    this.#parts = parts;
  }

  send(guest: NetGuest, to: Ipv4, { sourcePort, destinationPort, payload }: Udp): void {
    const flow = this.#flow(guest, sourcePort);
    flow.contacts.add(contactOf(to, destinationPort));
    const [oldest] = flow.contacts;
    if (flow.contacts.size > CONTACTS_MAX && oldest !== undefined) flow.contacts.delete(oldest);
    flow.socket.send(to, destinationPort, payload);
  }

  get deadlineMs(): number {
    let deadline = Infinity;
    for (const flows of this.#guests.values()) {
      const [oldest] = flows.values();
      if (oldest) deadline = Math.min(deadline, oldest.usedAtMs + this.#parts.limits.flowIdleMs);
    }
    return deadline;
  }

  advance(): void {
    const idleSinceMs = this.#parts.nowMs() - this.#parts.limits.flowIdleMs;
    for (const flows of this.#guests.values()) {
      for (const [port, flow] of flows) {
        if (flow.usedAtMs > idleSinceMs) break;
        this.#close(flows, port);
      }
    }
  }

  drop(guest: NetGuest): void {
    const flows = this.#guests.get(guest);
    for (const port of flows?.keys() ?? []) this.#close(flows!, port);
    this.#guests.delete(guest);
  }

  #flow(guest: NetGuest, port: number): Flow {
    let flows = this.#guests.get(guest);
    if (!flows) this.#guests.set(guest, (flows = new Map()));
    const known = flows.get(port);
    const flow = known ?? this.#open(guest, port, flows);
    flow.usedAtMs = this.#parts.nowMs();
    flows.delete(port);
    flows.set(port, flow);
    return flow;
  }

  #open(guest: NetGuest, port: number, flows: Map<number, Flow>): Flow {
    const [oldest] = flows.keys();
    if (flows.size >= this.#parts.limits.flowsMax && oldest !== undefined)
      this.#close(flows, oldest);
    const contacts = new Set<string>();
    const socket = this.#parts.door.openUdp((from, fromPort, payload) => {
      const isOpen = this.#guests.get(guest)?.get(port)?.contacts === contacts;
      if (!isOpen || !contacts.has(contactOf(from, fromPort))) return;
      if (payload.length > UDP_PAYLOAD_BYTES_MAX) return;
      this.#parts.send(guest, from, { sourcePort: fromPort, destinationPort: port, payload });
    });
    return { socket, contacts, usedAtMs: this.#parts.nowMs() };
  }

  #close(flows: Map<number, Flow>, port: number): void {
    flows.get(port)?.socket.close();
    flows.delete(port);
  }
}

function contactOf(address: Ipv4, port: number): string {
  return `${address}:${port}`;
}
