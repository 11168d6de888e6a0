import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HostError } from '@polyvisor/errors/host-error';
import { CallerPolicy } from '@polyvisor/rpc/caller-policy';
import { describePortHolder } from '@polyvisor/rpc/port-holder';
import type { Host } from '../host.ts';
import { randomName } from '../identity.ts';
import { checkCaller } from './access.ts';
import type { AccessPolicy } from './access.ts';
import { sendError } from './answers.ts';
import { answerPublic } from './public.ts';

export interface ControlOptions {
  /** Address to listen at. Default 127.0.0.1. */
  readonly host?: string;
  /** Names beside loopback's and `host` by which callers may call it; `*`: any. Default none. */
  readonly hostNames?: readonly string[];
  /** 0: any free one. Default 7400. */
  readonly port?: number;
  /** What callers must know. Default: random, new at each start. */
  readonly token?: string;
  /** The console's built files. Default: none. */
  readonly consoleDirectory?: string;
  /** Longest body of a request. Default 16 MiB: a guest may come with a large genesis. */
  readonly bodyBytesMax?: number;
  /** What a request to shut down does, once it is answered. Default: closes the host. */
  readonly onShutdown?: () => void;
}

/** The control API and the console, on one port. */
export interface ControlServer {
  readonly url: string;
  readonly port: number;
  readonly token: string;
  /** The console with the token; the part after `#` stays in the browser. */
  readonly consoleUrl: string;
  /** Ends streams and connections. */
  close(): Promise<void>;
}

/** @throws HostError `port-busy`, `port-failed` */
export async function openControlServer(
  host: Host,
  entropy: (length: number) => Uint8Array,
  options: ControlOptions = {},
): Promise<ControlServer> {
  const address = options.host ?? '127.0.0.1';
  const token = options.token ?? randomName(entropy, TOKEN_LENGTH);
  const streams = new AbortController();
  const server = createServer();
  server.maxConnections = CONNECTIONS_MAX;
  const port = await listen(server, address, options.port ?? PORT);
  const door: Door = {
    host,
    policy: { callers: new CallerPolicy(address, options.hostNames ?? [], []), token },
    consoleDirectory: options.consoleDirectory,
    bodyBytesMax: options.bodyBytesMax ?? BODY_BYTES_MAX,
    onShutdown: options.onShutdown ?? (() => void host.close()),
    streams: streams.signal,
  };
  server.on('request', (request, response) => void answer(door, request, response));
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
  return {
    url,
    port,
    token,
    consoleUrl: `${url}/#token=${token}`,
    close: () => {
      streams.abort();
      return close(server);
    },
  };
}

/** What requests are answered from. */
export interface Door {
  readonly host: Host;
  readonly policy: AccessPolicy;
  readonly consoleDirectory: string | undefined;
  readonly bodyBytesMax: number;
  readonly onShutdown: () => void;
  /** Aborted when the server closes. */
  readonly streams: AbortSignal;
}

const PORT = 7400;
const BODY_BYTES_MAX = 2 ** 24;
const CONNECTIONS_MAX = 1024;
/** 160 bits. */
const TOKEN_LENGTH = 32;

async function answer(
  door: Door,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    checkCaller(request.headers, door.policy);
    const url = parseUrl(request.url ?? '/');
    if (url.pathname.startsWith('/v1/')) {
      // The routes and their schemas are a fifth of what a start would take; most starts get no such request soon.
      const { answerApi } = await import('./api.ts');
      await answerApi(door, url, request, response);
    } else await answerPublic(door, url, request, response);
  } catch (error) {
    const { code, message } = sendError(response, error);
    if (code === 'internal') door.host.logs.write('error', message);
  }
}

function parseUrl(target: string): URL {
  const url = URL.parse(target, 'http://host');
  if (url !== null && target.startsWith('/')) return url;
  throw new HostError('bad-request', `'${target.slice(0, 100)}' is not a path`);
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => explain(error, host, port).then(reject, reject));
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

async function explain(cause: NodeJS.ErrnoException, host: string, port: number): Promise<Error> {
  if (cause.code !== 'EADDRINUSE') {
    const what = `can't listen at ${host}, port ${port}: ${cause.message}`;
    return new HostError('port-failed', what, undefined, { cause });
  }
  const holder = await describePortHolder(host, port);
  return new HostError(
    'port-busy',
    `port ${port} of ${host} is taken by ${holder}`,
    'give another with --console-port, or 0 for any that is free, or stop what has it',
    { cause },
  );
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
