import type { Ipv4, Mac } from './address.ts';
import { foldChecksum, sumWords } from './checksum.ts';
import { ETHERTYPE, makeEthernet, viewOf } from './ethernet.ts';

/**
 * ```
 *  0 version 4 | words of the header   1 service   2 total length u16   4 identification u16
 *  6 flags 3 | fragment offset 13      8 time to live   9 protocol      10 checksum u16
 * 12 source   16 destination           20 options
 * ```
 * @see RFC 791
 */
export const IPV4_BYTES = 20;
export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17 } as const;
const TIME_TO_LIVE = 64;
const MORE_FRAGMENTS = 0x2000;
const FRAGMENT_OFFSET_MASK = 0x1fff;

export interface Ipv4Packet {
  readonly source: Ipv4;
  readonly destination: Ipv4;
  readonly protocol: number;
  readonly identification: number;
  /** Bytes into the payload of the whole packet. */
  readonly fragmentOffset: number;
  readonly hasMoreFragments: boolean;
  readonly payload: Uint8Array;
  /** Header and the payload's first 8 bytes, which an ICMP error quotes. */
  readonly quote: Uint8Array;
}

/** @returns undefined when the lengths, the version or the checksum is wrong */
export function parseIpv4Packet(bytes: Uint8Array): Ipv4Packet | undefined {
  if (bytes.length < IPV4_BYTES || bytes[0]! >> 4 !== 4) return undefined;
  const headerBytes = (bytes[0]! & 15) * 4;
  const view = viewOf(bytes);
  const totalBytes = view.getUint16(2);
  // A short frame is padded, so the packet may end before it.
  if (headerBytes < IPV4_BYTES || totalBytes < headerBytes || totalBytes > bytes.length) {
    return undefined;
  }
  if (foldChecksum(sumWords(bytes.subarray(0, headerBytes))) !== 0) return undefined;
  const fragment = view.getUint16(6);
  return {
    source: view.getUint32(12),
    destination: view.getUint32(16),
    protocol: bytes[9]!,
    identification: view.getUint16(4),
    fragmentOffset: (fragment & FRAGMENT_OFFSET_MASK) * 8,
    hasMoreFragments: (fragment & MORE_FRAGMENTS) !== 0,
    payload: bytes.subarray(headerBytes, totalBytes),
    quote: bytes.subarray(0, Math.min(headerBytes + 8, totalBytes)),
  };
}

export interface Ipv4Header {
  readonly sourceMac: Mac;
  readonly destinationMac: Mac;
  readonly source: Ipv4;
  readonly destination: Ipv4;
  readonly protocol: number;
}

/** A frame with an IPv4 header and room for the payload. Not a fragment, and not to be made into some. */
export function makeIpv4(
  header: Ipv4Header,
  payloadBytes: number,
): { readonly frame: Uint8Array; readonly payload: Uint8Array } {
  return make(header, payloadBytes, 0, 0x4000);
}

/** Frames that carry a payload in packets of at most `mtu` bytes: one, or fragments. */
export function fragmentIpv4(
  header: Ipv4Header,
  payload: Uint8Array,
  mtu: number,
  identification: number,
): Uint8Array[] {
  if (payload.length <= mtu - IPV4_BYTES) {
    const whole = makeIpv4(header, payload.length);
    whole.payload.set(payload);
    return [whole.frame];
  }
  const pieceBytes = (mtu - IPV4_BYTES) & ~7;
  const frames: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += pieceBytes) {
    const piece = payload.subarray(at, at + pieceBytes);
    const more = at + pieceBytes < payload.length ? MORE_FRAGMENTS : 0;
    const made = make(header, piece.length, identification, more | (at / 8));
    made.payload.set(piece);
    frames.push(made.frame);
  }
  return frames;
}

function make(
  header: Ipv4Header,
  payloadBytes: number,
  identification: number,
  fragment: number,
): { readonly frame: Uint8Array; readonly payload: Uint8Array } {
  const { frame, payload } = makeEthernet(
    header.destinationMac,
    header.sourceMac,
    ETHERTYPE.ipv4,
    IPV4_BYTES + payloadBytes,
  );
  const view = viewOf(payload);
  view.setUint16(0, 0x4500);
  view.setUint16(2, IPV4_BYTES + payloadBytes);
  view.setUint16(4, identification);
  view.setUint16(6, fragment);
  view.setUint8(8, TIME_TO_LIVE);
  view.setUint8(9, header.protocol);
  view.setUint32(12, header.source);
  view.setUint32(16, header.destination);
  view.setUint16(10, foldChecksum(sumWords(payload.subarray(0, IPV4_BYTES))));
  return { frame, payload: payload.subarray(IPV4_BYTES) };
}
