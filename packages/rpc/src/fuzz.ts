import { once } from 'node:events';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { expectedIds, fuzzCase, fuzzLimits } from './fuzz-cases.ts';
import type { FuzzCase } from './fuzz-cases.ts';
import { RawHttp } from './raw-http.ts';
import { openRpcServer } from './server.ts';
import type { RpcServer } from './server.ts';
import type { RpcService } from './service.ts';

export interface FuzzRpcOptions {
  /** The same seed gives the same cases. */
  readonly seed: number;
  /** How many cases. */
  readonly n: number;
  readonly service: RpcService;
  /** Methods that the service has. */
  readonly methods: readonly string[];
}

export interface FuzzRpcReport {
  readonly requests: number;
  readonly answers: number;
  /** How many answers had each error code. */
  readonly errorsByCode: Readonly<Record<number, number>>;
  /** How many HTTP answers had each status. */
  readonly httpByStatus: Readonly<Record<number, number>>;
}

/**
 * Sends wrong, broken and hostile messages to a real server, over HTTP and WebSocket, several
 * clients at a time, and checks every answer.
 * @throws Error that names the seed and the case, for the first answer that is wrong or missing
 */
export async function fuzzRpc(options: FuzzRpcOptions): Promise<FuzzRpcReport> {
  const { seed, n, service, methods } = options;
  const bugs: unknown[] = [];
  const onBug = (error: unknown): void => void bugs.push(error);
  const identity = { instanceId: 'fuzz', name: 'fuzz', kind: 'fuzz' };
  await using server = await openRpcServer({ ...identity, service, limits: fuzzLimits, onBug });
  const tally = new Tally();

  let next = 0;
  const run = async (client: Client): Promise<void> => {
    for (let index = next++; index < n; index = next++) {
      const each = fuzzCase(seed, index, methods);
      try {
        tally.requests++;
        await client.run(each, index);
        if (bugs.length > 0) throw bugs[0];
      } catch (error) {
        const sent = 'bytes' in each ? each.bytes.toString('latin1') : '';
        const what = `seed ${seed}, case ${index}, ${each.kind}: ${JSON.stringify(sent)}`;
        throw new Error(`${what} over ${client.transport}`, { cause: error });
      }
    }
  };
  const clients = [
    ...Array.from({ length: HTTP_CLIENTS }, () => new HttpClient(server, tally)),
    ...Array.from({ length: WEBSOCKET_CLIENTS }, () => new WebSocketClient(server, tally)),
  ];
  try {
    await Promise.all(clients.map(run));
  } finally {
    for (const client of clients) client.close();
  }
  const { requests, answers, errorsByCode, httpByStatus } = tally;
  return { requests, answers, errorsByCode, httpByStatus };
}

interface Client {
  readonly transport: string;
  /** @throws Error for an answer that is wrong or missing */
  run(each: FuzzCase, index: number): Promise<void>;
  close(): void;
}

class HttpClient implements Client {
  readonly transport = 'HTTP';
  readonly #server: RpcServer;
  readonly #tally: Tally;
  #http: RawHttp;

  constructor(server: RpcServer, tally: Tally) {
    this.#server = server;
    this.#tally = tally;
    this.#http = new RawHttp(server.port);
  }

  async run(each: FuzzCase, index: number): Promise<void> {
    switch (each.kind) {
      case 'message': {
        const ids = expectedIds(each.bytes, fuzzLimits);
        return await this.#post(each.bytes, {}, ids.length === 0 ? 204 : 200, ids);
      }
      case 'oversized':
        return await this.#post(each.bytes, {}, 413, [null]);
      case 'forbidden':
        return await this.#post(PROBE, each.headers, 403, [null]);
      case 'rude':
        await beRude(this.#server.port, each.bytes, each.isCut);
        return await this.#post(PROBE, {}, 200, [PROBE_ID]);
      default:
        throw new Error(`case ${index} has no kind`, { cause: each satisfies never });
    }
  }

  close(): void {
    this.#http[Symbol.dispose]();
  }

  async #post(
    body: Buffer,
    headers: Readonly<Record<string, string>>,
    status: number,
    ids: readonly unknown[],
  ): Promise<void> {
    const answer = await this.#http.post(body, headers);
    this.#tally.countStatus(answer.status);
    check(answer.status === status, `status ${answer.status}, not ${status}`);
    this.#tally.checkAnswer(answer.body, ids);
    if (!answer.isLast) return;
    this.close();
    this.#http = new RawHttp(this.#server.port);
  }
}

class WebSocketClient implements Client {
  readonly transport = 'WebSocket';
  readonly #server: RpcServer;
  readonly #tally: Tally;
  #socket: WebSocket | undefined;

  constructor(server: RpcServer, tally: Tally) {
    this.#server = server;
    this.#tally = tally;
  }

  async run(each: FuzzCase): Promise<void> {
    switch (each.kind) {
      case 'message':
        return await this.#exchange(each.bytes);
      case 'oversized': {
        const socket = await this.#open();
        socket.send(each.bytes);
        const [code] = (await once(socket, 'close')) as [number];
        check(code === MESSAGE_TOO_BIG, `closed with ${code}`);
        this.#socket = undefined;
        return;
      }
      case 'forbidden': {
        const status = await statusOfUpgrade(this.#server.wsUrl, each.headers);
        return check(status === 403, `status ${status}, not 403`);
      }
      case 'rude':
        await beRude(this.#server.port, each.bytes, each.isCut);
        return await this.#exchange(EMPTY_BATCH);
    }
  }

  close(): void {
    this.#socket?.terminate();
  }

  /**
   * Sends a message and a call after it: what comes is exactly the answers to both, in any order.
   */
  async #exchange(message: Buffer): Promise<void> {
    const socket = await this.#open();
    const ids = expectedIds(message, fuzzLimits);
    const answers: string[] = [];
    const wanted = ids.length === 0 ? 1 : 2;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const take = (data: Buffer): void => {
      if (answers.push(data.toString()) === wanted) resolve();
    };
    const fail = (code: number): void => reject(new Error(`closed with ${code}`));
    const timer = setTimeout(() => fail(0), ANSWER_TIMEOUT_MS);
    socket.on('message', take).on('close', fail);
    try {
      socket.send(message, { binary: !isText(message) });
      socket.send(PROBE, { binary: false });
      await promise;
    } finally {
      clearTimeout(timer);
      socket.off('message', take).off('close', fail);
    }
    const probes = answers.filter((answer) => sameIds(idsIn(answer), [PROBE_ID]));
    check(probes.length === 1, `${probes.length} answers to one call`);
    this.#tally.checkAnswer(probes[0]!, [PROBE_ID]);
    const answer = answers.find((text) => text !== probes[0]);
    this.#tally.checkAnswer(answer ?? '', ids);
  }

  async #open(): Promise<WebSocket> {
    if (this.#socket !== undefined) return this.#socket;
    this.#socket = new WebSocket(this.#server.wsUrl, { perMessageDeflate: false });
    await once(this.#socket, 'open');
    return this.#socket;
  }
}

/** @returns the HTTP status that a WebSocket is answered with; 101: it opens */
async function statusOfUpgrade(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const socket = new WebSocket(url, { headers });
  socket.on('open', () => resolve(101));
  socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
  // It is not to open: how it ends does not matter.
  socket.on('error', () => resolve(0));
  const status = await promise;
  socket.terminate();
  return status;
}

/** Sends bytes over a connection of their own, and leaves without asking for the answer. */
async function beRude(port: number, bytes: Buffer, isCut: boolean): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  // A reset is an end like another.
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await new Promise((resolve) => socket.write(bytes, resolve));
  if (isCut) socket.destroy();
  else socket.end().resume();
  await closed;
}

/** Checks answers, and counts them. */
class Tally {
  requests = 0;
  answers = 0;
  readonly errorsByCode: Record<number, number> = {};
  readonly httpByStatus: Record<number, number> = {};

  countStatus(status: number): void {
    this.httpByStatus[status] = (this.httpByStatus[status] ?? 0) + 1;
  }

  /** @param body of an answer; empty: there was none */
  checkAnswer(body: string, ids: readonly unknown[]): void {
    if (body === '') return check(ids.length === 0, 'no answer');
    check(sameIds(idsIn(body), ids), `answered ${body}, expected ids ${ids.join(', ')}`);
    for (const answer of [JSON.parse(body)].flat() as Record<string, unknown>[]) {
      this.answers++;
      check(answer['jsonrpc'] === '2.0', `no JSON-RPC: ${body}`);
      check('result' in answer !== 'error' in answer, `neither result nor error, or both: ${body}`);
      if ('error' in answer) this.#checkError(answer['error'] as Record<string, unknown>, body);
    }
  }

  #checkError({ code, message }: Record<string, unknown>, body: string): void {
    check(typeof code === 'number' && isStandardCode(code), `code ${String(code)}: ${body}`);
    check(typeof message === 'string' && message !== '', `no message: ${body}`);
    this.errorsByCode[code as number] = (this.errorsByCode[code as number] ?? 0) + 1;
  }
}

/** Numbers are compared by value: -0 may come back as 0. */
function sameIds(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}

function idsIn(body: string): unknown[] {
  return ([JSON.parse(body)].flat() as { id?: unknown }[]).map(({ id }) => id);
}

/**
 * The range that JSON-RPC reserves, and 3, a revert. @see JSON-RPC 2.0, section 5.1; go-ethereum,
 * internal/ethapi/errors.go
 */
function isStandardCode(code: number): boolean {
  return code === 3 || (Number.isInteger(code) && code >= -32_768 && code <= -32_000);
}

/** Whether a text frame can carry it. */
function isText(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString()).equals(bytes);
}

function check(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

/** Answered by the core itself, whatever the service: it has no method. */
const PROBE_ID = 'probe';
const PROBE = Buffer.from(`{"jsonrpc":"2.0","id":"${PROBE_ID}"}`);
const EMPTY_BATCH = Buffer.from('[]');
const HTTP_CLIENTS = 6;
const WEBSOCKET_CLIENTS = 3;
const ANSWER_TIMEOUT_MS = 20_000;
/** @see RFC 6455, section 7.4.1 */
const MESSAGE_TOO_BIG = 1009;
