import { HostError } from '@polyvisor/errors/host-error';
import {
  BROADCAST_IPV4,
  BROADCAST_MAC,
  formatIpv4,
  isGroupMac,
  isInSubnet,
  maskOf,
  parseMac,
  parseSubnet,
} from './address.ts';
import type { Ipv4, Mac, Subnet } from './address.ts';
import { makeArp, parseArp } from './arp.ts';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, answerDhcp, parseDhcp } from './dhcp.ts';
import { makeDnsResponse, parseDnsQuery, reverseAddress } from './dns.ts';
import type { DnsAnswer, DnsQuery } from './dns.ts';
import { ETHERTYPE, parseEthernet } from './ethernet.ts';
import { Fragments } from './fragments.ts';
import { UNREACHABLE_CODE, answerEcho, makeUnreachable } from './icmp.ts';
import { PROTOCOL, fragmentIpv4, makeIpv4, parseIpv4Packet } from './ipv4.ts';
import type { Ipv4Packet } from './ipv4.ts';
import type { NetDoor, StreamEvents, StreamSocket } from './net-door.ts';
import { Policy } from './policy.ts';
import type { AllowRule } from './policy.ts';
import { TcpGateway } from './tcp-gateway.ts';
import { makeUdp, parseUdp } from './udp.ts';
import type { Udp } from './udp.ts';
import { UdpGateway } from './udp-gateway.ts';

export interface GuestOptions {
  /** What siblings call it: letters, digits and hyphens, 63 at most. */
  readonly name: string;
  readonly mac: Mac;
  readonly address: Ipv4;
  /** What it may reach outside; default: nothing. */
  readonly allow?: readonly AllowRule[];
}

/** A guest as the parts of a gateway see it. */
export interface NetGuest {
  readonly name: string;
  readonly mac: Mac;
  readonly address: Ipv4;
  readonly policy: Policy;
  /** What it sent a part of so far. */
  readonly fragments: Fragments;
}

export interface GatewayLimits {
  readonly guestsMax: number;
  /** For each guest. */
  readonly connectionsMax: number;
  /** Connections on which nothing was sent for so long end. @see RFC 5382 REQ-5 */
  readonly connectionIdleMs: number;
  /** For each guest: ports that it sends datagrams from. */
  readonly flowsMax: number;
  readonly flowIdleMs: number;
  /** For each guest: questions to the outside that wait for an answer. */
  readonly questionsMax: number;
}

export const GATEWAY_LIMITS: GatewayLimits = {
  guestsMax: 250,
  connectionsMax: 1024,
  connectionIdleMs: 2 * 60 * 60 * 1000 + 4 * 60 * 1000,
  flowsMax: 256,
  flowIdleMs: 60_000,
  questionsMax: 64,
};

export interface GatewayOptions {
  readonly door: NetDoor;
  /** Puts a frame on the wire. */
  readonly transmit: (frame: Uint8Array) => void;
  readonly nowMs: () => number;
  /** 32 bits that nobody can guess. */
  readonly random32: () => number;
  /** Default: 10.0.2.0/24. */
  readonly subnet?: Subnet;
  /** Default: the second address of the subnet. */
  readonly address?: Ipv4;
  /** Default: 52:55:0a:00:02:02. */
  readonly mac?: Mac;
  /** Guests are `<name>.<domain>`, and `<name>` too. Default: internal. */
  readonly domain?: string;
  /** Largest IPv4 packet in a frame to a guest, 576 to 65535. Default: 1500. */
  readonly mtu?: number;
  readonly limits?: Partial<GatewayLimits>;
}

const LEASE_SECONDS = 24 * 60 * 60;
const SIBLING_TTL_SECONDS = 5;
const OUTSIDE_TTL_SECONDS = 60;
const DNS_PORT = 53;
const LOOPBACK: Ipv4 = 0x7f00_0001;
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const MTU_MIN = 576;
const MTU_MAX = 65_535;

/**
 * The router of a private network, in user mode: it answers ARP, DHCP, DNS and echo at its own address, ends the
 * guests' TCP connections and datagrams itself, and has the host's door make others in their place. A guest
 * reaches what its rules allow; everything else is refused at once. Frames that make no sense are dropped.
 */
export class Gateway {
  readonly #options: Required<Omit<GatewayOptions, 'limits'>>;
  readonly #limits: GatewayLimits;
  readonly #byMac = new Map<Mac, NetGuest>();
  readonly #byName = new Map<string, NetGuest>();
  readonly #byAddress = new Map<Ipv4, NetGuest>();
  readonly #questions = new Map<NetGuest, number>();
  readonly #tcp: TcpGateway;
  readonly #udp: UdpGateway;
  #identification = 0;

  /** @throws HostError `net-option` */
  constructor(options: GatewayOptions) {
    const subnet = options.subnet ?? parseSubnet('10.0.2.0/24')!;
    this.#options = {
      subnet,
      address: subnet.network + 2,
      mac: parseMac('52:55:0a:00:02:02')!,
      domain: 'internal',
      mtu: 1500,
      ...options,
    };
    this.#limits = { ...GATEWAY_LIMITS, ...options.limits };
    const { address, mac, domain, mtu } = this.#options;
    if (!isHostAddress(address, subnet)) {
      throw new HostError('net-option', `a gateway can't be at ${formatIpv4(address)}`);
    }
    if (isGroupMac(mac) || !NAME.test(domain) || !(mtu >= MTU_MIN && mtu <= MTU_MAX)) {
      throw new HostError('net-option', `a gateway of domain '${domain}' and MTU ${mtu}`);
    }
    this.#tcp = new TcpGateway({
      ...this.#options,
      limits: this.#limits,
      outside: (guest, to, port) => this.#outside(guest, 'tcp', to, port),
      send: (guest, from, length, write) => this.#sendTcp(guest, from, length, write),
    });
    this.#udp = new UdpGateway({
      ...this.#options,
      limits: this.#limits,
      send: (guest, from, datagram) => {
        this.#sendUdp(guest, from === LOOPBACK ? address : from, guest.address, datagram);
      },
    });
  }

  get address(): Ipv4 {
    return this.#options.address;
  }

  /** @throws HostError `net-option` when the name, the MAC or the address is taken or can't be */
  addGuest({ name, mac, address, allow = [] }: GuestOptions): void {
    const { subnet } = this.#options;
    const isTaken =
      this.#byName.has(name) ||
      this.#byMac.has(mac) ||
      this.#byAddress.has(address) ||
      mac === this.#options.mac ||
      address === this.address;
    if (isTaken || !NAME.test(name) || isGroupMac(mac) || !isHostAddress(address, subnet)) {
      throw new HostError(
        'net-option',
        `guest '${name}' at ${formatIpv4(address)} can't be on this network`,
        'names are letters, digits and hyphens; names and addresses are for one guest each',
      );
    }
    if (this.#byName.size >= this.#limits.guestsMax) {
      throw new HostError('net-option', `the network has ${this.#byName.size} guests, and no more`);
    }
    const guest: NetGuest = {
      name,
      mac,
      address,
      policy: new Policy(allow),
      fragments: new Fragments(),
    };
    this.#byName.set(name, guest);
    this.#byMac.set(mac, guest);
    this.#byAddress.set(address, guest);
  }

  /** Ends all of its connections. */
  removeGuest(name: string): void {
    const guest = this.#byName.get(name);
    if (!guest) return;
    this.#byName.delete(name);
    this.#byMac.delete(guest.mac);
    this.#byAddress.delete(guest.address);
    this.#questions.delete(guest);
    this.#tcp.drop(guest);
    this.#udp.drop(guest);
  }

  /**
   * Joins a socket that somebody connected to the host to a port of a guest.
   * @returns what the host then tells about the socket
   * @throws HostError `net-guest` when there is no such guest, or it has all the connections that it may have
   */
  forward(name: string, port: number, socket: StreamSocket): StreamEvents {
    const guest = this.#byName.get(name);
    const events = guest && this.#tcp.forward(guest, port, socket);
    if (!events)
      throw new HostError('net-guest', `port ${port} of guest '${name}' can't be reached`);
    return events;
  }

  /** When `advance` has something to do; Infinity when nothing. */
  get deadlineMs(): number {
    return Math.min(this.#tcp.deadlineMs, this.#udp.deadlineMs);
  }

  advance(): void {
    this.#tcp.advance();
    this.#udp.advance();
  }

  /**
   * Takes a frame from the wire, valid until it returns.
   * @param isTrusted the checksums of UDP and TCP weren't filled in, as a device may leave them to the wire
   */
  receive(frame: Uint8Array, isTrusted = false): void {
    const ethernet = parseEthernet(frame);
    if (!ethernet) return;
    const isForUs = ethernet.destination === this.#options.mac;
    const guest = this.#byMac.get(ethernet.source);
    if (!guest || (!isForUs && ethernet.destination !== BROADCAST_MAC)) return;
    if (ethernet.type === ETHERTYPE.arp) this.#receiveArp(guest, ethernet.payload);
    if (ethernet.type !== ETHERTYPE.ipv4) return;
    const piece = parseIpv4Packet(ethernet.payload);
    const packet = piece && guest.fragments.take(piece, this.#options.nowMs());
    if (!packet) return;
    if (packet.protocol === PROTOCOL.udp && this.#receiveDhcp(guest, packet, isTrusted)) return;
    // A guest speaks for itself only.
    if (packet.source !== guest.address || !isForUs) return;
    switch (packet.protocol) {
      case PROTOCOL.icmp:
        this.#receiveIcmp(guest, packet);
        return;
      case PROTOCOL.udp:
        this.#receiveUdp(guest, packet, isTrusted);
        return;
      case PROTOCOL.tcp:
        this.#tcp.receive(guest, packet, isTrusted);
        return;
      default:
        this.#refuse(guest, packet);
    }
  }

  #receiveArp(guest: NetGuest, payload: Uint8Array): void {
    const arp = parseArp(payload);
    if (!arp || arp.operation !== 'request' || arp.target !== this.address) return;
    const { mac } = this.#options;
    const { sender } = arp;
    const reply = {
      operation: 'reply',
      senderMac: mac,
      sender: this.address,
      target: sender,
    } as const;
    this.#options.transmit(makeArp(reply, guest.mac, guest.mac));
  }

  #receiveIcmp(guest: NetGuest, packet: Ipv4Packet): void {
    if (packet.destination !== this.address) {
      // An echo to the outside would need rights that a host's program doesn't have.
      if (packet.payload[0] === 8) this.#refuse(guest, packet);
      return;
    }
    const reply = answerEcho(packet.payload);
    if (reply) this.#sendIp(guest, this.address, guest.address, PROTOCOL.icmp, reply);
  }

  #receiveUdp(guest: NetGuest, packet: Ipv4Packet, isTrusted: boolean): void {
    const datagram = parseUdp(packet.payload, packet, isTrusted);
    if (!datagram) return;
    const { destination } = packet;
    if (destination === this.address && datagram.destinationPort === DNS_PORT) {
      this.#receiveDns(guest, datagram);
      return;
    }
    const to = this.#outside(guest, 'udp', destination, datagram.destinationPort);
    if (to === undefined) this.#refuse(guest, packet);
    else this.#udp.send(guest, to, datagram);
  }

  /** @returns whether it was a client's message */
  #receiveDhcp(guest: NetGuest, packet: Ipv4Packet, isTrusted: boolean): boolean {
    const datagram = parseUdp(packet.payload, packet, isTrusted);
    const isForServer =
      packet.destination === BROADCAST_IPV4 || packet.destination === this.address;
    if (datagram?.destinationPort !== DHCP_SERVER_PORT || !isForServer) return false;
    const request = parseDhcp(datagram.payload);
    if (request?.clientMac !== guest.mac) return true;
    const { subnet, domain, mtu } = this.#options;
    const answer = answerDhcp(request, {
      address: guest.address,
      subnetMask: maskOf(subnet.prefixBits),
      gateway: this.address,
      dns: this.address,
      hostName: guest.name,
      domain,
      mtu,
      leaseSeconds: LEASE_SECONDS,
    });
    if (!answer) return true;
    const isConfigured = request.clientAddress !== 0 && request.clientAddress === guest.address;
    this.#sendUdp(guest, this.address, isConfigured ? guest.address : BROADCAST_IPV4, {
      sourcePort: DHCP_SERVER_PORT,
      destinationPort: DHCP_CLIENT_PORT,
      payload: answer,
    });
    return true;
  }

  #receiveDns(guest: NetGuest, datagram: Udp): void {
    const query = parseDnsQuery(datagram.payload);
    if (!query) return;
    const respond = (answer: DnsAnswer): void => {
      // The guest may be gone when the outside has answered.
      if (this.#byMac.get(guest.mac) !== guest) return;
      this.#sendUdp(guest, this.address, guest.address, {
        sourcePort: DNS_PORT,
        destinationPort: datagram.sourcePort,
        payload: makeDnsResponse(query, answer),
      });
    };
    const answer = this.#answerInside(query);
    if (answer) respond(answer);
    else this.#askOutside(guest, query, respond);
  }

  /** What the network itself knows; undefined for names that aren't its own. */
  #answerInside({ name, kind }: DnsQuery): DnsAnswer | undefined {
    const { domain, subnet } = this.#options;
    if (kind === 'name') {
      const address = reverseAddress(name);
      if (address === undefined || !isInSubnet(address, subnet)) return undefined;
      const guest = this.#byAddress.get(address);
      const own = address === this.address ? 'gateway' : guest?.name;
      if (own === undefined) return { kind: 'noName' };
      return { kind: 'name', name: `${own}.${domain}`, ttlSeconds: SIBLING_TTL_SECONDS };
    }
    const isInside = name.endsWith(`.${domain}`) || !name.includes('.');
    if (!isInside) return undefined;
    const label = name.endsWith(`.${domain}`) ? name.slice(0, -domain.length - 1) : name;
    const address = label === 'gateway' ? this.address : this.#byName.get(label)?.address;
    if (address === undefined) return { kind: 'noName' };
    const addresses = kind === 'address' ? [address] : [];
    return { kind: 'addresses', addresses, ttlSeconds: SIBLING_TTL_SECONDS };
  }

  #askOutside(guest: NetGuest, query: DnsQuery, respond: (answer: DnsAnswer) => void): void {
    const { name, kind } = query;
    const asked = this.#questions.get(guest) ?? 0;
    if (!guest.policy.allowsName(name) || asked >= this.#limits.questionsMax) {
      respond({ kind: 'refused' });
      return;
    }
    if (kind !== 'address') {
      // There may be such records, but nobody needs them: IPv6 isn't spoken here.
      respond({ kind: 'addresses', addresses: [], ttlSeconds: OUTSIDE_TTL_SECONDS });
      return;
    }
    this.#questions.set(guest, asked + 1);
    const { door, nowMs } = this.#options;
    door.resolve(name, (addresses) => {
      const left = this.#questions.get(guest);
      if (left !== undefined) this.#questions.set(guest, left - 1);
      if (!addresses) return respond({ kind: 'failed' });
      if (addresses.length === 0) return respond({ kind: 'noName' });
      guest.policy.learn(name, addresses, nowMs());
      respond({ kind: 'addresses', addresses, ttlSeconds: OUTSIDE_TTL_SECONDS });
    });
  }

  /** Where a guest's packet goes outside; undefined: it may not. */
  #outside(guest: NetGuest, protocol: 'tcp' | 'udp', to: Ipv4, port: number): Ipv4 | undefined {
    if (port === 0) return undefined;
    if (to === this.address) return guest.policy.allowsHost(protocol, port) ? LOOPBACK : undefined;
    // Siblings are on the wire themselves.
    if (isInSubnet(to, this.#options.subnet)) return undefined;
    return guest.policy.allows(protocol, to, port, this.#options.nowMs()) ? to : undefined;
  }

  /** @see RFC 1812 5.2.7.1: communication administratively prohibited */
  #refuse(guest: NetGuest, { quote }: Ipv4Packet): void {
    const message = makeUnreachable(UNREACHABLE_CODE.prohibited, quote);
    this.#sendIp(guest, this.address, guest.address, PROTOCOL.icmp, message);
  }

  #sendUdp(guest: NetGuest, source: Ipv4, destination: Ipv4, datagram: Udp): void {
    const payload = makeUdp(datagram, { source, destination });
    this.#sendIp(guest, source, destination, PROTOCOL.udp, payload);
  }

  #sendIp(
    guest: NetGuest,
    source: Ipv4,
    destination: Ipv4,
    protocol: number,
    payload: Uint8Array,
  ): void {
    const { mac, mtu, transmit } = this.#options;
    this.#identification = (this.#identification + 1) & 0xffff;
    const header = { sourceMac: mac, destinationMac: guest.mac, source, destination, protocol };
    const frames = fragmentIpv4(header, payload, mtu, this.#identification);
    for (const frame of frames) transmit(frame);
  }

  #sendTcp(guest: NetGuest, source: Ipv4, length: number, write: (into: Uint8Array) => void): void {
    const { mac, transmit } = this.#options;
    const { frame, payload } = makeIpv4(
      {
        sourceMac: mac,
        destinationMac: guest.mac,
        source,
        destination: guest.address,
        protocol: PROTOCOL.tcp,
      },
      length,
    );
    write(payload);
    transmit(frame);
  }
}

function isHostAddress(address: Ipv4, subnet: Subnet): boolean {
  const broadcast = (subnet.network | ~maskOf(subnet.prefixBits)) >>> 0;
  return isInSubnet(address, subnet) && address !== subnet.network && address !== broadcast;
}
