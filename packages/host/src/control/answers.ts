import type { ServerResponse } from 'node:http';
import { HostError } from '@polyvisor/errors/host-error';

/** The body of every answer that is not a success. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

export function sendText(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
): void {
  const body = Buffer.from(text);
  response.writeHead(status, {
    'content-type': type,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

/** Mistakes of the caller get their own status and words; bugs of ours say only that there was one. */
export function sendError(response: ServerResponse, error: unknown): ErrorBody {
  const isMistake = error instanceof HostError;
  const status = isMistake ? (STATUS[error.code] ?? 400) : 500;
  const body: ErrorBody = isMistake
    ? {
        code: error.code,
        message: error.message,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      }
    : { code: 'internal', message: 'the host failed to answer; its log says more' };
  if (status === 401) response.setHeader('www-authenticate', 'Bearer realm="polyvisor"');
  if (response.headersSent) response.destroy();
  else sendJson(response, status, body);
  return isMistake ? body : { ...body, message: describe(error) };
}

/** HTTP status of each code; all others are 400. */
export const STATUS: Readonly<Record<string, number>> = {
  'no-token': 401,
  'wrong-token': 401,
  'forbidden-host': 403,
  'forbidden-origin': 403,
  'no-route': 404,
  'no-guest': 404,
  'no-snapshot': 404,
  'no-request': 404,
  'no-method': 405,
  'wrong-state': 409,
  'guest-name-taken': 409,
  'snapshot-name-taken': 409,
  'guest-failed': 409,
  'guest-stopped': 409,
  'guest-removed': 409,
  'guest-restored': 409,
  'port-busy': 409,
  'body-too-large': 413,
  'not-json': 415,
  'guests-full': 429,
  'snapshots-full': 429,
  'not-supported': 501,
  'host-closed': 503,
  'storage-quota': 507,
  'storage-full': 507,
};

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
