import { knownEvents } from './known-signatures.ts';
import type { EventInput } from './known-signatures.ts';
import type { RpcLog } from './rpc-types.ts';

/** A log read as one of the known events. */
export interface DecodedLog {
  readonly name: string;
  readonly standard: string;
  readonly values: readonly DecodedValue[];
}

export interface DecodedValue {
  readonly name: string;
  readonly type: EventInput['type'];
  /** An address in hex, a number in decimal, `true` or `false`. */
  readonly text: string;
}

/** undefined: none of the known events has its first topic and its number of topics and words. */
export function decodeLog({
  topics,
  data,
}: Pick<RpcLog, 'topics' | 'data'>): DecodedLog | undefined {
  const words = wordsOf(data);
  const known = knownEvents.find(({ topic, inputs }) => {
    const indexed = inputs.filter(({ isIndexed }) => isIndexed).length;
    return (
      topic === topics[0] &&
      topics.length === 1 + indexed &&
      words.length === inputs.length - indexed
    );
  });
  if (known === undefined) return undefined;
  const indexed = topics.slice(1);
  const values = known.inputs.map(({ name, type, isIndexed }) => {
    const word = (isIndexed ? indexed.shift() : words.shift()) ?? '0x';
    return { name, type, text: wordText(word, type) };
  });
  return { name: known.name, standard: known.standard, values };
}

/** The 32-byte words of ABI-encoded data, each with `0x`; the last may be shorter. */
export function wordsOf(data: string): string[] {
  return (data.slice(2).match(/.{1,64}/g) ?? []).map((word) => `0x${word}`);
}

function wordText(word: string, type: EventInput['type']): string {
  if (type === 'address') return `0x${word.slice(-40)}`;
  return type === 'bool' ? String(BigInt(word) !== 0n) : BigInt(word).toString();
}
