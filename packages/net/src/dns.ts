import { concatBytes, utf8ToBytes } from '@polyvisor/bytes/bytes';
import type { Ipv4 } from './address.ts';
import { viewOf } from './ethernet.ts';

/**
 * ```
 *  0 id u16   2 flags u16   4 questions u16   6 answers u16   8 authorities u16   10 additional u16
 * 12 question: labels {length u8, bytes}, 0; type u16; class u16
 * ```
 * @see RFC 1035 4
 */
const HEADER_BYTES = 12;
const NAME_BYTES_MAX = 255;
const LABEL_BYTES_MAX = 63;
const CLASS_INTERNET = 1;
const TYPE_A = 1;
const TYPE_PTR = 12;
/** A pointer to the name in the question. */
const QUESTION_NAME = 0xc000 | HEADER_BYTES;

const FLAG = {
  response: 0x8000,
  opcode: 0x7800,
  recursionDesired: 0x0100,
  recursionAvailable: 0x80,
};
const CODE = { fine: 0, failed: 2, noName: 3, refused: 5 } as const;

export interface DnsQuery {
  readonly id: number;
  readonly isRecursionDesired: boolean;
  /** Lower case, labels joined by dots, none at the end. */
  readonly name: string;
  readonly kind: 'address' | 'name' | 'other';
  /** As it was asked, to be sent back. */
  readonly question: Uint8Array;
}

export type DnsAnswer =
  | { readonly kind: 'addresses'; readonly addresses: readonly Ipv4[]; readonly ttlSeconds: number }
  | { readonly kind: 'name'; readonly name: string; readonly ttlSeconds: number }
  | { readonly kind: 'failed' | 'noName' | 'refused' };

/** More addresses than that don't fit a datagram of 512 bytes with any name. */
const ADDRESSES_MAX = 8;

/** @returns undefined for what isn't one plain question about the internet */
export function parseDnsQuery(message: Uint8Array): DnsQuery | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const view = viewOf(message);
  const flags = view.getUint16(2);
  if ((flags & (FLAG.response | FLAG.opcode)) !== 0 || view.getUint16(4) !== 1) return undefined;
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > LABEL_BYTES_MAX) return undefined;
    at++;
    if (length === 0) break;
    if (at + length > message.length || at + length - HEADER_BYTES > NAME_BYTES_MAX)
      return undefined;
    const label = String.fromCharCode(...message.subarray(at, at + length)).toLowerCase();
    // A dot in a label would look like two of them.
    if (label.includes('.')) return undefined;
    labels.push(label);
    at += length;
  }
  if (at + 4 > message.length || view.getUint16(at + 2) !== CLASS_INTERNET) return undefined;
  const type = view.getUint16(at);
  return {
    id: view.getUint16(0),
    isRecursionDesired: (flags & FLAG.recursionDesired) !== 0,
    name: labels.join('.'),
    kind: type === TYPE_A ? 'address' : type === TYPE_PTR ? 'name' : 'other',
    question: message.slice(HEADER_BYTES, at + 4),
  };
}

export function makeDnsResponse(query: DnsQuery, answer: DnsAnswer): Uint8Array {
  const records = recordsOf(answer);
  const header = new Uint8Array(HEADER_BYTES);
  const view = viewOf(header);
  const isAnswer = answer.kind === 'addresses' || answer.kind === 'name';
  const code = isAnswer ? CODE.fine : CODE[answer.kind];
  view.setUint16(0, query.id);
  view.setUint16(
    2,
    FLAG.response |
      FLAG.recursionAvailable |
      (query.isRecursionDesired ? FLAG.recursionDesired : 0) |
      code,
  );
  view.setUint16(4, 1);
  view.setUint16(6, records.length);
  return concatBytes(header, query.question, ...records);
}

/** The address that a name for reverse look-up, `1.2.0.10.in-addr.arpa`, is about. */
export function reverseAddress(name: string): Ipv4 | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  const parts = match?.slice(1).map(Number);
  if (!parts || parts.some((part) => part > 255)) return undefined;
  return parts.reduceRight((address, part) => address * 256 + part, 0);
}

function recordsOf(answer: DnsAnswer): Uint8Array[] {
  if (answer.kind === 'addresses') {
    return answer.addresses.slice(0, ADDRESSES_MAX).map((address) => {
      const data = new Uint8Array(4);
      viewOf(data).setUint32(0, address);
      return record(TYPE_A, answer.ttlSeconds, data);
    });
  }
  if (answer.kind !== 'name') return [];
  const labels = answer.name.split('.').map((label) => {
    return concatBytes(Uint8Array.of(label.length), utf8ToBytes(label));
  });
  return [record(TYPE_PTR, answer.ttlSeconds, concatBytes(...labels, Uint8Array.of(0)))];
}

function record(type: number, ttlSeconds: number, data: Uint8Array): Uint8Array {
  const head = new Uint8Array(12);
  const view = viewOf(head);
  view.setUint16(0, QUESTION_NAME);
  view.setUint16(2, type);
  view.setUint16(4, CLASS_INTERNET);
  view.setUint32(6, ttlSeconds);
  view.setUint16(10, data.length);
  return concatBytes(head, data);
}
