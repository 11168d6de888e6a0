import { expect, test } from 'vitest';
import { defaultRpcLimits, resolveLimits } from './limits.ts';

test('limits that are not given are the defaults', () => {
  expect(resolveLimits()).toEqual(defaultRpcLimits);
  expect(resolveLimits({ pendingMax: 1 })).toEqual({ ...defaultRpcLimits, pendingMax: 1 });
});

test.each([0, -1, 1.5, Number.NaN, Infinity, '5'])('%s is no limit', (value) => {
  expect(() => resolveLimits({ pendingMax: value as number })).toThrow(
    expect.objectContaining({ code: 'bad-option', message: `limits.pendingMax is ${value}` }),
  );
});

test('a limit that is unknown is refused', () => {
  expect(() => resolveLimits({ toString: 1 } as object)).toThrow('limits.toString is no limit');
});
