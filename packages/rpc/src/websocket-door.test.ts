import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { openRpcServer } from './server.ts';
import type { RpcServer, RpcServerOptions } from './server.ts';
import type { RpcService, RpcSession } from './service.ts';

/** A service whose sessions and pending calls the test holds. */
class HeldService implements RpcService {
  readonly sessions: RpcSession[] = [];
  readonly pending: PromiseWithResolvers<unknown>[] = [];

  call(method: string, params: unknown, session: RpcSession): unknown {
    switch (method) {
      case 'subscribe':
        this.sessions.push(session);
        return '0x1';
      case 'notify':
        session.notify?.('note', params);
        return null;
      case 'wait':
        this.pending.push(Promise.withResolvers());
        return this.pending.at(-1)!.promise;
      default:
        return params;
    }
  }
}

async function open(
  service: RpcService,
  options: Partial<RpcServerOptions> = {},
): Promise<RpcServer> {
  const identity = { instanceId: 'i', name: 'l1', kind: 'ethereum' };
  const server = await openRpcServer({ ...identity, service, ...options });
  onTestFinished(() => server.close());
  return server;
}

/** A client that hands out what it receives in order. */
class Client {
  readonly socket: WebSocket;
  readonly #received: unknown[] = [];
  #wake: (() => void) | undefined;

  constructor(server: RpcServer, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(server.wsUrl, { headers });
    this.socket.on('message', (data: Buffer) => {
      this.#received.push(JSON.parse(data.toString()));
      this.#wake?.();
    });
    onTestFinished(() => this.socket.terminate());
  }

  async send(...messages: readonly string[]): Promise<void> {
    if (this.socket.readyState === WebSocket.CONNECTING) await once(this.socket, 'open');
    for (const message of messages) this.socket.send(message);
  }

  async next(): Promise<unknown> {
    while (this.#received.length === 0) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#received.shift();
  }

  async ask(message: string): Promise<unknown> {
    await this.send(message);
    return await this.next();
  }

  async closeCode(): Promise<number> {
    const [code] = (await once(this.socket, 'close')) as [number];
    return code;
  }
}

function call(id: number, method = 'echo', params: unknown = []): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

function result(id: number, value: unknown = []): unknown {
  return { jsonrpc: '2.0', id, result: value };
}

function note(params: unknown): unknown {
  return { jsonrpc: '2.0', method: 'note', params };
}

test('calls, batches and errors are answered, in text or binary frames', async () => {
  const client = new Client(await open(new HeldService()));
  expect(await client.ask(call(1, 'echo', ['é']))).toEqual(result(1, ['é']));
  expect(await client.ask(`[${call(1)},${call(2)}]`)).toEqual([result(1), result(2)]);
  expect(await client.ask('{')).toMatchObject({ id: null, error: { code: -32700 } });
  client.socket.send(Buffer.from(call(3)), { binary: true });
  expect(await client.next()).toEqual(result(3));
});

test('answers go out when they are ready, whatever came first', async () => {
  const service = new HeldService();
  const client = new Client(await open(service));
  await client.send(call(1, 'wait'), call(2));
  expect(await client.next()).toEqual(result(2));
  service.pending[0]!.resolve('done');
  expect(await client.next()).toEqual(result(1, 'done'));
});

test('a session notifies until its connection ends, and hears of that once', async () => {
  const service = new HeldService();
  const client = new Client(await open(service));
  expect(await client.ask(call(1, 'subscribe'))).toEqual(result(1, '0x1'));
  const session = service.sessions[0]!;
  session.notify!('note', { subscription: '0x1', result: 7 });
  expect(await client.next()).toEqual(note({ subscription: '0x1', result: 7 }));
  let ends = 0;
  const ended = new Promise<void>((resolve) => {
    session.onClose(() => {
      ends++;
      resolve();
    });
  });
  client.socket.close();
  await ended;
  session.notify!('note', 8);
  session.onClose(() => ends++);
  expect(ends).toBe(2);
});

test('notifications wait for the answer to the batch that they come from', async () => {
  const service = new HeldService();
  const client = new Client(await open(service));
  await client.send(` [${call(1, 'notify', ['a'])},${call(2, 'wait')},${call(3)}]`, call(4));
  expect(await client.next()).toEqual(result(4));
  service.pending[0]!.resolve(null);
  expect(await client.next()).toEqual([result(1, null), result(2, null), result(3)]);
  expect(await client.next()).toEqual(note(['a']));
});

test('a notification that is no JSON is a bug, and nobody is told', async () => {
  const bugs: unknown[] = [];
  const service = new HeldService();
  const client = new Client(await open(service, { onBug: (error) => bugs.push(error) }));
  await client.ask(call(1, 'subscribe'));
  service.sessions[0]!.notify!('note', 1n);
  expect(await client.ask(call(2))).toEqual(result(2));
  expect(bugs).toEqual([expect.any(TypeError)]);
});

test.each([
  [1, true],
  [2, true],
  [3, false],
])('message number %i where 2 may be pending', async (count, isAnswered) => {
  const service = new HeldService();
  const client = new Client(await open(service, { limits: { pendingMax: 2 } }));
  for (let id = 1; id < count; id++) await client.send(call(id, 'wait'));
  const answer = await client.ask(call(count));
  if (isAnswered) expect(answer).toEqual(result(count));
  else expect(answer).toMatchObject({ id: count, error: { code: -32005 } });
  service.pending[0]?.resolve(1);
  if (count > 1) expect(await client.next()).toEqual(result(1, 1));
  expect(await client.ask(call(9))).toEqual(result(9));
});

test.each([
  [99, true],
  [100, true],
  [101, false],
])('a message of %i bytes where 100 are allowed', async (size, isAnswered) => {
  const client = new Client(await open(new HeldService(), { limits: { bodyBytesMax: 100 } }));
  await client.send(call(1).padEnd(size));
  if (isAnswered) expect(await client.next()).toEqual(result(1));
  else expect(await client.closeCode()).toBe(1009);
});

test('a client that does not read is closed with 1013', async () => {
  const service = new HeldService();
  const server = await open(service, { limits: { unreadBytesMax: 1_000_000 } });
  const client = new Client(server);
  await client.ask(call(1, 'subscribe'));
  client.socket.pause();
  const ended = new Promise<void>((resolve) => service.sessions[0]!.onClose(resolve));
  const code = client.closeCode();
  // More than the limit and what the system buffers for a connection together.
  for (let i = 0; i < 64; i++) service.sessions[0]!.notify!('note', 'x'.repeat(1_000_000));
  client.socket.resume();
  expect(await code).toBe(1013);
  await ended;
});

test.each([
  [99, true],
  [100, true],
  [101, false],
])('%i characters that wait for a batch where 100 may', async (length, isSent) => {
  const service = new HeldService();
  const client = new Client(await open(service, { limits: { unreadBytesMax: 100 } }));
  const frame = JSON.stringify(note([''])).length;
  await client.send(`[${call(1, 'notify', ['x'.repeat(length - frame)])},${call(2, 'wait')}]`);
  if (isSent) {
    expect(await client.ask(call(3))).toEqual(result(3));
    service.pending[0]!.resolve(null);
    expect(await client.next()).toHaveLength(2);
    expect(await client.next()).toMatchObject({ method: 'note' });
  } else expect(await client.closeCode()).toBe(1013);
});

test('callers of other names and origins are refused', async () => {
  const server = await open(new HeldService(), { allowOrigins: ['https://app.example'] });
  for (const headers of [{ host: 'evil.example' }, { origin: 'http://evil.example' }]) {
    const { socket } = new Client(server, headers as Record<string, string>);
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('403');
  }
  const client = new Client(server, { origin: 'https://app.example' });
  expect(await client.ask(call(1))).toEqual(result(1));
});

test('closing the server tells its clients', async () => {
  const server = await open(new HeldService());
  const client = new Client(server);
  await client.ask(call(1));
  const code = client.closeCode();
  await server.close();
  expect(await code).toBe(1001);
});
