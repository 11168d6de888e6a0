import { utf8ToBytes, concatBytes } from '@polyvisor/bytes/bytes';
import type { Ipv4, Mac } from '../address.ts';
import { BROADCAST_MAC } from '../address.ts';
import { parseEthernet, viewOf } from '../ethernet.ts';
import { PROTOCOL, makeIpv4, parseIpv4Packet } from '../ipv4.ts';
import type { Ipv4Packet } from '../ipv4.ts';
import { parseSegment, segmentBytes, writeSegment } from '../tcp/segment.ts';
import type { Segment } from '../tcp/segment.ts';
import { makeUdp, parseUdp } from '../udp.ts';
import type { Udp } from '../udp.ts';

/** What a guest puts on the wire, and reads from it, by hand. */
export class FrameGuest {
  readonly mac: Mac;
  readonly address: Ipv4;
  readonly gatewayMac: Mac;
  readonly #send: (frame: Uint8Array) => void;

  constructor(mac: Mac, address: Ipv4, gatewayMac: Mac, send: (frame: Uint8Array) => void) {
    this.mac = mac;
    this.address = address;
    this.gatewayMac = gatewayMac;
    this.#send = send;
  }

  ip(destination: Ipv4, protocol: number, payload: Uint8Array, source = this.address): void {
    const isBroadcast = destination === 0xffff_ffff;
    const made = makeIpv4(
      {
        sourceMac: this.mac,
        destinationMac: isBroadcast ? BROADCAST_MAC : this.gatewayMac,
        source,
        destination,
        protocol,
      },
      payload.length,
    );
    made.payload.set(payload);
    this.#send(made.frame);
  }

  udp(destination: Ipv4, datagram: Udp, source = this.address): void {
    this.ip(destination, PROTOCOL.udp, makeUdp(datagram, { source, destination }), source);
  }

  tcp(destination: Ipv4, segment: Segment): void {
    const bytes = new Uint8Array(segmentBytes(segment));
    writeSegment(segment, bytes, { source: this.address, destination });
    this.ip(destination, PROTOCOL.tcp, bytes);
  }

  /** A question for an address (type 1), or something else. */
  askDns(server: Ipv4, name: string, type = 1): void {
    const labels = name.split('.').map((label) => {
      return concatBytes(Uint8Array.of(label.length), utf8ToBytes(label));
    });
    const header = Uint8Array.of(0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0);
    const payload = concatBytes(header, ...labels, Uint8Array.of(0, 0, type, 0, 1));
    this.udp(server, { sourcePort: 5353, destinationPort: 53, payload });
  }
}

/** A packet to a guest, which has to be well formed. */
export function packetIn(frame: Uint8Array): Ipv4Packet {
  return parseIpv4Packet(parseEthernet(frame)!.payload)!;
}

export function udpIn(frame: Uint8Array): Udp {
  const packet = packetIn(frame);
  return parseUdp(packet.payload, packet, false)!;
}

export function segmentIn(frame: Uint8Array): Segment {
  const packet = packetIn(frame);
  return parseSegment(packet.payload, packet, false)!;
}

/** What an answer of a name server says: its code and the addresses. */
export function dnsIn(frame: Uint8Array): { readonly code: number; readonly addresses: Ipv4[] } {
  const { payload } = udpIn(frame);
  const view = viewOf(payload);
  let at = 12;
  while (payload[at] !== 0) at += payload[at]! + 1;
  at += 5;
  const addresses: Ipv4[] = [];
  for (let count = view.getUint16(6); count > 0; count--) {
    if (view.getUint16(at + 2) === 1) addresses.push(view.getUint32(at + 12));
    at += 12 + view.getUint16(at + 10);
  }
  return { code: view.getUint16(2) & 15, addresses };
}
