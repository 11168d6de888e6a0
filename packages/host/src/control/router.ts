import { HostError } from '@polyvisor/errors/host-error';
import type { PathParameters, Route } from './route.ts';
import { routes } from './routes.ts';

/**
 * The route for a request.
 * @param path as it came, percent-encoded
 * @throws HostError `no-route`, `no-method`, `bad-request`
 */
export function findRoute(
  method: string,
  path: string,
): { readonly route: Route; readonly path: PathParameters } {
  const parts = path.split('/').map(decode);
  const others = new Set<string>();
  for (const route of routes) {
    const parameters = match(route, parts);
    if (parameters === undefined) continue;
    if (route.method === method) return { route, path: parameters };
    others.add(route.method);
  }
  if (others.size === 0) {
    throw new HostError('no-route', `there is no ${path}`, 'see /v1/openapi.json');
  }
  throw new HostError('no-method', `${path} takes ${[...others].join(' and ')}, not ${method}`);
}

function match(route: Route, parts: readonly string[]): PathParameters | undefined {
  const pattern = PATTERNS.get(route) as readonly string[];
  if (pattern.length !== parts.length) return undefined;
  const parameters = { guest: '', snapshot: '', request: '' };
  for (const [index, wanted] of pattern.entries()) {
    const part = parts[index] as string;
    if (!wanted.startsWith('{')) {
      if (wanted !== part) return undefined;
    } else if (part === '') {
      return undefined;
    } else {
      parameters[wanted.slice(1, -1) as keyof PathParameters] = part;
    }
  }
  return parameters;
}

/** The parts of each route's path. */
const PATTERNS = new Map(routes.map((route) => [route, route.path.split('/')]));

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HostError('bad-request', `'${part.slice(0, 100)}' is not percent-encoded text`);
  }
}
