import type { IncomingMessage, ServerResponse } from 'node:http';
import { HostError } from '@polyvisor/errors/host-error';
import type { Host } from '../host.ts';
import { VERSION } from '../version.ts';
import { checkToken } from './access.ts';
import { sendJson, sendText } from './answers.ts';
import { METRICS_TYPE, renderMetrics } from './metrics.ts';
import type { Door } from './server.ts';
import { serveFile, serveNoConsole } from './static-files.ts';

/**
 * What is answered without the token: who this is, whether it is well, the console's files; and, to callers on this
 * computer, the metrics (a scraper elsewhere sends the token). Pages of other origins can't read any of it.
 */
export async function answerPublic(
  door: Door,
  { pathname }: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new HostError('no-method', `${pathname} takes GET, not ${request.method}`);
  }
  switch (pathname) {
    case '/__polyvisor':
      return sendJson(response, 200, {
        kind: 'host',
        name: 'polyvisor',
        instanceId: door.host.instanceId,
        version: VERSION,
      });
    case '/healthz':
      return sendText(response, 200, 'text/plain; charset=utf-8', 'ok\n');
    case '/readyz':
      return await sendReadiness(door.host, response);
    case '/metrics':
      if (!isLoopback(request.socket.remoteAddress)) checkToken(request.headers, door.policy);
      return sendText(response, 200, METRICS_TYPE, renderMetrics(door.host));
  }
  const { consoleDirectory } = door;
  if (consoleDirectory !== undefined) {
    if (await serveFile(consoleDirectory, pathname, request, response)) return;
  } else if (pathname === '/') {
    return serveNoConsole(response);
  }
  throw new HostError(
    'no-route',
    `there is no ${pathname}`,
    'the API is described in /v1/openapi.json',
  );
}

/** Ready: a client's next transaction would succeed in every guest that is meant to run. */
async function sendReadiness(host: Host, response: ServerResponse): Promise<void> {
  const waiting: string[] = [];
  for (const guest of host.guests.values()) {
    const isMeantToRun = guest.state.name === 'running' || guest.state.name === 'failed';
    if (isMeantToRun && !(await guest.isReady())) waiting.push(guest.name);
  }
  sendJson(response, waiting.length === 0 ? 200 : 503, { ready: waiting.length === 0, waiting });
}

function isLoopback(address: string | undefined): boolean {
  return /^(127\.|::1$|::ffff:127\.)/.test(address ?? '');
}
