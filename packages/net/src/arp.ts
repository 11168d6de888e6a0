import { readMac, writeMac } from './address.ts';
import type { Ipv4, Mac } from './address.ts';
import { ETHERTYPE, makeEthernet, viewOf } from './ethernet.ts';

/**
 * ```
 *  0 hardware u16 = 1   2 protocol u16 = IPv4   4 lengths 6, 4   6 operation u16: 1 request, 2 reply
 *  8 sender MAC   14 sender IPv4   18 target MAC   24 target IPv4
 * ```
 * @see RFC 826
 */
export interface Arp {
  readonly operation: 'request' | 'reply';
  readonly senderMac: Mac;
  readonly sender: Ipv4;
  readonly target: Ipv4;
}

const ARP_BYTES = 28;
const HARDWARE_ETHERNET = 1;
const LENGTHS = 0x0604;

/** @returns undefined for what isn't ARP for IPv4 over Ethernet */
export function parseArp(payload: Uint8Array): Arp | undefined {
  if (payload.length < ARP_BYTES) return undefined;
  const view = viewOf(payload);
  const isEthernet = view.getUint16(0) === HARDWARE_ETHERNET && view.getUint16(4) === LENGTHS;
  const operation = view.getUint16(6);
  if (!isEthernet || view.getUint16(2) !== ETHERTYPE.ipv4) return undefined;
  if (operation !== 1 && operation !== 2) return undefined;
  return {
    operation: operation === 1 ? 'request' : 'reply',
    senderMac: readMac(view, 8),
    sender: view.getUint32(14),
    target: view.getUint32(24),
  };
}

/** A frame: to a request, that `sender` is at `senderMac`; or, to everybody, who has `target`. */
export function makeArp(arp: Arp, destination: Mac, targetMac: Mac): Uint8Array {
  const { frame, payload } = makeEthernet(destination, arp.senderMac, ETHERTYPE.arp, ARP_BYTES);
  const view = viewOf(payload);
  view.setUint16(0, HARDWARE_ETHERNET);
  view.setUint16(2, ETHERTYPE.ipv4);
  view.setUint16(4, LENGTHS);
  view.setUint16(6, arp.operation === 'request' ? 1 : 2);
  writeMac(view, 8, arp.senderMac);
  view.setUint32(14, arp.sender);
  writeMac(view, 18, targetMac);
  view.setUint32(24, arp.target);
  return frame;
}
