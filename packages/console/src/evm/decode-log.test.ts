import {
  encodeAbiParameters,
  encodeEventTopics,
  parseAbi,
  toEventSelector,
  toFunctionSelector,
} from 'viem';
import { expect, test } from 'vitest';
import { decodeLog, wordsOf } from './decode-log.ts';
import { knownEvents, knownFunctions } from './known-signatures.ts';

test.each(knownEvents)('$standard $name has the topic of its signature', (event) => {
  const types = event.inputs.map(({ type }) => type).join(',');
  expect(event.topic).toBe(toEventSelector(`${event.name}(${types})`));
});

test.each(Object.entries(knownFunctions))('%s is the selector of %s', (selector, signature) => {
  expect(selector).toBe(toFunctionSelector(signature));
});

const a = '0x00000000000000000000000000000000000000aa';
const b = '0x00000000000000000000000000000000000000bb';
const word = (value: bigint): string => `0x${value.toString(16).padStart(64, '0')}`;

test('a token transfer is read from topics and data', () => {
  const abi = parseAbi(['event Transfer(address indexed from, address indexed to, uint256 value)']);
  const topics = encodeEventTopics({ abi, args: { from: a, to: b } }) as string[];
  const data = encodeAbiParameters([{ type: 'uint256' }], [10n ** 30n]);
  expect(decodeLog({ topics, data })).toEqual({
    name: 'Transfer',
    standard: 'ERC-20',
    values: [
      { name: 'from', type: 'address', text: a },
      { name: 'to', type: 'address', text: b },
      { name: 'value', type: 'uint256', text: '1000000000000000000000000000000' },
    ],
  });
});

test('with a third indexed value it is the transfer of one token', () => {
  const topics = [knownEvents[0]?.topic ?? '', word(0xaan), word(0xbbn), word(5n)];
  const decoded = decodeLog({ topics, data: '0x' });
  expect(decoded?.standard).toBe('ERC-721');
  expect(decoded?.values[2]).toEqual({ name: 'tokenId', type: 'uint256', text: '5' });
});

test('a log that has a known topic and another shape is not decoded', () => {
  const topic = knownEvents[0]?.topic ?? '';
  expect(decodeLog({ topics: [topic], data: '0x' })).toBeUndefined();
  expect(decodeLog({ topics: [topic, word(1n), word(2n)], data: '0x' })).toBeUndefined();
  expect(decodeLog({ topics: [], data: word(1n) })).toBeUndefined();
});

test('data falls into words', () => {
  expect(wordsOf('0x')).toEqual([]);
  expect(wordsOf(`${word(1n)}ff`)).toEqual([word(1n), '0xff']);
});
