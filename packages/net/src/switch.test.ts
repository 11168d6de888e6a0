import { beforeEach, describe, expect, test } from 'vitest';
import { BROADCAST_MAC, parseMac } from './address.ts';
import type { Mac } from './address.ts';
import { makeEthernet } from './ethernet.ts';
import { FRAME_BYTES_MAX, Switch } from './switch.ts';
import type { PortOptions, SwitchPort } from './switch.ts';

const A = parseMac('52:54:00:00:00:0a')!;
const B = parseMac('52:54:00:00:00:0b')!;
const C = parseMac('52:54:00:00:00:0c')!;
const code = (name: string): unknown => expect.objectContaining({ code: name });

let clock: { nowMs: number };
let wire: Switch;
let got: Record<string, number[]>;

beforeEach(() => {
  clock = { nowMs: 0 };
  wire = new Switch({ nowMs: () => clock.nowMs, portsMax: 3, waitingBytesMax: 300 });
  got = { a: [], b: [], c: [] };
});

function port(name: string, options: Omit<PortOptions, 'deliver'> = {}): SwitchPort {
  return wire.addPort({ ...options, deliver: ({ length }) => got[name]!.push(length) });
}

function frame(destination: Mac, source: Mac, bytes = 100): Uint8Array {
  return makeEthernet(destination, source, 0x88b5, bytes - 14).frame;
}

describe('where frames go', () => {
  test('to all others until the address was seen, then to its port', () => {
    const [a, b] = [port('a'), port('b'), port('c')];
    a!.send(frame(B, A));
    expect(got).toEqual({ a: [], b: [100], c: [100] });
    b!.send(frame(A, B));
    a!.send(frame(B, A));
    expect(got).toEqual({ a: [100], b: [100, 100], c: [100] });
    a!.send(frame(BROADCAST_MAC, A));
    expect(got).toEqual({ a: [100], b: [100, 100, 100], c: [100, 100] });
  });

  test('a port with an address can not take another, and nobody takes its', () => {
    const [a, , c] = [port('a', { mac: A }), port('b', { mac: B }), port('c')];
    a!.send(frame(BROADCAST_MAC, B));
    expect(got['b']).toEqual([]);
    c!.send(frame(BROADCAST_MAC, B));
    a!.send(frame(B, A));
    expect(got).toEqual({ a: [100], b: [100, 100], c: [] });
  });

  test('from nobody whose address is of a group, and not back to where it came from', () => {
    const a = port('a');
    port('b');
    a.send(frame(A, BROADCAST_MAC));
    a.send(frame(C, A));
    a.send(frame(A, A));
    expect(got).toEqual({ a: [], b: [100], c: [] });
  });

  test('nowhere once the port is gone', () => {
    const [a, b] = [port('a', { mac: A }), port('b', { mac: B })];
    b[Symbol.dispose]();
    a.send(frame(B, A));
    b.send(frame(A, B));
    expect(got).toEqual({ a: [], b: [], c: [] });
  });

  test.each([
    [13, []],
    [14, [14]],
    [FRAME_BYTES_MAX, [FRAME_BYTES_MAX]],
    [FRAME_BYTES_MAX + 1, []],
  ])('a frame of %d bytes', (bytes, received) => {
    const a = port('a');
    port('b');
    a.send(frame(B, A, Math.max(14, bytes)).subarray(0, bytes));
    expect(got['b']).toEqual(received);
  });
});

describe('limits', () => {
  test('ports, and addresses that are taken', () => {
    port('a', { mac: A });
    expect(() => port('b', { mac: A })).toThrow(code('net-option'));
    expect(() => port('b', { mac: BROADCAST_MAC })).toThrow(code('net-option'));
    port('b');
    port('c');
    expect(() => port('c')).toThrow(code('net-option'));
  });

  test('a sender with a bucket is told to wait', () => {
    const limits = { bandwidth: { size: 200, refillTimeMs: 1000 } };
    const a = port('a', { sendLimits: limits });
    port('b');
    expect([1, 2, 3].map(() => a.send(frame(B, A)))).toEqual([true, true, false]);
    expect(a.sendWaitMs(100)).toBe(500);
    clock.nowMs += 500;
    expect(a.send(frame(B, A))).toBe(true);
    expect(got['b']).toHaveLength(3);
  });

  test('what a receiver may not have yet waits, up to a limit', () => {
    const a = port('a');
    port('b', { receiveLimits: { operations: { size: 1, refillTimeMs: 1000 } } });
    for (let count = 0; count < 6; count++) a.send(frame(B, A));
    expect([got['b'], wire.deadlineMs]).toEqual([[100], 1000]);
    for (; wire.deadlineMs < Infinity; wire.advance()) clock.nowMs = wire.deadlineMs;
    expect([got['b'], clock.nowMs]).toEqual([[100, 100, 100, 100], 3000]);
  });
});
