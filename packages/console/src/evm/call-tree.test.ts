import { expect, test } from 'vitest';
import { callTree, functionName } from './call-tree.ts';
import type { RpcCallFrame } from './rpc-types.ts';

const frame = (over: Partial<RpcCallFrame> = {}): RpcCallFrame => ({
  type: 'CALL',
  from: '0xaa',
  to: '0xbb',
  gas: '0x100',
  gasUsed: '0x64',
  input: '0x',
  ...over,
});

test('calls know their place, their size and what they spent themselves', () => {
  const tree = callTree(
    frame({
      calls: [
        frame({ gasUsed: '0x14' }),
        frame({ gasUsed: '0x1e', calls: [frame({ gasUsed: '0x5' })] }),
      ],
    }),
  );
  expect(tree).toMatchObject({ path: '0', size: 4, gasUsed: 100, gasOwn: 50 });
  expect(tree.calls.map(({ path, gasOwn }) => [path, gasOwn])).toEqual([
    ['0.0', 20],
    ['0.1', 25],
  ]);
  expect(tree.calls[1]?.calls[0]?.path).toBe('0.1.0');
});

test('own gas is never below zero: refunds can make callees cost more than the whole', () => {
  expect(callTree(frame({ gasUsed: '0x1', calls: [frame({ gasUsed: '0x2' })] })).gasOwn).toBe(0);
});

test('functions have names where they are known', () => {
  expect(functionName(`0xa9059cbb${'00'.repeat(64)}`)).toBe('transfer(address,uint256)');
  expect(functionName('0x12345678')).toBe('0x12345678');
  expect(functionName('0x123456')).toBeUndefined();
});

test('the data of a creation is code, not a call of a function', () => {
  expect(callTree(frame({ type: 'CREATE2', input: '0xa9059cbb' })).function).toBeUndefined();
});

test('a revert says why', () => {
  const error = 'execution reverted';
  const panic = `0x4e487b71${'11'.padStart(64, '0')}`;
  expect(callTree(frame({ error, revertReason: 'no funds' })).failure).toBe(`${error}: no funds`);
  expect(callTree(frame({ error, output: panic })).failure).toBe(
    `${error}: panic 0x11: arithmetic overflow or underflow`,
  );
  expect(callTree(frame({ error: 'out of gas' })).failure).toBe('out of gas');
  expect(callTree(frame()).failure).toBeUndefined();
});
