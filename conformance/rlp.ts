import { hexToBytes } from '@polyvisor/bytes/hex';
import { utf8ToBytes } from '@polyvisor/bytes/bytes';
import { type RlpItem, RlpError, decodeRlp, encodeRlp, rlpInteger } from '@polyvisor/codec/rlp';
import { type FileResult, type RunOptions, book, emptyResult } from './suite.ts';

/** A text, a number, a list of these; or only whether the bytes are RLP. */
type Input = string | number | readonly Input[];

/** Runs a file of the RLP tests: what `in` says is written as `out`, and read back. @see ethereum/tests, RLPTests */
export function runFile(_path: string, content: string, options: RunOptions): FileResult {
  const result = emptyResult();
  const cases = JSON.parse(content) as Record<string, { in: Input; out: string }>;
  for (const [name, { in: input, out }] of Object.entries(cases)) {
    book(result, name, options, () => verdict(input, hexToBytes(out)));
  }
  return result;
}

function verdict(input: Input, bytes: Uint8Array): string | undefined {
  const read = tryDecode(bytes);
  if (input === 'INVALID') return read ? 'bytes that are no RLP were read' : undefined;
  if (!read) return 'bytes that are RLP were refused';
  const written = [encodeRlp(read), ...(input === 'VALID' ? [] : [encodeRlp(itemOf(input))])];
  return written.every((other) => Buffer.compare(other, bytes) === 0)
    ? undefined
    : 'written otherwise';
}

function tryDecode(bytes: Uint8Array): RlpItem | undefined {
  try {
    return decodeRlp(bytes);
  } catch (error) {
    if (error instanceof RlpError) return undefined;
    throw error;
  }
}

/** A text with # in front is a number too large for JSON. */
function itemOf(input: Input): RlpItem {
  if (typeof input === 'number') return rlpInteger(input);
  if (typeof input !== 'string') return input.map(itemOf);
  return input.startsWith('#') ? rlpInteger(BigInt(input.slice(1))) : utf8ToBytes(input);
}
