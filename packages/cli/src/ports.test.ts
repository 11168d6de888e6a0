import { expect, test } from 'vitest';
import { usualPort } from './ports.ts';

test('the usual ports are those that tutorials name', () => {
  expect(usualPort('POLYVISOR_PORT', {})).toBe(8545);
  expect(usualPort('POLYVISOR_CONSOLE_PORT', { POLYVISOR_CONSOLE_PORT: '' })).toBe(7400);
});

test('the environment moves them', () => {
  for (const port of [0, 1, 65_535]) {
    expect(usualPort('POLYVISOR_PORT', { POLYVISOR_PORT: String(port) })).toBe(port);
  }
});

test('what is no port is an error that names the variable', () => {
  for (const text of ['65536', '-1', 'http', '1.5', ' 80']) {
    expect(() => usualPort('POLYVISOR_PORT', { POLYVISOR_PORT: text })).toThrow(
      expect.objectContaining({
        code: 'bad-option',
        message: `POLYVISOR_PORT: '${text}' is no port`,
      }),
    );
  }
});
