import { bytesToHex, hexToBytes } from '@polyvisor/bytes/hex';
import { describe, expect, test } from 'vitest';
import { address, alice, send, settle, testChain } from '../testing/test-chain.ts';
import { type CallFrame, CallTracer, type CallTracerOptions } from './call-tracer.ts';

const OUTER = address(0x00a1);
const INNER = address(0x00a2);
/** Logs topic 1, calls INNER with 5 wei and 50,000 gas and STATICCALLs it, creates an empty contract, logs topic 2. */
const OUTER_CODE = hexToBytes(
  '0x60015f5fa1' + // log1(0, 0, 1)
    '5f5f5f5f600560a261c350f150' + // call(50000, 0xa2, 5, 0, 0, 0, 0)
    '5f5f5f5f60a261c350fa50' + // staticcall
    '5f5f5ff050' + // create(0, 0, 0)
    '60025f5fa100',
);
/** Reverts with Error("no") where money comes along, else logs, which a static call may not. */
const INNER_CODE = hexToBytes(
  '0x34600b575f5fa000fefefe5b' +
    '7f08c379a0000000000000000000000000000000000000000000000000000000005f52' +
    '60206004526002602452' +
    '7f6e6f00000000000000000000000000000000000000000000000000000000000060445260645ffd',
);

function trace(options: CallTracerOptions = {}): CallFrame {
  const machine = testChain({
    accounts: [
      { address: OUTER, balance: 100n, code: OUTER_CODE },
      { address: INNER, balance: 0n, code: INNER_CODE },
    ],
  });
  const hash = send(machine, alice, { to: OUTER, gasLimit: 300_000n });
  const tracer = new CallTracer(options);
  const { gasUsed } = settle(machine, machine.trace(hash, tracer));
  expect(gasUsed).toBe(machine.state.head.receipts[0]!.gasUsed);
  return tracer.result(300_000n, gasUsed)!;
}

describe('call tracer', () => {
  test('calls lie in the calls that made them, failures with their reasons', () => {
    const root = trace();
    expect(root).toMatchObject({
      type: 'CALL',
      from: bytesToHex(alice.address),
      to: bytesToHex(OUTER),
      gas: '0x493e0',
      value: '0x0',
      input: '0x',
    });
    expect(root.error).toBeUndefined();
    const [reverted, failed, created] = root.calls!;
    expect(root.calls!.length).toBe(3);
    expect(reverted).toMatchObject({
      type: 'CALL',
      value: '0x5',
      // 50,000 and the stipend that comes with money.
      gas: '0xcc4c',
      error: 'execution reverted',
      revertReason: 'no',
    });
    expect(reverted!.output).toMatch(/^0x08c379a0/);
    expect(failed).toMatchObject({ type: 'STATICCALL', gas: '0xc350', gasUsed: '0xc350' });
    expect(failed!.error).toBe('write protection');
    expect(failed!.value).toBeUndefined();
    expect(created).toMatchObject({ type: 'CREATE', value: '0x0', input: '0x' });
    expect(created!.to).toMatch(/^0x[0-9a-f]{40}$/);
  });

  test('logs say how many calls came before them; those of failed calls are none', () => {
    const root = trace({ withLog: true });
    expect(root.logs!.map(({ topics, position }) => [BigInt(topics[0]!), position])).toEqual([
      [1n, '0x0'],
      [2n, '0x3'],
    ]);
    expect(root.calls!.map(({ logs }) => logs)).toEqual([undefined, undefined, undefined]);
  });

  test('only the outermost call', () => {
    const root = trace({ onlyTopCall: true, withLog: true });
    expect(root.calls).toBeUndefined();
    expect(root.logs!.length).toBe(2);
  });
});
