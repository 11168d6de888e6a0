import type { RpcLimits } from './limits.ts';

/** What one client does once. The same seed and index give the same case. */
export type FuzzCase =
  /** Sends a message, which has exactly the answers that `expectedIds` says. */
  | { readonly kind: 'message'; readonly bytes: Buffer }
  /** Sends a message larger than the limit. */
  | { readonly kind: 'oversized'; readonly bytes: Buffer }
  /** Calls as somebody who may not: a rebound name, a page of elsewhere. */
  | { readonly kind: 'forbidden'; readonly headers: Readonly<Record<string, string>> }
  /** Opens a connection, sends this, and half-closes or cuts it. */
  | { readonly kind: 'rude'; readonly bytes: Buffer; readonly isCut: boolean };

/** Small, so that cases reach them. */
export const fuzzLimits = { bodyBytesMax: 4096, batchLengthMax: 12, depthMax: 24 } as const;

export function fuzzCase(seed: number, index: number, methods: readonly string[]): FuzzCase {
  const random = randomFrom(seed, index);
  const kind = random(100);
  if (kind < 92) return { kind: 'message', bytes: messageBytes(random, methods) };
  if (kind < 95) {
    const excess = pick(random, [1, 2, 100, 2 * fuzzLimits.bodyBytesMax]);
    return { kind: 'oversized', bytes: Buffer.alloc(fuzzLimits.bodyBytesMax + excess, ' ') };
  }
  if (kind < 98) return { kind: 'forbidden', headers: pick(random, FORBIDDEN) };
  return { kind: 'rude', bytes: rudeBytes(random, methods), isCut: random(2) === 0 };
}

/**
 * The ids that the answers to a message have, in order; empty: no answer. Written from the
 * specification alone, so that it can disagree with what is tested.
 * @see JSON-RPC 2.0, sections 4 to 6
 */
export function expectedIds(bytes: Buffer, limits: Pick<RpcLimits, 'batchLengthMax'>): unknown[] {
  let message: unknown;
  try {
    message = JSON.parse(bytes.toString());
  } catch {
    return [null];
  }
  if (!Array.isArray(message)) return idsOf(message);
  if (message.length === 0) return [null];
  if (message.length > limits.batchLengthMax) {
    const ids = message.flatMap(idsOf);
    return [ids.find((id) => id !== null) ?? null];
  }
  return message.flatMap(idsOf);
}

function idsOf(request: unknown): unknown[] {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) return [null];
  const { jsonrpc, id, method, params } = request as Record<string, unknown>;
  const isValid =
    jsonrpc === '2.0' && typeof method === 'string' && method !== '' && isParams(params);
  if (id === undefined) return isValid ? [] : [null];
  return [typeof id === 'string' || typeof id === 'number' ? id : null];
}

function isParams(params: unknown): boolean {
  return params === undefined || typeof params === 'object';
}

// --- messages

function messageBytes(random: Random, methods: readonly string[]): Buffer {
  const json = messageJson(random, methods);
  switch (random(8)) {
    case 0:
      return mutated(random, Buffer.from(json));
    case 1:
      return Buffer.from(json.slice(0, random(json.length + 1)));
    case 2:
      return Buffer.from(pick(random, ODD_MESSAGES));
    default:
      return Buffer.from(json);
  }
}

function messageJson(random: Random, methods: readonly string[]): string {
  if (random(3) > 0) return requestJson(random, methods, 0);
  const length = random(fuzzLimits.batchLengthMax + 3);
  const requests = Array.from({ length }, (_, i) => requestJson(random, methods, i));
  return `[${requests.join(random(2) === 0 ? ',' : ' ,\n')}]`;
}

/**
 * A call three times of four, in a batch with an id of its own; else something wrong or a
 * notification.
 */
function requestJson(random: Random, methods: readonly string[], index: number): string {
  const method = random(10) === 0 ? 'fuzz_unknown' : pick(random, methods);
  const members: Record<string, string> = {
    jsonrpc: '"2.0"',
    id: pick(random, [String(index), `"${index}"`, String(-1 - index), `${index}.5`]),
    method: JSON.stringify(method),
    params: paramsJson(random),
  };
  if (random(4) === 0) {
    const name = pick(random, Object.keys(members));
    if (random(2) === 0) delete members[name];
    else members[name] = JSON.stringify(value(random, 3));
  }
  const pairs = Object.entries(members).map(([name, json]) => `"${name}":${json}`);
  return `{${(random(2) === 0 ? pairs : pairs.toReversed()).join(',')}}`;
}

function paramsJson(random: Random): string {
  const length = random(4);
  return JSON.stringify(Array.from({ length }, () => value(random, 3)));
}

function value(random: Random, depth: number): unknown {
  const kind = random(depth > 0 ? 8 : 6);
  if (kind < 6) return pick(random, SCALARS);
  const length = random(4);
  const members = Array.from({ length }, () => value(random, depth - 1));
  if (kind === 6) return members;
  return Object.fromEntries(members.map((member) => [pick(random, NAMES), member]));
}

function mutated(random: Random, bytes: Buffer): Buffer {
  for (let count = 1 + random(3); count > 0 && bytes.length > 0; count--) {
    const at = random(bytes.length);
    switch (random(3)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(8))]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random(at + 1))]);
        break;
    }
  }
  return bytes.subarray(0, fuzzLimits.bodyBytesMax);
}

function rudeBytes(random: Random, methods: readonly string[]): Buffer {
  const body = messageJson(random, methods);
  const request = Buffer.from(
    `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  switch (random(4)) {
    case 0:
      return request;
    case 1:
      return request.subarray(0, random(request.length));
    case 2:
      return mutated(random, request);
    default:
      return Buffer.from(pick(random, ODD_REQUESTS));
  }
}

// --- chance

/** An integer from 0 to below `n`. */
type Random = (n: number) => number;

/** @see Tommy Ettinger, Mulberry32: 32 bits of state, good enough to choose among cases */
function randomFrom(seed: number, index: number): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) | 0;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random(choices.length)]!;
}

// oxfmt-ignore
const SCALARS: readonly unknown[] = [
  null, true, false, 0, -1, 1.5, 2 ** 53, 1e21, '', '0x', '0x0', '0x1', '0xzz', 'latest', '2.0',
  '\u0000\ud800"\\', 'é漢😀', `0x${'00'.repeat(20)}`, `0x${'f'.repeat(64)}`,
];

const NAMES = ['id', 'to', 'from', 'data', 'value', 'method', '__proto__', 'constructor', 'length'];

// oxfmt-ignore
const ODD_MESSAGES: readonly string[] = [
  '', ' ', '[]', '{}', 'null', '0', '"', '[[]]', '[1,2,3]', 'undefined', '\u0000', '\ufeff{}',
  '{"jsonrpc":"2.0","method":"x","id":1e999}', '{"jsonrpc":"2.0","method":"x","id":-0}',
  '{"jsonrpc":"2.0","id":12345678901234567890}', '{"jsonrpc":"2.0","id":1,"result":1}',
  '{"__proto__":{"jsonrpc":"2.0","method":"x","id":1}}',
  `${'['.repeat(30)}1${']'.repeat(30)}`, '['.repeat(fuzzLimits.bodyBytesMax),
];

const ODD_REQUESTS: readonly string[] = [
  '\r\n\r\n',
  'GET\r\n\r\n',
  '\u0016\u0003\u0001\u0000',
  'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n',
  'POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nZ\r\n',
  'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}',
  'CONNECT localhost:1 HTTP/1.1\r\nhost: localhost\r\n\r\n',
  'GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
  'GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n',
  'PUT /%00?%ff#x HTTP/1.1\r\nhost: localhost\r\n\r\n',
  'GET //x:y@z HTTP/1.0\r\n\r\n',
];

const FORBIDDEN: readonly Readonly<Record<string, string>>[] = [
  { host: 'evil.example' },
  { host: 'localhost.evil.example:80' },
  { host: '127.0.0.1@evil' },
  { host: '[::2]' },
  { host: ' ' },
  { origin: 'http://evil.example' },
  { origin: 'null' },
  { origin: 'http://localhost.evil' },
  { origin: 'file://' },
  { origin: 'http://localhost:1/' },
];
