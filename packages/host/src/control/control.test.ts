import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createHost } from '../host.ts';
import type { Host } from '../host.ts';
import type { EvmFaces } from '../kinds/evm-types.ts';
import { CountingComputer } from '../testing/counting-computer.ts';
import { ScriptedShell } from '../testing/scripted-shell.ts';
import { VERSION } from '../version.ts';
import { routes } from './routes.ts';
import { findRoute } from './router.ts';
import type { ControlServer } from './server.ts';
import type { EventView, GuestView } from './views.ts';

const SEED = 20_260_417;

let host: Host;
let control: ControlServer;

beforeEach(async () => {
  host = await createHost();
  control = await host.openControl({ port: 0 });
});
afterEach(() => host.close());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Calls a route with the token; a success has the shape that the route promises. */
async function call(method: string, path: string, body?: unknown): Promise<Answer> {
  const { route } = findRoute(method, path.split('?')[0] ?? '');
  const answer = await send(method, path, body === undefined ? undefined : JSON.stringify(body));
  if (answer.status >= 400) {
    expect(answer.body).toMatchObject({
      code: expect.any(String) as string,
      message: expect.any(String) as string,
    });
  } else if (route.stream === undefined) {
    expect(answer.status).toBe(route.answer === undefined ? 204 : (route.status ?? 200));
    if (route.answer !== undefined) expect(route.answer.parse(answer.body)).toEqual(answer.body);
  }
  return answer;
}

async function send(
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = { authorization: `Bearer ${control.token}` },
): Promise<Answer> {
  const response = await fetch(control.url + path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson === true ? JSON.parse(text) : text,
  };
}

/** Sends a request as written; `fetch` would correct it. @returns status and body */
function sendRaw(options: {
  path?: string;
  headers: Record<string, string>;
}): Promise<[number, string]> {
  const { promise, resolve, reject } = Promise.withResolvers<[number, string]>();
  const { port } = control;
  const request = httpRequest({ host: '127.0.0.1', port, ...options }, (response) => {
    let text = '';
    response.on('data', (chunk: Buffer) => (text += chunk.toString()));
    response.on('end', () => resolve([response.statusCode ?? 0, text]));
  });
  request.on('error', reject).end();
  return promise;
}

const authorization = (): string => `Bearer ${control.token}`;

describe('every route', () => {
  test('answers in its promised shape', async () => {
    const visited = new Set<string>();
    const visit = async (method: string, path: string, body?: unknown): Promise<unknown> => {
      visited.add(findRoute(method, path.split('?')[0] ?? '').route.id);
      const answer = await call(method, path, body);
      expect([path, answer.status < 300]).toEqual([path, true]);
      return answer.body;
    };
    const spec = { kind: 'evm', name: 'l1', memory: '64MiB', cpu: { weight: 2 } };
    expect(await visit('POST', '/v1/guests?start=false', spec)).toMatchObject({
      name: 'l1',
      state: 'created',
      limits: { cpuWeight: 2, memoryBytesMax: 2 ** 26 },
    });
    expect(await visit('POST', '/v1/guests/l1/start')).toMatchObject({ state: 'running' });
    expect(await visit('POST', '/v1/guests/l1/pause')).toMatchObject({ state: 'paused' });
    expect(await visit('POST', '/v1/guests/l1/resume')).toMatchObject({ state: 'running' });
    expect(await visit('POST', '/v1/guests/l1/mine', { count: 3 })).toEqual({ head: '3' });
    const warped = await visit('POST', '/v1/guests/l1/warp', { seconds: 1000 });
    expect((warped as { time: number }).time).toBeGreaterThan(Date.now() / 1000 + 900);
    expect(await visit('POST', '/v1/guests/l1/snapshots', { name: 'four' })).toMatchObject({
      id: 's1',
      head: '4',
      isCurrent: true,
    });
    const exec = { command: 'eth_blockNumber' };
    expect(await visit('POST', '/v1/guests/l1/exec', exec)).toEqual({ result: '0x4' });
    // The log shows what clients ask, not what the console does.
    const { provider } = host.guest('l1') as unknown as EvmFaces;
    await provider.request({ method: 'eth_blockNumber' });
    const requests = await visit('GET', '/v1/guests/l1/requests?limit=1');
    expect(requests).toMatchObject([{ number: 1, method: 'eth_blockNumber' }]);
    expect(await visit('POST', '/v1/guests/l1/requests/1/replay')).toEqual({ result: '0x4' });
    expect(await visit('POST', '/v1/guests/l1/fork', { count: 2 })).toMatchObject([
      { name: 'l1-fork', head: '4' },
      { name: 'l1-fork-2', head: '4' },
    ]);
    await visit('POST', '/v1/guests/l1/mine');
    expect(await visit('POST', '/v1/guests/l1/snapshots/four/restore')).toMatchObject({ id: 's1' });
    expect(await visit('GET', '/v1/guests/l1')).toMatchObject({ head: '4' });
    expect(await visit('GET', '/v1/guests/l1/snapshots')).toHaveLength(1);
    await visit('DELETE', '/v1/guests/l1/snapshots/four');
    expect(await visit('GET', '/v1/guests/l1/snapshots')).toEqual([]);
    using computer = new CountingComputer();
    await visit('POST', '/v1/guests', { kind: 'linux', name: 'box', options: computer.options });
    expect(await visit('POST', '/v1/guests/box/console', { data: btoa('ab') })).toEqual({
      taken: 2,
    });
    expect(await visit('GET', '/v1/guests/box/console')).toMatch(/^\{"data":/);
    new ScriptedShell().giveTo(host.guest('box'));
    const words = { words: ['fail', 'no'] };
    const failed = `{"stderr":"${btoa('no')}"}\n{"exitCode":3}\n`;
    expect(await visit('POST', '/v1/guests/box/run', words)).toBe(failed);
    await visit('POST', '/v1/guests/box/file', { path: '/a', data: btoa('b') });
    expect(await visit('GET', '/v1/guests/box/file?path=/a')).toEqual({ data: btoa('b') });
    await visit('DELETE', '/v1/guests/box');
    expect(await visit('POST', '/v1/guests/l1/stop')).toMatchObject({ state: 'stopped' });
    await visit('DELETE', '/v1/guests/l1');
    const left = (await visit('GET', '/v1/guests')) as GuestView[];
    expect(left.map(({ name }) => name)).toEqual(['l1-fork', 'l1-fork-2']);
    expect(await visit('GET', '/v1/host')).toMatchObject({ version: VERSION, guests: 2 });
    expect(await visit('GET', '/v1/host/checks')).toContainEqual({
      name: 'node',
      status: 'ok',
      finding: `Node ${process.versions.node}`,
    });
    expect(await visit('GET', '/v1/logs?limit=1')).toMatch(/"message":"removed guest 'l1'"/);
    const others = ['streamEvents', 'shutDown'];
    expect([...visited, ...others].toSorted()).toEqual(routes.map(({ id }) => id).toSorted());
  });

  test('is in the API’s description, with schemas that refer to what is there', async () => {
    const { body } = await send('GET', '/v1/openapi.json', undefined, {});
    const { openapi, paths, components } = body as {
      openapi: string;
      paths: Record<string, Record<string, { operationId: string }>>;
      components: { schemas: Record<string, unknown> };
    };
    expect(openapi).toMatch(/^3\.1\./);
    const described = Object.values(paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(described.toSorted()).toEqual(routes.map(({ id }) => id).toSorted());
    const references = JSON.stringify(body).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
    for (const [, name] of references) expect(components.schemas).toHaveProperty([name ?? '']);
  });

  test('the host ends by request', async () => {
    const ended = Promise.withResolvers<void>();
    const other = await createHost();
    const { url, token } = await other.openControl({ port: 0, onShutdown: ended.resolve });
    const headers = { authorization: `Bearer ${token}` };
    const { status } = await fetch(`${url}/v1/host/shutdown`, { method: 'POST', headers });
    await ended.promise;
    await other.close();
    expect(status).toBe(204);
  });
});

describe('mistakes', () => {
  test.each([
    ['GET', '/v1/nothing', undefined, 404, 'no-route'],
    ['GET', '/nothing', undefined, 404, 'no-route'],
    ['DELETE', '/v1/host', undefined, 405, 'no-method'],
    ['POST', '/healthz', undefined, 405, 'no-method'],
    ['GET', '/v1/guests/none', undefined, 404, 'no-guest'],
    ['GET', '/v1/guests/%ff', undefined, 400, 'bad-request'],
    ['POST', '/v1/guests', '{', 400, 'bad-json'],
    ['POST', '/v1/guests', '{"kind":"vax"}', 400, 'bad-option'],
    ['POST', '/v1/guests', '{"kind":"evm","options":{"chainID":1}}', 400, 'bad-option'],
    ['POST', '/v1/guests', '{"kind":"evm","name":"../x"}', 400, 'bad-option'],
    ['POST', '/v1/guests?start=maybe', '{"kind":"evm"}', 400, 'bad-option'],
    ['POST', '/v1/guests', '{"kind":"evm","name":"l1"}', 409, 'guest-name-taken'],
    ['POST', '/v1/guests/l1/start', undefined, 409, 'wrong-state'],
    ['POST', '/v1/guests/l1/fork', '{"count":2,"name":"x"}', 400, 'bad-option'],
    ['POST', '/v1/guests/l1/fork', '{"count":0}', 400, 'bad-option'],
    ['POST', '/v1/guests/l1/fork', '{"count":10001}', 400, 'bad-option'],
    ['POST', '/v1/guests/l1/snapshots/none/restore', undefined, 404, 'no-snapshot'],
    ['POST', '/v1/guests/l1/requests/7/replay', undefined, 404, 'no-request'],
    ['GET', '/v1/guests/l1/requests?limit=513', undefined, 400, 'bad-option'],
    ['GET', '/v1/logs?guest=none', undefined, 404, 'no-guest'],
  ])('%s %s %s: %i %s', async (method, path, body, status, code) => {
    await host.create({ kind: 'evm', name: 'l1', options: {} });
    const answer = await send(method, path, body);
    expect([answer.status, answer.body]).toMatchObject([status, { code }]);
  });

  test('a busy port names its holder', async () => {
    await using other = await createHost();
    await expect(other.openControl({ port: control.port })).rejects.toThrow(
      expect.objectContaining({
        code: 'port-busy',
        message: expect.stringContaining(String(process.pid)) as string,
      }),
    );
  });

  test('an error of a guest is an outcome', async () => {
    await host.create({ kind: 'evm', name: 'l1', options: {} });
    const { body } = await call('POST', '/v1/guests/l1/exec', { command: 'eth_nothing' });
    expect(body).toMatchObject({ error: { code: -32601 } });
  });
});

test('no body and no query is a bug of ours', async () => {
  await host.create({ kind: 'evm', name: 'l1', options: {} });
  const names = ['kind', 'name', 'options', 'count', 'snapshot', 'seconds', 'command', 'cpu'];
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.integer({ min: -2, max: 5 }));
  const body = fc.oneof(fc.dictionary(fc.constantFrom(...names, 'parameters'), value), value);
  const query = fc.dictionary(fc.constantFrom('start', 'limit', 'after', 'guest'), fc.string());
  const others = new Set(['shutDown', 'removeGuest', 'streamEvents', 'readLogs']);
  const asked = routes.filter(({ id }) => !others.has(id));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...asked), body, query, async (route, sent, params) => {
      const path = route.path.replace('{guest}', 'l1').replace(/\{\w+\}/, 's1');
      const search = new URLSearchParams(params).toString();
      const text = route.method === 'POST' ? JSON.stringify(sent) : undefined;
      const { status, body: answer } = await send(route.method, `${path}?${search}`, text);
      expect([route.id, status, answer]).not.toEqual([route.id, 500, answer]);
    }),
    { seed: SEED, numRuns: 400 },
  );
  expect((await send('GET', '/v1/host')).status).toBe(200);
});

describe('access', () => {
  test.each([
    ['no token', {}, 401, 'no-token'],
    ['another scheme', { authorization: 'Basic abc' }, 401, 'no-token'],
    ['a wrong token', { authorization: 'Bearer abc' }, 401, 'wrong-token'],
  ])('%s', async (_, headers, status, code) => {
    const answer = await send('GET', '/v1/guests', undefined, headers);
    expect([answer.status, answer.body]).toMatchObject([status, { code }]);
    expect(answer.headers.get('www-authenticate')).toMatch('Bearer');
  });

  test('a route that is not there needs the token too', async () => {
    expect((await send('GET', '/v1/nothing', undefined, {})).status).toBe(401);
  });

  test.each([
    ['127.0.0.1:PORT', 200],
    ['localhost:PORT', 200],
    ['LOCALHOST', 200],
    ['[::1]:PORT', 200],
    ['rebound.example:PORT', 403],
    ['127.0.0.1.example', 403],
  ])('a caller that calls it %j: %i', async (name, status) => {
    const headers = {
      host: name.replace('PORT', String(control.port)),
      authorization: authorization(),
    };
    expect((await sendRaw({ path: '/v1/guests', headers }))[0]).toBe(status);
    expect((await sendRaw({ path: '/healthz', headers }))[0]).toBe(status);
  });

  test.each([
    ['http://127.0.0.1:PORT', 200],
    ['https://127.0.0.1:PORT', 403],
    ['http://localhost:PORT', 403],
    ['http://localhost:1', 403],
    ['https://example.com', 403],
    ['null', 403],
  ])('a page of %s: %i', async (page, status) => {
    const origin = page.replace('PORT', String(control.port));
    const headers = { origin, authorization: authorization() };
    expect((await send('GET', '/v1/guests', undefined, headers)).status).toBe(status);
  });

  test('a name that it was given is its name', async () => {
    await using other = await createHost();
    control = await other.openControl({ port: 0, hostNames: ['box.example'] });
    const statuses = [];
    for (const name of ['box.example:7400', 'BOX.example', 'other.example']) {
      statuses.push((await sendRaw({ path: '/healthz', headers: { host: name } }))[0]);
    }
    expect(statuses).toEqual([200, 200, 403]);
  });

  test('a body of another type is not read', async () => {
    const headers = { authorization: authorization(), 'content-type': 'text/plain' };
    const answer = await send('POST', '/v1/guests', '{"kind":"evm"}', headers);
    expect([answer.status, host.guests.size]).toEqual([415, 0]);
  });

  test('the longest body is read; one byte more is not', async () => {
    await using other = await createHost();
    control = await other.openControl({ port: 0, bodyBytesMax: 100 });
    const body = (length: number): string => '{"kind":"evm"}'.padEnd(length);
    const statuses = [];
    for (const length of [99, 100, 101]) {
      statuses.push((await send('POST', '/v1/guests', body(length))).status);
    }
    expect([statuses, other.guests.size]).toEqual([[201, 201, 413], 2]);
    const streamed = await fetch(`${control.url}/v1/guests`, {
      method: 'POST',
      headers: { authorization: authorization(), 'content-type': 'application/json' },
      body: ReadableStream.from([new Uint8Array(100), new Uint8Array(100)]),
      duplex: 'half',
    });
    expect(streamed.status).toBe(413);
  });

  test('a request target that is no path', async () => {
    const headers = { authorization: authorization() };
    expect((await sendRaw({ path: 'x', headers }))[0]).toBe(400);
  });
});

describe('what needs no token', () => {
  test('who it is', async () => {
    const { body } = await send('GET', '/__polyvisor', undefined, {});
    const { instanceId } = host;
    expect(body).toEqual({ kind: 'host', name: 'polyvisor', instanceId, version: VERSION });
  });

  test('it is ready when all that should run can', async () => {
    const ready = async (): Promise<unknown> => {
      const { status, body } = await send('GET', '/readyz', undefined, {});
      return [status, body];
    };
    expect(await ready()).toEqual([200, { ready: true, waiting: [] }]);
    const guest = await host.create({ kind: 'evm', memory: '1MiB', options: {} });
    expect(await ready()).toEqual([200, { ready: true, waiting: [] }]);
    const code = `0x${'00'.repeat(2 ** 20)}`;
    await guest.exec('hardhat_setCode', guest.accounts[0]?.address, code).catch(() => {});
    expect(await ready()).toEqual([503, { ready: false, waiting: ['evm'] }]);
    expect((await send('GET', '/healthz', undefined, {})).body).toBe('ok\n');
  });

  test('metrics', async () => {
    const guest = await host.create({ kind: 'evm', name: 'l1', options: {} });
    await guest.mine();
    const { body, headers } = await send('GET', '/metrics', undefined, {});
    expect(headers.get('content-type')).toMatch('text/plain; version=0.0.4');
    expect(body).toMatch(/^polyvisor_guests\{state="running"\} 1$/m);
    expect(body).toMatch(/^polyvisor_guest_work_total\{guest="l1",kind="evm"\} [1-9]\d*$/m);
    for (const line of (body as string).trimEnd().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)+\})? [\d.e+-]+)$/);
    }
  });

  test('the console’s files, and nothing outside its directory', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'polyvisor-console-'));
    const consoleDirectory = join(parent, 'dist');
    mkdirSync(consoleDirectory);
    writeFileSync(join(consoleDirectory, 'index.html'), '<title>console</title>');
    writeFileSync(join(parent, 'secret.txt'), 'secret');
    await using other = await createHost();
    control = await other.openControl({ port: 0, consoleDirectory });
    const page = await send('GET', '/', undefined, {});
    expect([page.status, page.body]).toEqual([200, '<title>console</title>']);
    expect(page.headers.get('content-security-policy')).toMatch("default-src 'none'");
    expect((await send('GET', '/guests/l1', undefined, {})).body).toBe(page.body);
    for (const path of ['/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/none.js']) {
      expect((await sendRaw({ path, headers: {} }))[0]).toBe(404);
    }
    rmSync(parent, { recursive: true });
  });

  test('without a console the root says where the API is', async () => {
    expect((await send('GET', '/', undefined, {})).body).toMatch('/v1/openapi.json');
  });
});

describe('streams', () => {
  test('events: usage at once, then what happens', async () => {
    const guest = await host.create({ kind: 'evm', name: 'l1', options: {} });
    const events = await openEvents();
    expect(await events.next()).toMatchObject({
      kind: 'usage',
      guests: { [guest.id]: { requests: 0 } },
    });
    await guest.mine();
    guest.pause();
    await guest.snapshot();
    const seen = [];
    while (seen.length < 3) {
      const event = await events.next();
      if (event.kind !== 'usage') seen.push(event);
    }
    expect(seen).toEqual([
      { kind: 'head', guest: guest.id, head: '1' },
      { kind: 'guest-state', guest: guest.id, state: 'paused' },
      { kind: 'snapshot-taken', guest: guest.id, snapshot: 's1' },
    ]);
    await events.end();
  });

  test('they end with the server', async () => {
    const events = await openEvents();
    await events.next();
    await host.close();
    await expect(events.rest()).resolves.toBe('');
  });

  test('logs follow', async () => {
    const guest = await host.create({ kind: 'evm', name: 'l1', options: {} });
    const response = await fetch(`${control.url}/v1/logs?follow=true&guest=l1`, {
      headers: { authorization: authorization() },
    });
    await guest.remove();
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (text.split('\n').length < 3) text += (await reader.read()).value ?? '';
    const records = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(records).toMatchObject([
      { level: 'info', guest: guest.id, message: "created guest 'l1'" },
      { level: 'info', guest: guest.id, message: "removed guest 'l1'" },
    ]);
    await reader.cancel();
  });
});

interface EventReader {
  next(): Promise<EventView>;
  /** What still comes until the end. */
  rest(): Promise<string>;
  end(): Promise<void>;
}

async function openEvents(): Promise<EventReader> {
  const headers = { authorization: authorization() };
  const response = await fetch(`${control.url}/v1/events`, { headers });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const read = async (): Promise<boolean> => {
    const { value, done } = await reader.read();
    text += value ?? '';
    return !done;
  };
  return {
    async next() {
      while (!text.includes('\n\n')) expect(await read()).toBe(true);
      const [event = '', ...others] = text.split('\n\n');
      text = others.join('\n\n');
      const [, kind, data = ''] = /^event: (.+)\ndata: (.+)$/.exec(event) ?? [];
      const value = JSON.parse(data) as EventView;
      expect(value.kind).toBe(kind);
      return value;
    },
    async rest() {
      while (await read());
      return text;
    },
    end: () => reader.cancel(),
  };
}

test('the token is in the data directory, for this user only', async () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'polyvisor-token-'));
  {
    await using other = await createHost({ dataDirectory, control: { port: 0 } });
    const file = join(dataDirectory, 'token');
    expect(readFileSync(file, 'utf8')).toBe(other.control?.token);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(other.control?.consoleUrl).toBe(`${other.control?.url}/#token=${other.control?.token}`);
  }
  rmSync(dataDirectory, { recursive: true });
});

test('the version is the published package’s', () => {
  const file = join(import.meta.dirname, '../../../polyvisor/package.json');
  expect(VERSION).toBe((JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version);
});
