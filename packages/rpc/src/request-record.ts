import { monotonicMs } from './monotonic.ts';

/** A call that was answered, for logs. */
export interface RequestRecord {
  /** Unix milliseconds when it came in. */
  readonly time: number;
  readonly transport: RpcTransport;
  readonly method: string;
  /** As the client sent them; undefined when larger than what a log keeps. */
  readonly params: unknown;
  /** Until the answer was ready, milliseconds. */
  readonly durationMs: number;
  /** The answer's error; undefined: it succeeded. */
  readonly error: { readonly code: number; readonly message: string } | undefined;
}

export type RpcTransport = 'http' | 'ws' | 'in-process';

/** Starts the clock of a call. */
export interface CallTimer {
  readonly time: number;
  readonly startMs: number;
}

export function startTimer(): CallTimer {
  return { time: Date.now(), startMs: monotonicMs() };
}

export function requestRecord(
  timer: CallTimer,
  transport: RpcTransport,
  method: string,
  params: unknown,
  error: RequestRecord['error'],
): RequestRecord {
  return {
    time: timer.time,
    transport,
    method: method.length <= METHOD_KEPT ? method : `${method.slice(0, METHOD_KEPT)}…`,
    params: isSmall(params) ? params : undefined,
    durationMs: monotonicMs() - timer.startMs,
    error: error && { code: error.code, message: error.message },
  };
}

/**
 * Whether `value` weighs at most `PARAMS_KEPT`: found without writing it out, and without walking
 * what is large.
 */
export function isSmall(value: unknown): boolean {
  return weigh(value, PARAMS_KEPT) >= 0;
}

/**
 * @returns what is left of `budget` after a value's characters, names and members; below 0: it is
 * heavier
 */
function weigh(value: unknown, budget: number): number {
  let left = budget - MEMBER_WEIGHT;
  if (typeof value === 'string') return left - value.length;
  if (typeof value !== 'object' || value === null) return left;
  if (ArrayBuffer.isView(value)) return left - value.byteLength;
  for (const name in value) {
    if (left < 0) break;
    if (!Array.isArray(value)) left -= name.length;
    left = weigh((value as Record<string, unknown>)[name], left);
  }
  return left;
}

/** About what a value takes beside its characters. */
const MEMBER_WEIGHT = 8;
/** Of a call's params; a transfer, a call with some arguments, a filter are below. */
const PARAMS_KEPT = 4096;
const METHOD_KEPT = 128;
