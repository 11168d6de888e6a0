import type { ServerResponse } from 'node:http';
import { STREAM_TYPES } from './openapi.ts';
import type { Route, Stream } from './route.ts';

/**
 * Sends a stream's values until it ends, the client goes, or `signal`. A client that reads slower than values come
 * is cut off when `BYTES_WAITING_MAX` wait for it.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html, https://github.com/ndjson/ndjson-spec
 */
export function streamTo(
  response: ServerResponse,
  kind: NonNullable<Route['stream']>,
  stream: Stream,
  signal: AbortSignal,
): void {
  response.writeHead(200, {
    'content-type': STREAM_TYPES[kind],
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.flushHeaders();
  const format = kind === 'events' ? formatEvent : formatLine;
  const finish = (): void => void response.end();
  const end = stream((value) => {
    if (response.writableLength > BYTES_WAITING_MAX) response.destroy();
    else response.write(format(value));
  }, finish);
  if (end === undefined) return finish();
  signal.addEventListener('abort', finish, { once: true });
  response.once('close', () => {
    signal.removeEventListener('abort', finish);
    end();
  });
}

const BYTES_WAITING_MAX = 2 ** 22;

function formatLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

function formatEvent(value: unknown): string {
  return `event: ${(value as { kind: string }).kind}\ndata: ${JSON.stringify(value)}\n\n`;
}
