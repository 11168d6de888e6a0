import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { RawHttp } from './raw-http.ts';
import type { RequestRecord } from './request-record.ts';
import { RpcError } from './rpc-error.ts';
import { openRpcServer } from './server.ts';
import type { RpcServer, RpcServerOptions } from './server.ts';

const identity = { instanceId: 'i-1', name: 'l1', kind: 'ethereum' };
const service = {
  call(method: string, params: unknown): unknown {
    if (method === 'echo') return params;
    if (method === 'later') return Promise.resolve(params);
    throw new RpcError(-32601, 'no such method');
  },
};

async function open(options: Partial<RpcServerOptions> = {}): Promise<RpcServer> {
  const server = await openRpcServer({ ...identity, service, ...options });
  onTestFinished(() => server.close());
  return server;
}

async function post(
  server: RpcServer,
  body: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  using http = new RawHttp(server.port);
  const { status, body: answer } = await http.post(Buffer.from(body), headers);
  return { status, body: answer };
}

const CALL = '{"jsonrpc":"2.0","id":1,"method":"echo"}';
const ANSWER = '{"jsonrpc":"2.0","id":1,"result":null}';

function errorBody(code: number, message: RegExp): unknown {
  return { jsonrpc: '2.0', id: null, error: { code, message: expect.stringMatching(message) } };
}

test('a call is answered, at once or later, whatever its path and content type', async () => {
  const server = await open();
  expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
  expect(server.wsUrl).toBe(`ws://127.0.0.1:${server.port}`);
  for (const [method, path, type] of [
    ['echo', '/', 'application/json'],
    ['later', '/v1?key=1', 'text/plain'],
  ] as const) {
    const answer = await fetch(server.url + path, {
      method: 'POST',
      headers: { 'content-type': type },
      body: `{"jsonrpc":"2.0","id":1,"method":"${method}","params":["é"]}`,
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toEqual({ jsonrpc: '2.0', id: 1, result: ['é'] });
  }
});

test('a notification is answered with no content', async () => {
  const server = await open();
  expect(await post(server, '{"jsonrpc":"2.0","method":"echo"}')).toEqual({
    status: 204,
    body: '',
  });
});

test('an error of JSON-RPC is a success of HTTP', async () => {
  const { status, body } = await post(await open(), '');
  expect(status).toBe(200);
  expect(JSON.parse(body)).toEqual(errorBody(-32700, /parse error/));
});

test('the pages say which guest it is, and how it is', async () => {
  let isReady = false;
  const server = await open({ isReady: () => isReady });
  const get = async (path: string): Promise<[number, string]> => {
    const answer = await fetch(server.url + path);
    return [answer.status, await answer.text()];
  };
  const [status, about] = await get('/');
  expect(status).toBe(200);
  expect(about).toContain('l1: a guest of Polyvisor, kind ethereum');
  const [, told] = await get('/__polyvisor');
  expect(JSON.parse(told)).toEqual(identity);
  expect(await get('/healthz')).toEqual([200, 'ok\n']);
  expect(await get('/readyz')).toEqual([503, 'not ready\n']);
  isReady = true;
  expect(await get('/readyz?x')).toEqual([200, 'ready\n']);
  expect((await get('/other'))[0]).toBe(404);
});

test('other methods are refused, with those that are not', async () => {
  const server = await open();
  const answer = await fetch(server.url, { method: 'PUT', body: CALL });
  expect(answer.status).toBe(405);
  expect(answer.headers.get('allow')).toBe('POST, GET, HEAD, OPTIONS');
  expect(await answer.json()).toEqual(errorBody(-32600, /use POST/));
});

test('HEAD is GET without the body', async () => {
  const answer = await fetch((await open()).url, { method: 'HEAD' });
  expect([answer.status, await answer.text()]).toEqual([200, '']);
});

test('callers that name another host are refused', async () => {
  const server = await open({ hostNames: ['devnet.local'] });
  const refused = await post(server, CALL, { host: 'evil.example' });
  expect(refused.status).toBe(403);
  expect(JSON.parse(refused.body)).toEqual(errorBody(-32600, /not 'evil.example'/));
  expect(await post(server, CALL, { host: 'devnet.local:1' })).toEqual({
    status: 200,
    body: ANSWER,
  });
});

test('pages of other origins are refused, those of allowed ones may read the answer', async () => {
  const server = await open({ allowOrigins: ['https://app.example'] });
  const call = async (origin: string, method = 'POST'): Promise<Response> =>
    await fetch(server.url, {
      method,
      headers: { origin, 'access-control-request-headers': 'x-key, content-type' },
      ...(method === 'POST' && { body: CALL }),
    });
  for (const method of ['POST', 'OPTIONS', 'GET']) {
    const refused = await call('http://evil.example', method);
    expect(refused.status).toBe(403);
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    expect(await refused.json()).toEqual(errorBody(-32600, /evil.example/));
  }
  for (const origin of ['https://app.example', 'http://localhost:3000']) {
    const answer = await call(origin);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    expect(answer.headers.get('vary')).toBe('origin');
    const preflight = await call(origin, 'OPTIONS');
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
    expect(preflight.headers.get('access-control-allow-headers')).toBe('x-key, content-type');
  }
});

test.each([
  [99, 200],
  [100, 200],
  [101, 413],
  [200, 413],
  [201, 413],
])('a body of %i bytes where 100 are allowed: %i', async (size, status) => {
  const server = await open({ limits: { bodyBytesMax: 100 } });
  const answer = await post(server, CALL.padEnd(size));
  expect(answer.status).toBe(status);
  if (status === 200) expect(answer.body).toBe(ANSWER);
  else expect(JSON.parse(answer.body)).toEqual(errorBody(-32005, /larger than 100 bytes/));
});

test('a client that sends without end is cut off', async () => {
  const server = await open({ limits: { bodyBytesMax: 100 } });
  const socket = connect(server.port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n');
  const send = (error?: Error | null): void => {
    if (!error) socket.write(`ff\r\n${'x'.repeat(255)}\r\n`, send);
  };
  send();
  await closeOf(socket.resume());
  expect(await post(server, CALL)).toEqual({ status: 200, body: ANSWER });
});

/** A reset is an end like another. */
async function closeOf(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('close', resolve));
}

async function received(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await closeOf(socket);
  return text;
}

test.each([
  ['no headers', '', { headersTimeoutMs: 50 }],
  ['half of its headers', 'POST / HTTP/1.1\r\nhost: loc', { headersTimeoutMs: 50 }],
  [
    'half of its body',
    'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{',
    { headersTimeoutMs: 50, requestTimeoutMs: 60 },
  ],
])('a client that sends %s is cut off in time', async (_, sent, limits) => {
  const server = await open({ limits });
  const socket = connect(server.port, '127.0.0.1');
  socket.write(sent);
  expect(await received(socket)).toMatch(/^HTTP\/1\.1 408 /);
});

test('a connection that waits too long for its next request is closed', async () => {
  const server = await open({ limits: { idleTimeoutMs: 1 } });
  const socket = connect(server.port, '127.0.0.1');
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n`);
  expect(await received(socket)).toMatch(/^HTTP\/1\.1 403 /);
});

test('connections over the limit are closed, those within it are served', async () => {
  const server = await open({ limits: { connectionsMax: 2 } });
  using first = new RawHttp(server.port);
  using second = new RawHttp(server.port);
  expect((await first.post(Buffer.from(CALL))).body).toBe(ANSWER);
  expect((await second.post(Buffer.from(CALL))).body).toBe(ANSWER);
  const third = connect(server.port, '127.0.0.1');
  await closeOf(third.resume());
  expect((await first.post(Buffer.from(CALL))).body).toBe(ANSWER);
});

test('a client that is gone when its answer is ready harms nobody', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const { promise: called, resolve: isCalled } = Promise.withResolvers<void>();
  const slow = {
    call(method: string) {
      if (method === 'echo') return null;
      isCalled();
      return promise;
    },
  };
  const server = await open({ service: slow });
  const socket = connect(server.port, '127.0.0.1');
  const body = '{"jsonrpc":"2.0","id":1,"method":"slow"}';
  socket.write(
    `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  await called;
  socket.destroy();
  await closeOf(socket);
  expect((await post(server, CALL)).status).toBe(200);
  resolve(1);
  expect((await post(server, CALL)).status).toBe(200);
});

test('an upgrade to something else than WebSocket is a request like others', async () => {
  const server = await open();
  const answer = await post(server, CALL, { connection: 'Upgrade', upgrade: 'h2c' });
  expect(answer).toEqual({ status: 200, body: ANSWER });
});

test('the bytes of open and closed connections are counted', async () => {
  const server = await open();
  expect(server.networkBytes).toBe(0);
  using http = new RawHttp(server.port);
  await http.post(Buffer.from(CALL));
  const onceBytes = server.networkBytes;
  expect(onceBytes).toBeGreaterThan(CALL.length + ANSWER.length);
  await http.post(Buffer.from(CALL));
  expect(server.networkBytes).toBe(2 * onceBytes);
  await server.close();
  expect(server.networkBytes).toBe(2 * onceBytes);
});

test('calls are recorded with their transport', async () => {
  const records: RequestRecord[] = [];
  const server = await open({ onRequest: (record) => records.push(record) });
  await post(server, CALL);
  expect(records).toMatchObject([{ transport: 'http', method: 'echo' }]);
});

test('closing ends waiting connections and endless calls, and frees the port', async () => {
  const { promise: called, resolve: isCalled } = Promise.withResolvers<void>();
  const endless = {
    call(method: string) {
      if (method === 'echo') return null;
      isCalled();
      return new Promise(() => {});
    },
  };
  const server = await open({ service: endless });
  using waiting = new RawHttp(server.port);
  await waiting.post(Buffer.from(CALL));
  using busy = new RawHttp(server.port);
  const answer = busy.post(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"endless"}'));
  const failure = expect(answer).rejects.toThrow(/closed|ECONNRESET/);
  await called;
  await Promise.all([server.close(), server.close()]);
  await failure;
  const next = await open({ port: server.port });
  expect(next.port).toBe(server.port);
});

test.each([
  [{ port: -1 }, 'bad-option'],
  [{ port: 65_536 }, 'bad-option'],
  [{ port: 1.5 }, 'bad-option'],
  [{ host: '192.0.2.1' }, 'bad-option'],
  [{ limits: { bodyBytesMax: 0 } }, 'bad-option'],
])('%j is refused', async (options, code) => {
  await expect(open(options)).rejects.toMatchObject({ name: 'HostError', code });
});
