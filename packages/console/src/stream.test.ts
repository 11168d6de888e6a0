import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventData, jsonLines, lines } from './stream.ts';

async function* chunksOf(text: string, ...cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted(
    (a, b) => a - b,
  );
  let start = 0;
  for (const end of ends) {
    yield bytes.subarray(start, end);
    start = end;
  }
}

test('lines do not depend on where the network cut them', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ''))),
      fc.array(fc.nat()),
      async (texts, cuts) => {
        const body = chunksOf(texts.map((text) => `${text}\n`).join(''), ...cuts);
        expect(await Array.fromAsync(lines(body))).toEqual(texts);
      },
    ),
    { seed: 7400, numRuns: 200 },
  ));

test('JSON lines skip the empty lines that keep the connection alive', async () => {
  const values = await Array.fromAsync(jsonLines(chunksOf('{"a":1}\n\n{"a":2}\n')));
  expect(values).toEqual([{ a: 1 }, { a: 2 }]);
});

test('events are their data; names, comments and carriage returns are not', async () => {
  const text = 'event: head\r\ndata: {"a":\r\ndata:1}\r\n\r\n: alive\n\ndata: 2\n\n';
  expect(await Array.fromAsync(eventData(chunksOf(text)))).toEqual([{ a: 1 }, 2]);
});

test('an event that the end cut off is none', async () => {
  expect(await Array.fromAsync(eventData(chunksOf('data: 1\n')))).toEqual([]);
});
