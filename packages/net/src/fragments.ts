import type { Ipv4Packet } from './ipv4.ts';

/** Packets of one guest that may be in pieces at a time; the oldest goes. */
const PACKETS_MAX = 16;
/** Pieces of one packet: with the smallest MTU of 68 bytes there are more, but nobody has that. */
const PIECES_MAX = 128;
const PAYLOAD_BYTES_MAX = 65_515;
/** @see RFC 1122 3.3.2 */
const PATIENCE_MS = 60_000;

interface Pieces {
  readonly sinceMs: number;
  /** In order, none over another. */
  readonly pieces: { readonly offset: number; readonly bytes: Uint8Array }[];
  /** Bytes of the whole payload, once the last piece came. */
  length: number | undefined;
  quote: Uint8Array | undefined;
}

/** The packets that one guest sends in pieces. Pieces that overlap are an attack, and end their packet. */
export class Fragments {
  readonly #packets = new Map<string, Pieces>();

  /** The packet, if it's whole; the whole, if it was the last piece; else undefined. */
  take(packet: Ipv4Packet, nowMs: number): Ipv4Packet | undefined {
    const { fragmentOffset: offset, hasMoreFragments, payload } = packet;
    if (offset === 0 && !hasMoreFragments) return packet;
    const key = `${packet.destination}-${packet.protocol}-${packet.identification}`;
    const known = this.#packets.get(key);
    const isFresh = known !== undefined && nowMs - known.sinceMs < PATIENCE_MS;
    const whole = isFresh
      ? known
      : { sinceMs: nowMs, pieces: [], length: undefined, quote: undefined };
    if (!isFresh) {
      this.#packets.delete(key);
      this.#packets.set(key, whole);
      const [oldest] = this.#packets.keys();
      if (this.#packets.size > PACKETS_MAX && oldest !== undefined) this.#packets.delete(oldest);
    }
    if (!add(whole, offset, payload, hasMoreFragments)) {
      this.#packets.delete(key);
      return undefined;
    }
    if (offset === 0) whole.quote = packet.quote.slice();
    const bytes = join(whole);
    if (!bytes) return undefined;
    this.#packets.delete(key);
    const quote = whole.quote ?? packet.quote;
    return { ...packet, fragmentOffset: 0, hasMoreFragments: false, payload: bytes, quote };
  }
}

/** @returns whether the piece fits those before */
function add(whole: Pieces, offset: number, payload: Uint8Array, hasMore: boolean): boolean {
  const end = offset + payload.length;
  const isOdd = hasMore && payload.length % 8 !== 0;
  if (isOdd || payload.length === 0 || end > PAYLOAD_BYTES_MAX) return false;
  if (whole.pieces.length >= PIECES_MAX) return false;
  if (!hasMore) {
    if (whole.length !== undefined && whole.length !== end) return false;
    whole.length = end;
  }
  const index = whole.pieces.findLastIndex((piece) => piece.offset < offset) + 1;
  const [before, after] = [whole.pieces[index - 1], whole.pieces[index]];
  // A piece that comes twice is no harm.
  if (after?.offset === offset && after.bytes.length === payload.length) return true;
  if (before && before.offset + before.bytes.length > offset) return false;
  if (after && after.offset < end) return false;
  whole.pieces.splice(index, 0, { offset, bytes: payload.slice() });
  return true;
}

/** All bytes, when none is missing. */
function join({ pieces, length }: Pieces): Uint8Array | undefined {
  if (length === undefined) return undefined;
  let end = 0;
  for (const { offset, bytes } of pieces) {
    if (offset !== end) return undefined;
    end += bytes.length;
  }
  if (end !== length) return undefined;
  const out = new Uint8Array(length);
  for (const { offset, bytes } of pieces) out.set(bytes, offset);
  return out;
}
