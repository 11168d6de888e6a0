import type { IncomingMessage, Server as HttpServer } from 'node:http';
import * as net from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { HostError } from '@polyvisor/errors/host-error';
import { CallerPolicy } from './caller-policy.ts';
import { FastLane, connectionHeaders } from './fast-lane.ts';
import { handleRequest, refuseCaller } from './http-door.ts';
import type { HttpDoor, RpcIdentity } from './http-door.ts';
import { errorAnswer } from './json-rpc.ts';
import { resolveLimits } from './limits.ts';
import type { RpcLimits } from './limits.ts';
import type { RequestRecord } from './request-record.ts';
import type { RpcService } from './service.ts';
import { serveWebSocket } from './websocket-door.ts';

export interface RpcServerOptions extends RpcIdentity {
  readonly service: RpcService;
  /** Address to listen at; the default, 127.0.0.1, is reached from this computer only. */
  readonly host?: string;
  /** 0, the default: any that is free. */
  readonly port?: number;
  /** Names beside loopback's and `host` by which callers may call the server; `*`: any. */
  readonly hostNames?: readonly string[];
  /** Origins of web pages, beside those of this computer, that may call; `*`: any. */
  readonly allowOrigins?: readonly string[];
  readonly limits?: Partial<RpcLimits>;
  /** What /readyz says; the default: always. */
  readonly isReady?: () => boolean;
  /** Called for each call when its answer is ready. */
  readonly onRequest?: (record: RequestRecord) => void;
  /** Called with what the service threw and is no RpcError; the default writes it to stderr. */
  readonly onBug?: (error: unknown) => void;
}

export interface RpcServer extends AsyncDisposable {
  /** `http://127.0.0.1:8545` */
  readonly url: string;
  /** `ws://127.0.0.1:8545` */
  readonly wsUrl: string;
  readonly port: number;
  /** Received and sent so far, headers included. */
  readonly networkBytes: number;
  /** Ends every connection, whatever it is doing, and frees the port. */
  close(): Promise<void>;
}

/**
 * Serves a guest's JSON-RPC over HTTP and WebSocket on one port.
 * @throws HostError `port-busy` with who has it, `port-forbidden`, `bad-option`
 */
export async function openRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const { host = '127.0.0.1', port = 0, service, onRequest } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new HostError('bad-option', `port ${port} is none`, 'ports are 1 to 65535, 0 for any');
  }
  const limits = resolveLimits(options.limits);
  const policy = new CallerPolicy(host, options.hostNames ?? [], options.allowOrigins ?? []);
  const onBug = options.onBug ?? ((error) => console.error(error));
  const core = { service, limits, onRequest, onBug };
  const { instanceId, name, kind } = options;
  const httpDoor = {
    ...core,
    transport: 'http' as const,
    policy,
    bodyBytesMax: limits.bodyBytesMax,
    identity: { instanceId, name, kind },
    isReady: options.isReady ?? (() => true),
  };
  const webSocketDoor = { ...core, transport: 'ws' as const };

  let webSockets: Promise<WebSocketServer> | undefined;
  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    socket.on('error', () => socket.destroy());
    const refusal = refuseCaller(request, policy);
    if (refusal !== undefined) {
      socket.end(forbidden(errorAnswer('null', refusal)), () => socket.destroy());
      return;
    }
    webSockets ??= makeWebSocketServer(limits);
    (await webSockets).handleUpgrade(request, socket, head, (webSocket) =>
      serveWebSocket(webSocket, webSocketDoor),
    );
  };

  let httpServer: HttpServer | undefined;
  const lane = {
    headersTimeoutMs: limits.headersTimeoutMs,
    idleTimeoutMs: limits.idleTimeoutMs,
    connectionHeaders: connectionHeaders(limits.idleTimeoutMs),
    handOver: (socket: Socket) => {
      httpServer ??= makeHttpServer(httpDoor, limits, upgrade);
      httpServer.emit('connection', socket);
    },
  };
  // As node:http makes its own.
  const server = net.createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true });
  server.maxConnections = limits.connectionsMax;
  server.on('connection', (socket: Socket) => void new FastLane(socket, httpDoor, lane));

  const traffic = new Traffic(server);
  await listen(server, host, port);
  const { port: boundPort } = server.address() as AddressInfo;
  const authority = `${nameOf(host)}:${boundPort}`;
  const end = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    httpServer?.close();
    const clients = (await webSockets)?.clients ?? [];
    for (const webSocket of clients) webSocket.close(GOING_AWAY, 'the server closes');
    traffic.destroySockets();
    await closed;
  };
  let ended: Promise<void> | undefined;
  const close = (): Promise<void> => (ended ??= end());
  return {
    url: `http://${authority}`,
    wsUrl: `ws://${authority}`,
    port: boundPort,
    get networkBytes() {
      return traffic.bytes;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * Loaded when the first client wants it: many never do, and it is a tenth of what a start takes.
 */
async function makeWebSocketServer(limits: RpcLimits): Promise<WebSocketServer> {
  const { WebSocketServer } = await import('ws');
  const options = {
    noServer: true,
    clientTracking: true,
    maxPayload: limits.bodyBytesMax,
    perMessageDeflate: false,
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
  return new WebSocketServer(options);
}

/**
 * What answers connections that are not for the fast lane. It listens at no port of its own, and is loaded when the
 * first of them comes.
 */
function makeHttpServer(
  door: HttpDoor,
  limits: RpcLimits,
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>,
): HttpServer {
  const httpServer = process.getBuiltinModule('node:http').createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.idleTimeoutMs,
      connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs, 5000),
      // Some clients offer HTTP/2 with every request; they go on in HTTP/1.
      shouldUpgradeCallback: isWebSocketUpgrade,
    },
    (request, response) => handleRequest(request, response, door),
  );
  httpServer.on('upgrade', (request, socket, head) => void upgrade(request, socket, head));
  // From here on it looks for connections that take too long.
  httpServer.emit('listening');
  return httpServer;
}

/** The open sockets of a server, and what went through it. */
class Traffic {
  readonly #sockets = new Set<Socket>();
  #bytesOfClosed = 0;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        this.#bytesOfClosed += bytesOf(socket);
      });
    });
  }

  get bytes(): number {
    let bytes = this.#bytesOfClosed;
    for (const socket of this.#sockets) bytes += bytesOf(socket);
    return bytes;
  }

  destroySockets(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function bytesOf(socket: Socket): number {
  return socket.bytesRead + socket.bytesWritten;
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  const bound = host === '127.0.0.1' ? boundHandle(host, port) : undefined;
  if (bound === undefined) server.listen(port, host, resolve);
  else server.listen(bound, resolve);
  try {
    await promise;
  } catch (error) {
    throw await explainListenError(error as NodeJS.ErrnoException, host, port);
  }
  server.off('error', reject);
}

/**
 * A bound socket, made as node:cluster makes its own. `listen` with an address looks even an IPv4 address up and
 * matches it with a large pattern for IPv6, which takes 6 ms of every start.
 * @returns undefined where that can't be done: `listen` then does it, or says why not
 */
function boundHandle(host: string, port: number): object | undefined {
  const { _createServerHandle: create } = net as {
    _createServerHandle?: (address: string, port: number, family: 4) => object | number;
  };
  const handle = create?.(host, port, 4);
  return typeof handle === 'object' ? handle : undefined;
}

async function explainListenError(
  cause: NodeJS.ErrnoException,
  host: string,
  port: number,
): Promise<Error> {
  switch (cause.code) {
    case 'EADDRINUSE': {
      const { describePortHolder } = await import('./port-holder.ts');
      const holder = await describePortHolder(host, port);
      const hint = 'give another port, or 0 for any that is free, or stop what has it';
      return new HostError('port-busy', `port ${port} of ${host} is taken by ${holder}`, hint, {
        cause,
      });
    }
    case 'EACCES':
      return new HostError(
        'port-forbidden',
        `this user may not listen at port ${port}`,
        'ports from 1024 on need no rights',
        { cause },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new HostError(
        'bad-option',
        `'${host}' is no address of this computer`,
        '127.0.0.1 is this computer alone, 0.0.0.0 everybody who reaches it',
        { cause },
      );
    default:
      return cause;
  }
}

function isWebSocketUpgrade(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}

function forbidden(json: string): string {
  return (
    'HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\n' +
    `content-length: ${Buffer.byteLength(json)}\r\nconnection: close\r\n\r\n${json}`
  );
}

/** By which name programs on this computer call a server that listens at `host`. */
function nameOf(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** How long a WebSocket client may take to answer a close, before the connection is cut. */
const CLOSE_TIMEOUT_MS = 1000;
/** @see RFC 6455, section 7.4.1 */
const GOING_AWAY = 1001;
