import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { HostError } from '@polyvisor/errors/host-error';
import type { StreamEvents } from '@polyvisor/net/net-door';
import { NodeNetDoor, forwardPort } from './net-door.ts';

const LOOPBACK = 0x7f00_0001;
const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanup.splice(0)) await clean();
});

function openDoor(options = {}): NodeNetDoor {
  const door = new NodeNetDoor(options);
  cleanup.push(() => door[Symbol.dispose]());
  return door;
}

async function serve(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, onConnection).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** When a socket is closed, by whatever. */
function closing(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}

/** Events as text, and a promise of the last one. */
function listen(onReceived: (bytes: Uint8Array) => void = () => {}) {
  const told: string[] = [];
  const { promise: over, resolve } = Promise.withResolvers<string[]>();
  const { promise: isOpen, resolve: open } = Promise.withResolvers<void>();
  const events: StreamEvents = {
    opened: () => {
      told.push('opened');
      open();
    },
    received: (bytes) => {
      told.push(`received ${Buffer.from(bytes).toString()}`);
      onReceived(bytes);
    },
    written: (count) => told.push(`written ${count}`),
    ended: () => told.push('ended'),
    closed: (end) => {
      told.push(`closed ${end}`);
      resolve(told);
    },
  };
  return { events, over, isOpen };
}

describe('connections', () => {
  test('bytes go both ways, each way ends by itself', async () => {
    const port = await serve((socket) => {
      socket.on('data', (bytes) => socket.write(bytes.toString().toUpperCase()));
      socket.on('end', () => socket.end());
    });
    const { events, over, isOpen } = listen(() => socket.end());
    const socket = openDoor().connectTcp(LOOPBACK, port, events);
    await isOpen;
    socket.write(Buffer.from('hello'));
    expect(await over).toEqual(['opened', 'written 5', 'received HELLO', 'ended', 'closed done']);
  });

  test('a port where nobody listens refuses', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const { events, over } = listen();
    openDoor().connectTcp(LOOPBACK, port, events);
    expect(await over).toEqual(['closed refused']);
  });

  test('a reset of the other side is told, one of ours is not', async () => {
    const port = await serve((socket) => socket.resetAndDestroy());
    const { events, over } = listen();
    openDoor().connectTcp(LOOPBACK, port, events);
    expect((await over).at(-1)).toBe('closed reset');

    const { promise: isReset, resolve } = Promise.withResolvers<string | undefined>();
    const second = await serve((socket) => {
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    const { events: ours, isOpen } = listen();
    const socket = openDoor().connectTcp(LOOPBACK, second, ours);
    await isOpen;
    socket.destroy();
    expect(await isReset).toBe('ECONNRESET');
  });
});

test('datagrams go out and answers come back', async () => {
  const server = createSocket('udp4').bind(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.push(() => server.close());
  server.on('message', (bytes, from) => server.send(bytes.toReversed(), from.port, from.address));
  const { promise, resolve } = Promise.withResolvers<unknown[]>();
  const socket = openDoor().openUdp((from, port, bytes) => resolve([from, port, [...bytes]]));
  socket.send(LOOPBACK, server.address().port, Uint8Array.of(1, 2));
  expect(await promise).toEqual([LOOPBACK, server.address().port, [2, 1]]);
  socket.close();
  socket.send(LOOPBACK, server.address().port, Uint8Array.of(1));
});

test('names are asked of the name server: found, without an address, or no answer', async () => {
  /** What the server says by the name's first letter: its code, and how many addresses. */
  const says: Record<string, [code: number, addresses: number]> = {
    a: [0, 1],
    b: [3, 0],
    c: [2, 0],
  };
  const server = createSocket('udp4').bind(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.push(() => server.close());
  server.on('message', (query, from) => {
    let end = 12;
    while (query[end] !== 0) end += query[end]! + 1;
    const [code, addresses] = says[String.fromCharCode(query[13]!)]!;
    const header = Buffer.from([
      query[0]!,
      query[1]!,
      0x81,
      0x80 | code,
      0,
      1,
      0,
      addresses,
      0,
      0,
      0,
      0,
    ]);
    const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 7];
    const answers = Buffer.from(addresses === 0 ? [] : record);
    const response = Buffer.concat([header, query.subarray(12, end + 5), answers]);
    server.send(response, from.port, from.address);
  });
  const resolver = new Resolver({ tries: 1 });
  resolver.setServers([`127.0.0.1:${server.address().port}`]);
  const door = openDoor({ resolver });
  const ask = (name: string) =>
    new Promise((resolve) => {
      door.resolve(name, resolve);
    });
  expect(await ask('a.test')).toEqual([0xc000_0207]);
  expect(await ask('b.test')).toEqual([]);
  expect(await ask('c.test')).toBeUndefined();
});

describe('forwarding a port', () => {
  test('connections are joined, and end with it', async () => {
    const { events, over } = listen();
    const forwarded = await forwardPort({
      port: 0,
      forward: (socket) => {
        socket.write(Buffer.from('hi'));
        return events;
      },
    });
    const client = connect(forwarded.port, '127.0.0.1');
    const [greeting] = (await once(client, 'data')) as [Buffer];
    expect(greeting.toString()).toBe('hi');
    client.end('bye');
    const closed = closing(client);
    await forwarded[Symbol.asyncDispose]();
    await closed;
    expect((await over).at(-1)).toMatch('closed');
  });

  test('without a guest the client is turned away', async () => {
    await using forwarded = await forwardPort({
      port: 0,
      forward: () => {
        throw new HostError('net-guest', 'no such guest');
      },
    });
    const client = connect(forwarded.port, '127.0.0.1');
    await closing(client);
    expect(client.bytesRead).toBe(0);
  });

  test('a port that is taken', async () => {
    const port = await serve(() => {});
    await expect(forwardPort({ port, forward: () => listen().events })).rejects.toThrow(
      expect.objectContaining({ code: 'port-busy' }),
    );
  });
});
