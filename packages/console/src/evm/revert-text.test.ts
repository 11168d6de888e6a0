import { encodeErrorResult, parseAbi } from 'viem';
import { expect, test } from 'vitest';
import { revertText } from './revert-text.ts';

test.each(['', 'no funds', 'größer als erlaubt', 'x'.repeat(100)])(
  'the string of Error(string) is read: %s',
  (text) => {
    const abi = parseAbi(['error Error(string)']);
    expect(revertText(encodeErrorResult({ abi, args: [text] }))).toBe(text);
  },
);

test('panics are named', () => {
  const abi = parseAbi(['error Panic(uint256)']);
  expect(revertText(encodeErrorResult({ abi, args: [0x12n] }))).toBe(
    'panic 0x12: division by zero',
  );
  expect(revertText(encodeErrorResult({ abi, args: [0x99n] }))).toBe('panic 0x99: unknown');
});

test('other errors are told by their selector', () => {
  expect(revertText('0xdeadbeef')).toBe('custom error 0xdeadbeef');
  expect(revertText('0x4e487b7100')).toBe('custom error 0x4e487b71');
});

test('a revert may say nothing, or lie about the length of its text', () => {
  expect(revertText('0x')).toBeUndefined();
  expect(revertText('0x08c379a0')).toBe('');
  expect(revertText(`0x08c379a0${'20'.padStart(64, '0')}${'ff'.repeat(32)}`)).toBe('0x08c379a0');
});
