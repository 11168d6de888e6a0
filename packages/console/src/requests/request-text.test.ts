import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { asCurl, asViem, matches } from './request-text.ts';
import type { Call } from './request-text.ts';

const call: Call = { method: 'eth_call', params: [{ data: "it's" }, 'latest'] };

test('a shell reads the curl command as the same request', () => {
  const command = asCurl(call, 'http://127.0.0.1:8545').replace(/^curl/, `printf '%s\\0'`);
  const words = execFileSync('sh', ['-c', command]).toString().split('\0');
  expect(words.slice(0, 4)).toEqual([
    '-s',
    'http://127.0.0.1:8545',
    '-H',
    'content-type: application/json',
  ]);
  expect(JSON.parse(words[5] ?? '')).toEqual({ jsonrpc: '2.0', id: 1, ...call });
});

test('the program for viem asks the same', () => {
  const program = asViem(call, 'http://127.0.0.1:8545');
  const request = /request\((.*)\)\);/s.exec(program)?.[1] ?? '';
  expect(JSON.parse(request)).toEqual(call);
  expect(program).toContain("http('http://127.0.0.1:8545')");
});

test('a guest without an endpoint leaves the usual one to be filled in', () => {
  expect(asCurl({ method: 'eth_blockNumber' }, undefined)).toContain('http://127.0.0.1:8545');
});

const request = {
  number: 1,
  time: '2026-01-01T00:00:00.000Z',
  transport: 'http',
  method: 'eth_getBalance',
  params: ['0xABC', 'latest'],
  durationMs: 1,
} as const;
const failed = { ...request, error: { code: -32_000, message: 'no such block' } };

test('a filter’s words are looked for in method, parameters and error', () => {
  const filter = (words: string) => ({ words, onlyErrors: false });
  expect(matches(request, filter(''))).toBe(true);
  expect(matches(request, filter('getbalance 0xabc'))).toBe(true);
  expect(matches(request, filter('getbalance earliest'))).toBe(false);
  expect(matches(failed, filter('such block'))).toBe(true);
});

test('only errors leaves out what succeeded', () => {
  expect(matches(request, { words: '', onlyErrors: true })).toBe(false);
  expect(matches(failed, { words: '', onlyErrors: true })).toBe(true);
});
