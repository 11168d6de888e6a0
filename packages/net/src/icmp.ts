import { foldChecksum, sumWords } from './checksum.ts';
import { viewOf } from './ethernet.ts';

/** @see RFC 792, RFC 1812 5.2.7.1 for the codes */
const ECHO_REPLY = 0;
const ECHO_REQUEST = 8;
const UNREACHABLE = 3;
const HEADER_BYTES = 8;

export const UNREACHABLE_CODE = { host: 1, port: 3, prohibited: 13 } as const;

/** The answer to an echo request; undefined to anything else. */
export function answerEcho(message: Uint8Array): Uint8Array | undefined {
  if (message.length < HEADER_BYTES || message[0] !== ECHO_REQUEST || message[1] !== 0) {
    return undefined;
  }
  if (foldChecksum(sumWords(message)) !== 0) return undefined;
  const reply = message.slice();
  reply[0] = ECHO_REPLY;
  return withChecksum(reply);
}

/** That a packet doesn't arrive; `quote` is its header and first 8 bytes. */
export function makeUnreachable(code: number, quote: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES + quote.length);
  message[0] = UNREACHABLE;
  message[1] = code;
  message.set(quote, HEADER_BYTES);
  return withChecksum(message);
}

function withChecksum(message: Uint8Array): Uint8Array {
  const view = viewOf(message);
  view.setUint16(2, 0);
  view.setUint16(2, foldChecksum(sumWords(message)));
  return message;
}
