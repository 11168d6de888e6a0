import { describe, expect, test } from 'vitest';
import { StateReader, StateWriter } from '../state.ts';
import { MmioDriver } from '../testing/mmio-driver.ts';
import {
  STREAM_BUFFER_BYTES,
  STREAM_OUTPUT_BYTES_MAX,
  STREAMS_MAX,
  type StreamListener,
  VirtioVsock,
  type VsockStream,
} from './vsock.ts';
import {
  HEADER_BYTES,
  OP_CREDIT_REQUEST,
  OP_CREDIT_UPDATE,
  OP_REQUEST,
  OP_RESET,
  OP_RESPONSE,
  OP_RW,
  OP_SHUTDOWN,
  type PacketHeader,
  readHeader,
  writeHeader,
} from './vsock-packet.ts';

const GUEST = 3;
const ROOM = 4096;

function setUp() {
  const device = new VirtioVsock({ guestCid: GUEST });
  const driver = new MmioDriver(device, undefined, 64);
  const log: string[] = [];
  const listener: StreamListener = {
    opened: () => void log.push('opened'),
    data: (bytes) => void log.push(`data ${new TextDecoder().decode(bytes)}`),
    ended: () => void log.push('ended'),
    drained: () => void log.push('drained'),
    closed: () => void log.push('closed'),
  };
  /** What the device sent since the last call, with buffers for more. */
  const take = () => {
    const packets = driver.queues[0]!.takeUsed().map(({ bytes }) => ({
      ...readHeader(bytes.slice(0, HEADER_BYTES) as Uint8Array<ArrayBuffer>),
      text: new TextDecoder().decode(bytes.subarray(HEADER_BYTES)),
    }));
    return packets;
  };
  const give = (count: number) => {
    for (let i = 0; i < count; i++) driver.queues[0]!.add(1024);
    driver.notify(0);
  };
  const send = (op: number, fields: Partial<PacketHeader> = {}, text = '') => {
    const payload = new TextEncoder().encode(text);
    const header = writeHeader({
      sourceCid: GUEST,
      targetCid: 2,
      sourcePort: 1000,
      targetPort: 22,
      length: payload.length,
      type: 1,
      op,
      flags: 0,
      room: ROOM,
      taken: 0,
      ...fields,
    });
    driver.queues[1]!.add(header, payload);
    driver.notify(1);
  };
  return { device, driver, log, listener, take, give, send };
}

test('the configuration says the guest its address', () => {
  expect(setUp().driver.read(0x100)).toBe(GUEST);
});

describe('a stream that the guest opens', () => {
  function opened() {
    const all = setUp();
    let stream!: VsockStream;
    all.device.listen(22, (accepted) => {
      stream = accepted;
      return all.listener;
    });
    all.give(8);
    all.send(OP_REQUEST);
    expect(all.take()).toMatchObject([
      { op: OP_RESPONSE, sourcePort: 22, targetPort: 1000, room: STREAM_BUFFER_BYTES },
    ]);
    return { ...all, stream };
  }

  test('carries bytes both ways', () => {
    const { stream, send, take, log } = opened();
    send(OP_RW, {}, 'ls');
    expect(stream.write(new TextEncoder().encode('a b'))).toBe(3);
    expect(log).toEqual(['data ls', 'drained']);
    expect(take()).toMatchObject([{ op: OP_RW, length: 3, text: 'a b', taken: 2 }]);
  });

  test('sends no more than the guest has room for', () => {
    const { stream, send, take } = opened();
    send(OP_CREDIT_UPDATE, { room: 5 });
    stream.write(new TextEncoder().encode('12345678'));
    expect(take().map(({ text }) => text)).toEqual(['12345']);
    send(OP_CREDIT_UPDATE, { room: 5, taken: 2 });
    expect(take().map(({ text }) => text)).toEqual(['67']);
    send(OP_CREDIT_UPDATE, { room: 5, taken: 7 });
    expect(take().map(({ text }) => text)).toEqual(['8']);
  });

  test('tells its credit when asked', () => {
    const { send, take } = opened();
    send(OP_RW, {}, 'abc');
    send(OP_CREDIT_REQUEST);
    expect(take()).toMatchObject([{ op: OP_CREDIT_UPDATE, taken: 3 }]);
  });

  test('ends in halves', () => {
    const { stream, send, take, log } = opened();
    send(OP_SHUTDOWN, { flags: 2 });
    expect(log).toEqual(['ended']);
    stream.write(Uint8Array.of(65));
    stream.end();
    expect(take()).toMatchObject([
      { op: OP_RW, text: 'A' },
      { op: OP_SHUTDOWN, flags: 3 },
    ]);
    send(OP_RESET);
    expect(log).toEqual(['ended', 'drained', 'closed']);
    expect(stream.write(Uint8Array.of(1))).toBe(0);
  });

  test('is answered with a reset when the guest ends both halves', () => {
    const { send, take, log } = opened();
    send(OP_SHUTDOWN, { flags: 3 });
    expect(take()).toMatchObject([{ op: OP_RESET }]);
    expect(log).toEqual(['ended', 'closed']);
  });

  test('waits for buffers', () => {
    const { stream, send, take, give } = opened();
    send(OP_CREDIT_UPDATE, { room: 100_000 });
    stream.write(new Uint8Array(10_000).fill(65));
    // Seven buffers of 1024 bytes are left, each with a header.
    expect(take().map(({ length }) => length)).toEqual(Array(7).fill(980));
    give(4);
    const rest = take().map(({ length }) => length);
    expect(rest).toEqual([980, 980, 980, 10_000 - 10 * 980]);
  });
});

test('a stream that the host opens', () => {
  const { device, listener, log, give, send, take } = setUp();
  give(4);
  const stream = device.connect(1000, listener)!;
  expect(take()).toMatchObject([{ op: OP_REQUEST, targetPort: 1000, sourcePort: stream.hostPort }]);
  stream.write(Uint8Array.of(65));
  expect(take()).toEqual([]);
  send(OP_RESPONSE, { targetPort: stream.hostPort });
  expect(log).toEqual(['opened', 'drained']);
  expect(take()).toMatchObject([{ op: OP_RW, text: 'A' }]);
  stream.destroy();
  expect(take()).toMatchObject([{ op: OP_RESET }]);
  expect(log.at(-1)).toBe('closed');
});

test('a guest that was restored hears that its streams are gone', () => {
  const origin = setUp();
  origin.driver.queues[2]!.add(4);
  const out = new StateWriter();
  origin.driver.mmio.saveState(out);
  const { driver } = setUp();
  driver.write(0x70, 0);
  driver.ram.memory.set(origin.driver.ram.memory);
  driver.mmio.loadState(new StateReader(out.finish()));
  const used = origin.driver.queues[2]!.used - driver.ram.base;
  expect(driver.ram.view().getUint16(used + 2, true)).toBe(1);
  expect(driver.isInterrupted).toBe(true);
});

test('so many streams are open at once', () => {
  const { device, listener } = setUp();
  const streams = Array.from({ length: STREAMS_MAX }, () => device.connect(1000, listener));
  expect(streams.every((stream) => stream !== undefined)).toBe(true);
  expect(device.connect(1000, listener)).toBeUndefined();
  streams[5]!.destroy();
  expect(device.connect(1000, listener)).toBeDefined();
});

test.each([
  [STREAM_OUTPUT_BYTES_MAX - 1, STREAM_OUTPUT_BYTES_MAX - 1],
  [STREAM_OUTPUT_BYTES_MAX, STREAM_OUTPUT_BYTES_MAX],
  [STREAM_OUTPUT_BYTES_MAX + 1, STREAM_OUTPUT_BYTES_MAX],
])('of %i bytes for a guest that takes none, a stream takes %i', (count, taken) => {
  const { device, listener } = setUp();
  expect(device.connect(1000, listener)!.write(new Uint8Array(count))).toBe(taken);
});

test('a port that nobody listens on, an unknown stream and another type are refused', () => {
  const { give, send, take } = setUp();
  give(4);
  send(OP_REQUEST);
  send(OP_RW, {}, 'x');
  send(OP_RESET);
  send(OP_REQUEST, { type: 2 });
  expect(take()).toMatchObject([{ op: OP_RESET }, { op: OP_RESET }, { op: OP_RESET, type: 2 }]);
});

test('packets from or for somebody else are dropped', () => {
  const { give, send, take } = setUp();
  give(4);
  send(OP_REQUEST, { sourceCid: 4 });
  send(OP_REQUEST, { targetCid: 4 });
  send(OP_RW, { length: 100 }, 'x');
  expect(take()).toEqual([]);
});
