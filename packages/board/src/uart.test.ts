import { expect, test } from 'vitest';
import { StateReader, StateWriter } from './state.ts';
import { Uart } from './uart.ts';

function setUp(inputBytesMax?: number) {
  const state = { isHigh: false, sent: [] as number[] };
  const uart = new Uart({
    line: (isHigh) => void (state.isHigh = isHigh),
    transmit: (byte) => void state.sent.push(byte),
    ...(inputBytesMax === undefined ? {} : { inputBytesMax }),
  });
  return { uart, state };
}
const bytes = (count: number) => Uint8Array.from({ length: count }, (_, i) => i + 1);

test('bytes go out as they are written', () => {
  const { uart, state } = setUp();
  uart.store(0, 1, 0x68);
  uart.store(0, 1, 0x69);
  expect(state.sent).toEqual([0x68, 0x69]);
  expect(uart.load(5)).toBe(0x60);
});

test('a received byte interrupts until it is read', () => {
  const { uart, state } = setUp();
  uart.store(1, 1, 1);
  uart.receive(Uint8Array.of(7));
  expect(state.isHigh).toBe(true);
  expect(uart.load(2)).toBe(0x04);
  expect(uart.load(5)).toBe(0x61);
  expect(uart.load(0)).toBe(7);
  expect(state.isHigh).toBe(false);
  expect(uart.load(2)).toBe(0x01);
});

test.each([
  [13, 0xcc],
  [14, 0xc4],
])('with a trigger of 14, %i bytes identify as 0x%x', (count, identity) => {
  const { uart } = setUp();
  uart.store(2, 1, 0xc1);
  uart.store(1, 1, 1);
  uart.receive(bytes(count));
  expect(uart.load(2)).toBe(identity);
});

test('an empty transmitter interrupts once enabled, and after each byte, until identified', () => {
  const { uart, state } = setUp();
  uart.store(1, 1, 2);
  expect(state.isHigh).toBe(true);
  expect(uart.load(2)).toBe(0x02);
  expect(state.isHigh).toBe(false);
  uart.store(0, 1, 0x61);
  expect(state.isHigh).toBe(true);
});

test('received data comes before an empty transmitter', () => {
  const { uart } = setUp();
  uart.store(1, 1, 3);
  uart.receive(bytes(1));
  expect(uart.load(2)).toBe(0x04);
  uart.load(0);
  expect(uart.load(2)).toBe(0x02);
});

test('loopback brings bytes and modem lines back', () => {
  const { uart, state } = setUp();
  expect(uart.load(6)).toBe(0xb0);
  uart.store(4, 1, 0x1a);
  expect(uart.load(6) & 0xf0).toBe(0x90);
  uart.store(0, 1, 0x55);
  expect(state.sent).toEqual([]);
  expect(uart.load(0)).toBe(0x55);
});

test('a modem line that changes is told once', () => {
  const { uart, state } = setUp();
  uart.store(1, 1, 8);
  uart.store(4, 1, 0x10);
  expect(state.isHigh).toBe(true);
  expect(uart.load(6)).toBe(0x0b);
  expect(uart.load(6)).toBe(0x00);
  expect(state.isHigh).toBe(false);
});

test('the divisor hides behind its access bit', () => {
  const { uart, state } = setUp();
  uart.store(3, 1, 0x83);
  uart.store(0, 1, 0x0d);
  uart.store(1, 1, 0x01);
  expect([uart.load(0), uart.load(1)]).toEqual([0x0d, 0x01]);
  uart.store(3, 1, 0x03);
  expect([uart.load(1), uart.load(3)]).toEqual([0, 3]);
  expect(state.sent).toEqual([]);
});

test('switching or clearing the FIFO drops what was received; the scratch register keeps a byte', () => {
  const { uart } = setUp();
  uart.receive(bytes(3));
  uart.store(2, 1, 1);
  expect(uart.load(5)).toBe(0x60);
  uart.receive(bytes(3));
  uart.store(2, 1, 3);
  expect(uart.load(5)).toBe(0x60);
  uart.store(7, 1, 0xa5);
  expect(uart.load(7)).toBe(0xa5);
});

test.each([
  [9, 9],
  [10, 10],
  [11, 10],
])('of %i bytes an input limit of 10 takes %i', (count, taken) => {
  expect(setUp(10).uart.receive(bytes(count))).toBe(taken);
});

test('state goes on in another one', () => {
  const { uart } = setUp();
  uart.store(1, 1, 1);
  uart.receive(bytes(2));
  const out = new StateWriter();
  uart.saveState(out);
  const other = setUp();
  other.uart.loadState(new StateReader(out.finish()));
  expect(other.state.isHigh).toBe(true);
  expect([other.uart.load(0), other.uart.load(0)]).toEqual([1, 2]);
});
