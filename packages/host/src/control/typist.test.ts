import { expect, test } from 'vitest';
import { typist } from './typist.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('what is typed while a request is under way goes with the next, in order', async () => {
  const sent: string[] = [];
  const rooms: ((taken: number) => void)[] = [];
  const type = typist(
    (piece) => {
      sent.push(new TextDecoder().decode(piece));
      return new Promise((resolve) => void rooms.push(resolve));
    },
    () => {},
  );
  const answer = async (taken: number): Promise<void> => {
    rooms.shift()!(taken);
    await Promise.resolve();
    await Promise.resolve();
  };
  type(bytes('a'));
  type(bytes('b'));
  type(bytes('c'));
  expect(sent).toEqual(['a']);
  await answer(1);
  expect(sent).toEqual(['a', 'bc']);
  await answer(1);
  expect(sent).toEqual(['a', 'bc', 'c']);
});

test('a failure is told, and what waits is dropped', async () => {
  const failures: unknown[] = [];
  const type = typist(
    () => Promise.reject(new Error('gone')),
    (error) => void failures.push(error),
  );
  type(bytes('abc'));
  await new Promise((resolve) => setTimeout(resolve));
  expect(failures).toEqual([new Error('gone')]);
});
