import { expect, test } from 'vitest';
import { takeToken, tokenIn } from './token.ts';

function place(hash: string, kept: Record<string, string> = {}) {
  const addresses: string[] = [];
  const window = {
    location: { hash, pathname: '/', search: '' },
    history: {
      replaceState: (_data: unknown, _title: string, url?: string | URL | null) =>
        void addresses.push(String(url)),
    },
    sessionStorage: {
      getItem: (key: string) => kept[key] ?? null,
      setItem: (key: string, value: string) => void (kept[key] = value),
    },
  };
  return { window, addresses, kept };
}

test('the token moves from the address to the session', () => {
  const { window, addresses, kept } = place('#token=abc123');
  expect(takeToken(window)).toBe('abc123');
  expect(Object.values(kept)).toEqual(['abc123']);
  expect(addresses).toEqual(['/#/guests']);
});

test('a page that is loaded again has the token of its session, and its address stays', () => {
  const first = place('#token=abc123');
  takeToken(first.window);
  const again = place('#/guests/l1/blocks', first.kept);
  expect(takeToken(again.window)).toBe('abc123');
  expect(again.addresses).toEqual([]);
});

test('without a token there is none', () => {
  expect(takeToken(place('#/guests').window)).toBeUndefined();
});

test('the token is found in a pasted URL, or is what was pasted', () => {
  expect(tokenIn(' http://127.0.0.1:7400/#token=abc%2B ')).toBe('abc+');
  expect(tokenIn('abc')).toBe('abc');
});
