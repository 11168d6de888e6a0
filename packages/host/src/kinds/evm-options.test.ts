import { describe, expect, test } from 'vitest';
import { guestSpec } from '../schemas.ts';
import { etherToWei } from './evm-genesis.ts';
import { evmRanges } from './evm-limits.ts';
import { evmDefaults, resolveEvmOptions } from './evm-options.ts';
import type { EvmOptions } from './evm-types.ts';

const resolve = (options: EvmOptions): unknown => resolveEvmOptions(options, 'guests.l1', 5_999);
const code = expect.objectContaining({ code: 'bad-option' }) as unknown as string;

describe('defaults', () => {
  test('are what the tools people know have', () => {
    expect(resolve({})).toMatchObject({
      chainId: 31_337,
      accounts: 10,
      balance: 10_000,
      gasLimit: 30_000_000,
      mnemonic: 'test test test test test test test test test test test junk',
      port: undefined,
      host: '127.0.0.1',
    });
  });

  test('the first block is of now', () => {
    expect(resolve({})).toMatchObject({ timestamp: 5 });
  });

  test('undefined is the default', () => {
    expect(resolve({ chainId: undefined } as unknown as EvmOptions)).toEqual(resolve({}));
  });

  test('they are themselves options', () => {
    expect(resolve(evmDefaults as EvmOptions)).toEqual(resolve({}));
  });
});

describe('ranges', () => {
  const ranges = Object.entries(evmRanges);

  test.each(ranges)('%s: both ends are allowed', (name, { min, max }) => {
    expect(resolve({ [name]: min })).toMatchObject({ [name]: min });
    expect(resolve({ [name]: max })).toMatchObject({ [name]: max });
  });

  test.each(ranges)('%s: one outside is not, and is named', (name, { min, max }) => {
    for (const value of [min - 1, max + 1, Number.NaN, '1']) {
      expect(() => resolve({ [name]: value })).toThrow(code);
      expect(() => resolve({ [name]: value })).toThrow(`guests.l1.${name}`);
    }
  });

  test.each(ranges)('%s: the schema of files and requests says the same', (name, { min, max }) => {
    const isValid = (value: number): boolean =>
      guestSpec.safeParse({ kind: 'evm', options: { [name]: value } }).success;
    expect([min - 1, min, max, max + 1].map(isValid)).toEqual([false, true, true, false]);
  });

  test('half a block is no number of blocks, half a second is a time', () => {
    expect(() => resolve({ historyBlocks: 1.5 })).toThrow(code);
    expect(resolve({ blockTime: 0.5 })).toMatchObject({ blockTime: 0.5 });
  });
});

describe('mistakes', () => {
  const address = `0x${'11'.repeat(20)}`;

  test.each<[string, object]>([
    ['an option that there is not', { chainID: 1 }],
    ['one of every object', { toString: 1 }],
    ['a fork that there is not', { hardfork: 'berlin2' }],
    ['an empty mnemonic', { mnemonic: '' }],
    ['a path that is none', { derivationPath: '44/60' }],
    ['a short address', { coinbase: '0x11' }],
    ['an allocation to a short address', { alloc: { '0x11': {} } }],
    ['a balance below 0', { alloc: { [address]: { balance: -1 } } }],
    ['a balance that is no number', { alloc: { [address]: { balance: 'much' } } }],
    ['code of half a byte', { alloc: { [address]: { code: '0x1' } } }],
    [
      'a slot of 33 bytes',
      { alloc: { [address]: { storage: { '0x1': `0x${'11'.repeat(33)}` } } } },
    ],
  ])('%s', (_, options) => {
    expect(() => resolve(options)).toThrow(code);
  });
});

test.each([
  [0, 0n],
  [0.5, 5n * 10n ** 17n],
  [1e-18, 1n],
  [10_000, 10n ** 22n],
  [1e15, 10n ** 33n],
])('%d ether are %d wei', (ether, wei) => {
  expect(etherToWei(ether)).toBe(wei);
});
