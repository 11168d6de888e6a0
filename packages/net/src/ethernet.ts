import { readMac, writeMac } from './address.ts';
import type { Mac } from './address.ts';

/**
 * ```
 *  0 destination 6   6 source 6   12 type u16   14 payload
 * ```
 * without the preamble and the check sequence, which a virtual wire doesn't have.
 */
export const ETHERNET_BYTES = 14;
export const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806 } as const;

export interface Ethernet {
  readonly destination: Mac;
  readonly source: Mac;
  readonly type: number;
  readonly payload: Uint8Array;
}

/** @returns undefined when the frame is too short to have a header */
export function parseEthernet(frame: Uint8Array): Ethernet | undefined {
  if (frame.length < ETHERNET_BYTES) return undefined;
  const view = viewOf(frame);
  return {
    destination: readMac(view, 0),
    source: readMac(view, 6),
    type: view.getUint16(12),
    payload: frame.subarray(ETHERNET_BYTES),
  };
}

/** A frame with room for its payload, which is zeros. */
export function makeEthernet(
  destination: Mac,
  source: Mac,
  type: number,
  payloadBytes: number,
): { readonly frame: Uint8Array; readonly payload: Uint8Array } {
  const frame = new Uint8Array(ETHERNET_BYTES + payloadBytes);
  const view = viewOf(frame);
  writeMac(view, 0, destination);
  writeMac(view, 6, source);
  view.setUint16(12, type);
  return { frame, payload: frame.subarray(ETHERNET_BYTES) };
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
