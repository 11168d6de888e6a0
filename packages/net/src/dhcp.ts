import { concatBytes, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { readMac, writeMac } from './address.ts';
import type { Ipv4, Mac } from './address.ts';
import { viewOf } from './ethernet.ts';

/**
 * ```
 *   0 operation u8: 1 request, 2 reply   1 hardware 1, 6, hops   4 transaction u32   8 seconds, flags u16 each
 *  12 client's address   16 your address   20 next server   24 relay   28 client's MAC, padded to 16
 *  44 server name 64    108 file 128      236 magic 0x63825363   240 options {type u8, length u8, bytes}, 255
 * ```
 * @see RFC 2131, RFC 2132
 */
const OPTIONS_AT = 240;
const MAGIC = 0x6382_5363;
const FLAG_BROADCAST = 0x8000;
export const DHCP_SERVER_PORT = 67;
export const DHCP_CLIENT_PORT = 68;

const OPTION = {
  pad: 0,
  subnetMask: 1,
  router: 3,
  dns: 6,
  hostName: 12,
  domain: 15,
  mtu: 26,
  requestedAddress: 50,
  leaseSeconds: 51,
  type: 53,
  server: 54,
  end: 255,
} as const;

const TYPES = [
  undefined,
  'discover',
  'offer',
  'request',
  'decline',
  'ack',
  'nak',
  'release',
  'inform',
] as const;
export type DhcpType = NonNullable<(typeof TYPES)[number]>;

export interface DhcpRequest {
  readonly type: DhcpType;
  readonly transaction: number;
  readonly wantsBroadcast: boolean;
  readonly clientMac: Mac;
  /** The address that the client has already; 0: none. */
  readonly clientAddress: Ipv4;
  readonly requested: Ipv4 | undefined;
  readonly server: Ipv4 | undefined;
}

/** @returns undefined for what isn't a client's message over Ethernet */
export function parseDhcp(message: Uint8Array): DhcpRequest | undefined {
  if (message.length < OPTIONS_AT) return undefined;
  const view = viewOf(message);
  if (view.getUint32(236) !== MAGIC || view.getUint16(0) !== 0x0101 || view.getUint8(2) !== 6) {
    return undefined;
  }
  const options = parseOptions(message.subarray(OPTIONS_AT));
  const addressIn = (type: number): Ipv4 | undefined => {
    const value = options.get(type);
    return value?.length === 4 ? viewOf(value).getUint32(0) : undefined;
  };
  const messageType = TYPES[options.get(OPTION.type)?.[0] ?? 0];
  if (!messageType) return undefined;
  return {
    type: messageType,
    transaction: view.getUint32(4),
    wantsBroadcast: (view.getUint16(10) & FLAG_BROADCAST) !== 0,
    clientAddress: view.getUint32(12),
    clientMac: readMac(view, 28),
    requested: addressIn(OPTION.requestedAddress),
    server: addressIn(OPTION.server),
  };
}

function parseOptions(bytes: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  let at = 0;
  while (at < bytes.length && bytes[at] !== OPTION.end) {
    if (bytes[at] === OPTION.pad) {
      at++;
      continue;
    }
    const length = bytes[at + 1];
    if (length === undefined || at + 2 + length > bytes.length) break;
    options.set(bytes[at]!, bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}

export interface DhcpLease {
  readonly address: Ipv4;
  readonly subnetMask: Ipv4;
  readonly gateway: Ipv4;
  readonly dns: Ipv4;
  readonly hostName: string;
  readonly domain: string;
  readonly mtu: number;
  readonly leaseSeconds: number;
}

/**
 * What a server with one lease for this client answers.
 * @returns undefined where it says nothing
 */
export function answerDhcp(request: DhcpRequest, lease: DhcpLease): Uint8Array | undefined {
  // The client chose another server.
  if (request.server !== undefined && request.server !== lease.gateway) return undefined;
  switch (request.type) {
    case 'discover':
      return makeReply('offer', request, lease);
    case 'request': {
      const wanted = request.requested ?? request.clientAddress;
      return makeReply(wanted === lease.address ? 'ack' : 'nak', request, lease);
    }
    case 'inform':
      return makeReply('ack', request, lease);
    default:
      return undefined;
  }
}

function makeReply(type: DhcpType, request: DhcpRequest, lease: DhcpLease): Uint8Array {
  const header = new Uint8Array(OPTIONS_AT);
  const view = viewOf(header);
  view.setUint32(0, 0x0201_0600);
  view.setUint32(4, request.transaction);
  view.setUint16(10, request.wantsBroadcast ? FLAG_BROADCAST : 0);
  const isNak = type === 'nak';
  const isInform = request.type === 'inform';
  view.setUint32(12, isNak ? 0 : request.clientAddress);
  view.setUint32(16, isNak || isInform ? 0 : lease.address);
  view.setUint32(20, isNak ? 0 : lease.gateway);
  writeMac(view, 28, request.clientMac);
  view.setUint32(236, MAGIC);
  const mtu = new Uint8Array(2);
  viewOf(mtu).setUint16(0, lease.mtu);
  return concatBytes(
    header,
    option(OPTION.type, Uint8Array.of(TYPES.indexOf(type))),
    option(OPTION.server, u32(lease.gateway)),
    ...(isNak
      ? []
      : [
          ...(isInform ? [] : [option(OPTION.leaseSeconds, u32(lease.leaseSeconds))]),
          option(OPTION.subnetMask, u32(lease.subnetMask)),
          option(OPTION.router, u32(lease.gateway)),
          option(OPTION.dns, u32(lease.dns)),
          option(OPTION.hostName, utf8ToBytes(lease.hostName)),
          option(OPTION.domain, utf8ToBytes(lease.domain)),
          option(OPTION.mtu, mtu),
        ]),
    Uint8Array.of(OPTION.end),
  );
}

function option(type: number, value: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(type, value.length), value);
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value);
  return bytes;
}
