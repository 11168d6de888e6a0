import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { sendText } from './answers.ts';

/**
 * Serves the console's files. A path without an extension is a page of the console's own, so it gets `index.html`.
 * @returns false when there is no such file
 */
export async function serveFile(
  directory: string,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const wanted = extname(path) === '' ? '/index.html' : path;
  const file = normalize(join(directory, wanted));
  if (!file.startsWith(normalize(directory + sep))) return false;
  const type = TYPES[extname(file)];
  if (type === undefined) return false;
  let body: Uint8Array;
  try {
    body = await readFile(file);
  } catch {
    return false;
  }
  response.writeHead(200, {
    ...SECURITY_HEADERS,
    'content-type': type,
    'content-length': body.length,
    // The bundler puts a hash into the names of everything but the page itself.
    'cache-control': wanted.startsWith('/assets/') ? 'max-age=31536000, immutable' : 'no-cache',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
  return true;
}

/** What the root says when the console was not built. */
export function serveNoConsole(response: ServerResponse): void {
  const text =
    'polyvisor: this host has no console; its API is at /v1, described in /v1/openapi.json\n';
  sendText(response, 200, 'text/plain; charset=utf-8', text);
}

/**
 * Only the console's own scripts and styles run; it talks to this server and to guests on this computer.
 * @see https://www.w3.org/TR/CSP3/
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    // The terminal writes its measures and colours into style elements of its own.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self' http://127.0.0.1:* http://localhost:* ws://127.0.0.1:* ws://localhost:*",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};
