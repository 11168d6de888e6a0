import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallerPolicy } from './caller-policy.ts';
import { answerMessage, errorAnswer } from './json-rpc.ts';
import type { Answer, JsonRpcContext } from './json-rpc.ts';
import { RpcError, invalidRequest, rpcCodes } from './rpc-error.ts';
import type { RpcSession } from './service.ts';

export interface HttpDoor extends JsonRpcContext {
  readonly policy: CallerPolicy;
  readonly bodyBytesMax: number;
  readonly identity: RpcIdentity;
  readonly isReady: () => boolean;
}

/** Which guest answers here: a client asks to be sure that it reached its own. */
export interface RpcIdentity {
  /** Of this run of the guest: no other has it. */
  readonly instanceId: string;
  readonly name: string;
  readonly kind: string;
}

/** Where a server tells its identity. */
export const IDENTITY_PATH = '/__polyvisor';

/**
 * POST at any path is JSON-RPC: clients are often given a URL with a path, for a key or a version.
 */
export function handleRequest(
  request: IncomingMessage,
  response: ServerResponse,
  door: HttpDoor,
): void {
  const refusal = refuseCaller(request, door.policy);
  if (refusal !== undefined) return sendError(response, 403, refusal, undefined);
  const origin = request.headers.origin;
  switch (request.method) {
    case 'POST':
      return receiveBody(request, response, door, origin);
    case 'GET':
    case 'HEAD':
      return sendPage(request, response, door, origin);
    case 'OPTIONS':
      return sendPreflight(request, response, origin);
    default:
      response.setHeader('allow', METHODS);
      return sendError(response, 405, invalidRequest('use POST'), origin);
  }
}

/** @returns why it is not answered; undefined: it is */
export function refuseCaller(request: IncomingMessage, policy: CallerPolicy): RpcError | undefined {
  const { host, origin } = request.headers;
  if (!policy.allowsHost(host)) {
    return invalidRequest(`this server is not '${host ?? ''}'; its names are configured`);
  }
  if (!policy.allowsOrigin(origin)) {
    return invalidRequest(`pages of ${origin} may not call; allowed origins are configured`);
  }
  return undefined;
}

function receiveBody(
  request: IncomingMessage,
  response: ServerResponse,
  door: HttpDoor,
  origin: string | undefined,
): void {
  const bytesMax = door.bodyBytesMax;
  let first: Buffer | undefined;
  let more: Buffer[] | undefined;
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      // What is a little too large is read to its end, so that the client gets to read the answer.
      if (bytes > 2 * bytesMax && !response.headersSent) refuseBody(response, door, origin, true);
    } else if (first === undefined) first = chunk;
    else (more ??= [first]).push(chunk);
  });
  request.on('end', () => {
    if (bytes > bytesMax) return refuseBody(response, door, origin, false);
    const body = more === undefined ? first : Buffer.concat(more, bytes);
    const answer = answerMessage(body === undefined ? '' : body.toString(), door, HTTP_SESSION);
    if (answer instanceof Promise) void answer.then((json) => sendAnswer(response, json, origin));
    else sendAnswer(response, answer, origin);
  });
}

function refuseBody(
  response: ServerResponse,
  door: HttpDoor,
  origin: string | undefined,
  isClosing: boolean,
): void {
  if (response.headersSent) return;
  if (isClosing) response.setHeader('connection', 'close');
  const message = `request body larger than ${door.bodyBytesMax} bytes`;
  sendError(response, 413, new RpcError(rpcCodes.limitExceeded, message), origin);
}

function sendPage(
  request: IncomingMessage,
  response: ServerResponse,
  door: HttpDoor,
  origin: string | undefined,
): void {
  const { instanceId, name, kind } = door.identity;
  switch (/^[^?]*/.exec(request.url!)![0]) {
    case IDENTITY_PATH:
      return send(response, 200, JSON_TYPE, JSON.stringify({ instanceId, name, kind }), origin);
    case '/':
      return send(response, 200, TEXT_TYPE, describe(door.identity), origin);
    case '/healthz':
      return send(response, 200, TEXT_TYPE, 'ok\n', origin);
    case '/readyz':
      if (door.isReady()) return send(response, 200, TEXT_TYPE, 'ready\n', origin);
      return send(response, 503, TEXT_TYPE, 'not ready\n', origin);
    default:
      return sendError(response, 404, invalidRequest('no such page; calls are POSTs'), origin);
  }
}

function describe({ name, kind }: RpcIdentity): string {
  return (
    `${name}: a guest of Polyvisor, kind ${kind}.\n` +
    'JSON-RPC 2.0: POST calls or batches here, or open a WebSocket for subscriptions.\n'
  );
}

/** @see Fetch standard, CORS-preflight fetch */
function sendPreflight(
  request: IncomingMessage,
  response: ServerResponse,
  origin: string | undefined,
): void {
  response.writeHead(204, [
    'allow',
    METHODS,
    'access-control-allow-methods',
    METHODS,
    'access-control-allow-headers',
    request.headers['access-control-request-headers'] ?? 'content-type',
    'access-control-max-age',
    '600',
    ...corsHeaders(origin),
  ]);
  response.end();
}

function sendAnswer(response: ServerResponse, answer: Answer, origin: string | undefined): void {
  if (answer !== undefined) return send(response, 200, JSON_TYPE, answer, origin);
  if (response.destroyed) return;
  response.writeHead(204, corsHeaders(origin));
  response.end();
}

/** An error of HTTP, in the form of JSON-RPC, which is what clients read. */
function sendError(
  response: ServerResponse,
  status: number,
  error: RpcError,
  origin: string | undefined,
): void {
  send(response, status, JSON_TYPE, errorAnswer('null', error), origin);
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
  origin: string | undefined,
): void {
  // The client can be gone by the time that its answer is there.
  if (response.destroyed) return;
  const headers = ['content-type', type, 'content-length', String(Buffer.byteLength(body))];
  if (origin !== undefined) headers.push(...corsHeaders(origin));
  response.writeHead(status, headers);
  response.end(body);
}

/** @param origin one that may call; undefined: no page */
function corsHeaders(origin: string | undefined): string[] {
  return origin === undefined ? [] : ['access-control-allow-origin', origin, 'vary', 'origin'];
}

const METHODS = 'POST, GET, HEAD, OPTIONS';
const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/** Calls over HTTP have no connection of their own: nothing can be sent later, and nothing ends. */
export const HTTP_SESSION: RpcSession = { notify: undefined, onClose: () => {} };
