import type { Ipv4 } from './address.ts';
import { foldChecksum, sumPseudoHeader, sumWords } from './checksum.ts';
import { viewOf } from './ethernet.ts';
import { PROTOCOL } from './ipv4.ts';

/** `0 source port u16   2 destination port u16   4 length u16   6 checksum u16, 0: none` @see RFC 768 */
export const UDP_BYTES = 8;
export const UDP_PAYLOAD_BYTES_MAX = 65_507;

export interface Udp {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

export interface Ends {
  readonly source: Ipv4;
  readonly destination: Ipv4;
}

/** @param isTrusted the checksum wasn't filled in, as over a wire that loses nothing */
export function parseUdp(bytes: Uint8Array, ends: Ends, isTrusted: boolean): Udp | undefined {
  if (bytes.length < UDP_BYTES) return undefined;
  const view = viewOf(bytes);
  const length = view.getUint16(4);
  if (length < UDP_BYTES || length > bytes.length) return undefined;
  const datagram = bytes.subarray(0, length);
  if (!isTrusted && view.getUint16(6) !== 0 && checksum(datagram, ends) !== 0) return undefined;
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    payload: datagram.subarray(UDP_BYTES),
  };
}

export function makeUdp({ sourcePort, destinationPort, payload }: Udp, ends: Ends): Uint8Array {
  const bytes = new Uint8Array(UDP_BYTES + payload.length);
  const view = viewOf(bytes);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint16(4, bytes.length);
  bytes.set(payload, UDP_BYTES);
  // 0 would mean that there is none.
  view.setUint16(6, checksum(bytes, ends) || 0xffff);
  return bytes;
}

function checksum(bytes: Uint8Array, { source, destination }: Ends): number {
  const pseudo = sumPseudoHeader(source, destination, PROTOCOL.udp, bytes.length);
  return foldChecksum(sumWords(bytes, pseudo));
}
