import { hexToBytes } from '@polyvisor/bytes/hex';
import { describe, expect, test } from 'vitest';
import { address, alice, send, settle, testChain } from '../testing/test-chain.ts';
import { type StructLog, type StructLogOptions, StructLogTracer } from './struct-log-tracer.ts';

const OUTER = address(0x00a1);
const INNER = address(0x00a2);

/** The steps of a transaction to OUTER with this code; INNER stores 7 at slot 1. */
function trace(code: string, options: StructLogOptions = {}): readonly StructLog[] {
  const machine = testChain({
    accounts: [
      { address: OUTER, balance: 100n, code: hexToBytes(code) },
      { address: INNER, balance: 0n, code: hexToBytes('0x6007600155') },
    ],
  });
  const hash = send(machine, alice, { to: OUTER, gasLimit: 200_000n });
  const tracer = new StructLogTracer(options);
  settle(machine, machine.trace(hash, tracer));
  return tracer.logs;
}

const costs = (logs: readonly StructLog[], op: string): number[] =>
  logs.filter((log) => log.op === op).map(({ gasCost }) => gasCost);

describe('struct logs', () => {
  test('every step with its place, gas and stack', () => {
    const logs = trace('0x6001600201');
    expect(logs.map(({ pc, op, gas, gasCost, depth }) => [pc, op, gas, gasCost, depth])).toEqual([
      [0, 'PUSH1', 179_000, 3, 1],
      [2, 'PUSH1', 178_997, 3, 1],
      [4, 'ADD', 178_994, 3, 1],
      [5, 'STOP', 178_991, 0, 1],
    ]);
    expect(logs.map(({ stack }) => stack)).toEqual([[], ['0x1'], ['0x1', '0x2'], ['0x3']]);
  });

  test.each([
    // A cold account and the gas that is given.
    ['CALL', '0x5f5f5f5f5f60a261c350f1', 2600 + 50_000],
    ['CALL with money', '0x5f5f5f5f600160a261c350f1', 2600 + 9000 + 50_000],
    ['STATICCALL of what fails', '0x5f5f5f5f60a261c350fa', 2600 + 50_000],
    ['CALL of a precompile', '0x5f5f5f5f5f600461c350f1', 100 + 50_000],
    ['CALL of an account without code', '0x5f5f5f5f5f609961c350f1', 2600 + 50_000],
    // What a creation gives is no part of its price.
    ['CREATE', '0x5f5f5ff0', 32_000],
  ])('the cost of %s', (name, code, expected) => {
    expect(costs(trace(code), name.split(' ')[0]!)).toEqual([expected]);
  });

  test('a slot that is stored or loaded is shown with those before it, in its own frame', () => {
    const logs = trace('0x5f5f5f5f5f60a261c350f160055f555f5460095460016009');
    const key = (n: number): string => `0x${n.toString(16).padStart(64, '0')}`;
    const shown = logs.filter(({ storage }) => storage).map(({ op, storage }) => [op, storage]);
    expect(shown).toEqual([
      ['SSTORE', { [key(1)]: key(7) }],
      ['SSTORE', { [key(0)]: key(5) }],
      ['SLOAD', { [key(0)]: key(5) }],
      ['SLOAD', { [key(0)]: key(5), [key(9)]: key(0) }],
    ]);
  });

  test('parts that are not wanted are left out, and memory comes when asked for', () => {
    const code = '0x60ff5f5200';
    const bare = trace(code, { disableStack: true, disableStorage: true });
    expect(bare.every((log) => !('stack' in log) && !('memory' in log))).toBe(true);
    expect(trace(code, { enableMemory: true }).at(-1)!.memory).toEqual([
      `0x${'ff'.padStart(64, '0')}`,
    ]);
  });

  test('a limit keeps the first steps', () => {
    const count = (limit: number): number => trace('0x6001600201', { limit }).length;
    expect([3, 4, 5].map(count)).toEqual([3, 4, 4]);
  });
});
