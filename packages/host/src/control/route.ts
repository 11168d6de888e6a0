import type * as z from 'zod';
import type { Host } from '../host.ts';

/**
 * A row of the control API. Requests are checked by its schemas and the API's description is made from them, so the
 * two can't differ.
 */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Parts in braces are parameters: `/v1/guests/{guest}`. */
  readonly path: `/v1/${string}`;
  /** Name of the operation, unique. */
  readonly id: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** What comes back. None: 204 without a body. */
  readonly answer?: z.ZodType;
  /** 200 unless it says otherwise. */
  readonly status?: 200 | 201;
  /** The answer is a stream of such values: lines of JSON, or server-sent events. */
  readonly stream?: 'ndjson' | 'events';
  handle(call: Call): Promise<unknown>;
}

/** A request whose parts were checked by its route's schemas. */
export interface Call {
  readonly host: Host;
  readonly path: PathParameters;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  /** Ends the host. */
  readonly shutDown: () => void;
}

/** The parameters that paths have; empty in a route without them. */
export interface PathParameters {
  readonly guest: string;
  readonly snapshot: string;
  readonly request: string;
}

/**
 * What a streaming route gives: called once, it sends what there is and returns what ends it, or undefined when that
 * was all. It calls `finish` when there will be no more.
 */
export type Stream = (
  send: (value: unknown) => void,
  finish: () => void,
) => (() => void) | undefined;

/** What a row is written with: the types of its parts follow from its schemas. */
export function route<
  Query extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Body extends z.ZodType = z.ZodUndefined,
>(row: {
  readonly method: Route['method'];
  readonly path: Route['path'];
  readonly id: string;
  readonly summary: string;
  readonly query?: Query;
  readonly body?: Body;
  readonly answer?: z.ZodType;
  readonly status?: 200 | 201;
  readonly stream?: 'ndjson' | 'events';
  handle(
    call: Omit<Call, 'query' | 'body'> & {
      readonly query: z.infer<Query>;
      readonly body: z.infer<Body>;
    },
  ): Promise<unknown>;
}): Route {
  // `handle` sees only what its own schemas let through.
  return row as unknown as Route;
}
