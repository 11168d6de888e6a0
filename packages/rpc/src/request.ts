import { invalidRequest } from './rpc-error.ts';
import type { RpcError } from './rpc-error.ts';

/** A call or notification. */
export interface Request {
  /** As JSON; undefined: a notification. */
  readonly id: string | undefined;
  readonly method: string;
  readonly params: unknown;
  /** What is wrong with it: then it is not called. */
  readonly error: RpcError | undefined;
}

/** Never throws: what is wrong with a request is its `error`. */
export function parseRequest(message: unknown): Request {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    return badRequest('null', 'a request is an object');
  }
  const { jsonrpc, id, method, params } = message as Record<string, unknown>;
  const idJson = jsonOfId(id);
  if (idJson === BAD_ID) return badRequest('null', 'id must be a string, a number or null');
  // Without a valid version or method it is no notification either, so that the client hears of it.
  if (jsonrpc !== '2.0') return badRequest(idJson ?? 'null', `jsonrpc must be "2.0"`);
  if (typeof method !== 'string' || method === '') {
    return badRequest(idJson ?? 'null', 'method must be a string');
  }
  if (params !== undefined && typeof params !== 'object') {
    return badRequest(idJson ?? 'null', 'params must be an array or an object');
  }
  return { id: idJson, method, params: params ?? undefined, error: undefined };
}

function badRequest(id: string, why: string): Request {
  return { id, method: '', params: undefined, error: invalidRequest(why) };
}

function jsonOfId(id: unknown): string | undefined {
  if (id === undefined) return undefined;
  if (typeof id === 'number') return String(id);
  if (typeof id === 'string') return JSON.stringify(id);
  if (id === null) return 'null';
  return id instanceof ExactNumber ? id.json : BAD_ID;
}

/** No JSON text. */
const BAD_ID = '';

/**
 * A number as the client wrote it, where a double would not give it back: `1753142400123456789`,
 * `1e999`.
 */
class ExactNumber {
  readonly json: string;

  constructor(json: string) {
    this.json = json;
  }
}

/**
 * The same message, with number ids that were rounded when it was parsed as the client wrote them.
 * Members of params that are called `id` stay what they are.
 */
export function withExactIds(message: unknown, json: string): unknown {
  const messages = Array.isArray(message) ? message : [message];
  if (!messages.some(hasRoundedId)) return message;
  const parsed = JSON.parse(json, exactIds as (key: string, value: unknown) => unknown);
  const exact = (Array.isArray(parsed) ? parsed : [parsed]) as { id: unknown }[];
  const restored = messages.map((each, i) =>
    hasRoundedId(each) ? { ...each, id: exact[i]!.id } : each,
  );
  return Array.isArray(message) ? restored : restored[0];
}

function hasRoundedId(message: unknown): boolean {
  const id = (message as { id?: unknown } | null)?.id;
  return typeof id === 'number' && !Number.isSafeInteger(id);
}

/**
 * A reviver. @see ECMAScript 2026, JSON.parse source text access; the compiler's library has it not
 * yet
 */
function exactIds(key: string, value: unknown, { source }: { source: string }): unknown {
  return key === 'id' && typeof value === 'number' ? new ExactNumber(source) : value;
}
