import type {
  CheckView,
  ConsoleView,
  EventView,
  GuestView,
  HostView,
  OutcomeView,
  RequestView,
  SnapshotView,
} from '@polyvisor/host/control/views';
import type { LifeVerb } from '@polyvisor/host/guest-state';
import type { LogRecord } from '@polyvisor/host/log-book';
import { eventData, jsonLines } from './stream.ts';

/**
 * The control API as the page uses it.
 * Each call rejects with `ApiError`, also when the host does not answer.
 */
export interface Api {
  host(signal?: AbortSignal): Promise<HostView>;
  checks(signal?: AbortSignal): Promise<readonly CheckView[]>;
  guests(signal?: AbortSignal): Promise<readonly GuestView[]>;
  create(spec: unknown): Promise<GuestView>;
  move(guest: string, verb: LifeVerb): Promise<unknown>;
  remove(guest: string): Promise<unknown>;
  fork(guest: string, options: ForkOptions): Promise<readonly GuestView[]>;
  snapshots(guest: string, signal?: AbortSignal): Promise<readonly SnapshotView[]>;
  takeSnapshot(guest: string, name?: string): Promise<SnapshotView>;
  restore(guest: string, snapshot: string): Promise<unknown>;
  removeSnapshot(guest: string, snapshot: string): Promise<unknown>;
  /** Runs a method of the guest's RPC. */
  exec(
    guest: string,
    command: string,
    parameters: readonly unknown[],
    signal?: AbortSignal,
  ): Promise<OutcomeView>;
  /** Requests numbered above `after` that the guest answered, oldest first. */
  requests(guest: string, after: number, signal?: AbortSignal): Promise<readonly RequestView[]>;
  replay(guest: string, request: number): Promise<OutcomeView>;
  /** What a guest's terminal said lately, and what it says, until the guest ends. */
  terminal(guest: string, signal: AbortSignal): AsyncGenerator<Uint8Array>;
  /** Types at it. @returns bytes that there was room for */
  type(guest: string, bytes: Uint8Array): Promise<number>;
  events(signal: AbortSignal): AsyncGenerator<EventView>;
  logs(signal: AbortSignal): AsyncGenerator<LogRecord>;
}

/** What the API answered instead of a result. `code` is stable, `hint` says what to do. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0: no answer. */
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    hint?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

/** @param base where the API is; by default the server that the page came from */
export function createApi(token: string, base = '', send: typeof fetch = fetch): Api {
  const call = async (
    method: string,
    path: string,
    { body, signal }: CallOptions = {},
  ): Promise<Response> => {
    const response = await reach(() =>
      send(`${base}/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      }),
    );
    if (!response.ok) throw await readError(response);
    return response;
  };
  const value = async <T>(method: string, path: string, options?: CallOptions): Promise<T> => {
    const response = await call(method, path, options);
    return (response.status === 204 ? undefined : await response.json()) as T;
  };
  async function* stream<T>(
    path: string,
    parse: typeof jsonLines,
    signal: AbortSignal,
  ): AsyncGenerator<T> {
    const { body } = await call('GET', path, { signal });
    if (body !== null) yield* parse(chunks(body)) as AsyncGenerator<T>;
  }
  async function* terminal(guest: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const path = of(guest, '/console?follow=true');
    for await (const { data } of stream<ConsoleView>(path, jsonLines, signal)) {
      yield Uint8Array.fromBase64(data);
    }
  }
  const of = (guest: string, rest = ''): string => `/guests/${encodeURIComponent(guest)}${rest}`;
  const snapshotOf = (guest: string, snapshot: string): string =>
    of(guest, `/snapshots/${encodeURIComponent(snapshot)}`);
  return {
    host: (signal) => value('GET', '/host', until(signal)),
    checks: (signal) => value('GET', '/host/checks', until(signal)),
    guests: (signal) => value('GET', '/guests', until(signal)),
    create: (spec) => value('POST', '/guests', { body: spec }),
    move: (guest, verb) => value('POST', of(guest, `/${verb}`)),
    remove: (guest) => value('DELETE', of(guest)),
    fork: (guest, body) => value('POST', of(guest, '/fork'), { body }),
    snapshots: (guest, signal) => value('GET', of(guest, '/snapshots'), until(signal)),
    takeSnapshot: (guest, name) =>
      value('POST', of(guest, '/snapshots'), { body: name === undefined ? {} : { name } }),
    restore: (guest, snapshot) => value('POST', `${snapshotOf(guest, snapshot)}/restore`),
    removeSnapshot: (guest, snapshot) => value('DELETE', snapshotOf(guest, snapshot)),
    exec: (guest, command, parameters, signal) =>
      value('POST', of(guest, '/exec'), { body: { command, parameters }, ...until(signal) }),
    requests: (guest, after, signal) =>
      value('GET', of(guest, `/requests?after=${after}&limit=512`), until(signal)),
    replay: (guest, request) => value('POST', of(guest, `/requests/${request}/replay`)),
    terminal,
    async type(guest, bytes) {
      const body = { data: bytes.toBase64() };
      return (await value<{ taken: number }>('POST', of(guest, '/console'), { body })).taken;
    },
    events: (signal) => stream('/events', eventData, signal),
    logs: (signal) => stream('/logs?follow=true&limit=500', jsonLines, signal),
  };
}

export interface ForkOptions {
  readonly name?: string;
  /** Id or name of the snapshot to fork from; none: the present state. */
  readonly snapshot?: string;
}

interface CallOptions {
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

function until(signal: AbortSignal | undefined): CallOptions {
  return signal === undefined ? {} : { signal };
}

/** No answer becomes an error like the API's own; a call that was ended on purpose stays that. */
async function reach<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new ApiError(
      0,
      'unreachable',
      'the host does not answer',
      'is it still running? This page goes on when it is back',
      { cause },
    );
  }
}

async function readError(response: Response): Promise<ApiError> {
  const { status } = response;
  let body: { code?: unknown; message?: unknown; hint?: unknown } = {};
  try {
    body = (await response.json()) as typeof body;
  } catch {
    // Not the host's own answer, such as a proxy's page: the status is all there is.
  }
  const text = (part: unknown): string | undefined => (typeof part === 'string' ? part : undefined);
  return new ApiError(
    status,
    text(body.code) ?? `http-${status}`,
    text(body.message) ?? `the host answered with status ${status}`,
    text(body.hint),
  );
}

/** Not every browser can iterate over a stream. */
async function* chunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reach(() => reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}
