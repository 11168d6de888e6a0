import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseOutside } from '../parse-outside.ts';
import { checkToken } from './access.ts';
import { sendJson } from './answers.ts';
import { readJson } from './body.ts';
import { describeApi } from './openapi.ts';
import type { Stream } from './route.ts';
import { findRoute } from './router.ts';
import type { Door } from './server.ts';
import { streamTo } from './streams.ts';

/** Answers what is under `/v1/`: the table of routes, and its description, which needs no token. */
export async function answerApi(
  door: Door,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (url.pathname === '/v1/openapi.json') return sendJson(response, 200, describeApi());
  checkToken(request.headers, door.policy);
  const { route, path } = findRoute(request.method ?? '', url.pathname);
  const asked = Object.fromEntries(url.searchParams);
  const query = route.query === undefined ? {} : parseOutside(route.query, asked, 'the query');
  const body =
    route.body && parseOutside(route.body, await readJson(request, door.bodyBytesMax), 'the body');
  const shutDown = (): void => void response.once('close', door.onShutdown);
  const value = await route.handle({ host: door.host, path, query, body, shutDown });
  if (route.stream !== undefined) {
    streamTo(response, route.stream, value as Stream, door.streams);
  } else if (route.answer === undefined) {
    response.writeHead(204).end();
  } else {
    sendJson(response, route.status ?? 200, value);
  }
}
