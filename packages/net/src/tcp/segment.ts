import { foldChecksum, sumPseudoHeader, sumWords } from '../checksum.ts';
import { viewOf } from '../ethernet.ts';
import { PROTOCOL } from '../ipv4.ts';
import type { Ends } from '../udp.ts';

/**
 * ```
 *  0 source port u16   2 destination port u16   4 sequence u32   8 acknowledgment u32
 * 12 words of the header 4 | 0 4 | flags 8      14 window u16   16 checksum u16   18 urgent u16   20 options
 * ```
 * @see RFC 9293 3.1
 */
export interface Segment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  /** As on the wire, before scaling. */
  readonly window: number;
  /** Only with SYN: bytes of payload that the sender takes in one segment. */
  readonly mss?: number | undefined;
  /** Only with SYN: bits that windows in later segments are shifted by, 0 to 14. */
  readonly windowShift?: number | undefined;
  readonly payload: Uint8Array;
}

export const FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;
export const TCP_BYTES = 20;
const OPTION = { end: 0, nothing: 1, mss: 2, windowShift: 3 } as const;
/** @see RFC 7323 2.3 */
const WINDOW_SHIFT_MAX = 14;

/** @param isTrusted the checksum wasn't filled in, as over a wire that loses nothing */
export function parseSegment(
  bytes: Uint8Array,
  ends: Ends,
  isTrusted: boolean,
): Segment | undefined {
  if (bytes.length < TCP_BYTES) return undefined;
  const view = viewOf(bytes);
  const headerBytes = (bytes[12]! >> 4) * 4;
  if (headerBytes < TCP_BYTES || headerBytes > bytes.length) return undefined;
  if (!isTrusted && checksum(bytes, ends) !== 0) return undefined;
  const flags = bytes[13]!;
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    sequence: view.getUint32(4),
    acknowledgment: view.getUint32(8),
    flags,
    window: view.getUint16(14),
    ...((flags & FLAG.syn) !== 0 ? parseOptions(bytes.subarray(TCP_BYTES, headerBytes)) : {}),
    payload: bytes.subarray(headerBytes),
  };
}

function parseOptions(options: Uint8Array): Pick<Segment, 'mss' | 'windowShift'> {
  let mss: number | undefined;
  let windowShift: number | undefined;
  let at = 0;
  while (at < options.length && options[at] !== OPTION.end) {
    if (options[at] === OPTION.nothing) {
      at++;
      continue;
    }
    const length = options[at + 1] ?? 0;
    // What comes after a wrong length can't be read.
    if (length < 2 || at + length > options.length) break;
    if (options[at] === OPTION.mss && length === 4) {
      mss = (options[at + 2]! << 8) | options[at + 3]!;
    } else if (options[at] === OPTION.windowShift && length === 3) {
      windowShift = Math.min(options[at + 2]!, WINDOW_SHIFT_MAX);
    }
    at += length;
  }
  return { mss, windowShift };
}

export function segmentBytes({ mss, windowShift, payload }: Segment): number {
  return (
    TCP_BYTES + (mss === undefined ? 0 : 4) + (windowShift === undefined ? 0 : 4) + payload.length
  );
}

/** Writes a segment into `into`, which has exactly `segmentBytes` zeros. */
export function writeSegment(segment: Segment, into: Uint8Array, ends: Ends): void {
  const view = viewOf(into);
  view.setUint16(0, segment.sourcePort);
  view.setUint16(2, segment.destinationPort);
  view.setUint32(4, segment.sequence);
  view.setUint32(8, segment.acknowledgment);
  view.setUint8(13, segment.flags);
  view.setUint16(14, segment.window);
  let at = TCP_BYTES;
  if (segment.mss !== undefined) {
    view.setUint16(at, (OPTION.mss << 8) | 4);
    view.setUint16(at + 2, segment.mss);
    at += 4;
  }
  if (segment.windowShift !== undefined) {
    view.setUint32(at, (OPTION.nothing << 24) | (OPTION.windowShift << 16) | (3 << 8));
    view.setUint8(at + 3, segment.windowShift);
    at += 4;
  }
  view.setUint8(12, (at / 4) << 4);
  into.set(segment.payload, at);
  view.setUint16(16, checksum(into, ends));
}

function checksum(bytes: Uint8Array, { source, destination }: Ends): number {
  const pseudo = sumPseudoHeader(source, destination, PROTOCOL.tcp, bytes.length);
  return foldChecksum(sumWords(bytes, pseudo));
}
