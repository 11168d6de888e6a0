import { expect, test } from 'vitest';
import { evmFields, fieldErrors, specOf } from './evm-spec.ts';

const form = (values: Record<string, string>) => ({ get: (name: string) => values[name] ?? null });

test('an empty form asks for an EVM guest with all defaults', () => {
  expect(specOf(form({}))).toEqual({ kind: 'evm' });
});

test('values go where their paths say, numbers as numbers', () => {
  const values = {
    name: ' l1 ',
    'options.chainId': '7',
    'cpu.cap': '0.5',
    memory: '256MiB',
    'options.port': '0',
  };
  expect(specOf(form(values))).toEqual({
    kind: 'evm',
    name: 'l1',
    options: { chainId: 7, port: 0 },
    cpu: { cap: 0.5 },
    memory: '256MiB',
  });
});

test('what is no number goes as it is, for the API to refuse', () => {
  expect(specOf(form({ 'options.port': 'any' }))).toEqual({
    kind: 'evm',
    options: { port: 'any' },
  });
});

test('each message stands by its field', () => {
  const message =
    'the body: options.chainId: Too small: expected number to be >=1; options.port: Invalid input';
  expect([...fieldErrors(message)]).toEqual([
    ['options.chainId', 'Too small: expected number to be >=1'],
    ['options.port', 'Invalid input'],
  ]);
  expect([...fieldErrors('l1.memory: 3 is out of range')]).toEqual([
    ['memory', '3 is out of range'],
  ]);
  expect(fieldErrors("there is a guest 'l1' already").size).toBe(0);
});

test('no two fields fill the same place', () => {
  expect(new Set(evmFields.map(({ path }) => path)).size).toBe(evmFields.length);
});
