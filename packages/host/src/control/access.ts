import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { HostError } from '@polyvisor/errors/host-error';

/**
 * Who may use the control API: a caller that names this server as its host (a page that rebinds a name of its own to
 * 127.0.0.1 does not), that is no page of another origin, and that knows the token.
 */
export interface AccessPolicy {
  /** Names by which the server is called, lower-case, without port. */
  readonly hostNames: ReadonlySet<string>;
  /** Origins of the console. */
  readonly origins: ReadonlySet<string>;
  readonly token: string;
}

/** @param boundHost the address that the server listens at; loopback's names are always its names too */
export function accessPolicy(boundHost: string, port: number, token: string): AccessPolicy {
  const hostNames = new Set([...LOOPBACK_NAMES, bracketed(boundHost.toLowerCase())]);
  const origins = new Set([...hostNames].map((name) => `http://${name}:${port}`));
  return { hostNames, origins, token };
}

/** @throws HostError `forbidden-host`, `forbidden-origin` */
export function checkCaller(headers: IncomingHttpHeaders, policy: AccessPolicy): void {
  const host = hostName(headers.host);
  if (host === undefined || !policy.hostNames.has(host)) {
    throw new HostError(
      'forbidden-host',
      `this server is not '${headers.host ?? ''}'`,
      'call it by the address that it printed, or start it with --host',
    );
  }
  if (headers.origin !== undefined && !policy.origins.has(headers.origin)) {
    throw new HostError(
      'forbidden-origin',
      `pages of ${headers.origin} may not use the control API`,
      'only the console that this server serves may',
    );
  }
}

/** @throws HostError `no-token`, `wrong-token` */
export function checkToken(headers: IncomingHttpHeaders, policy: AccessPolicy): void {
  const match = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '');
  if (match?.[1] === undefined) {
    throw new HostError(
      'no-token',
      'the control API needs a token',
      "send 'Authorization: Bearer <token>'; the token is in the console's URL, printed at the start",
    );
  }
  if (!equalSecrets(match[1], policy.token)) {
    throw new HostError('wrong-token', 'the token is not the one of this start');
  }
}

/** Takes the same time however many characters are right. */
export function equalSecrets(a: string, b: string): boolean {
  const aBytes = Buffer.from(a);
  const bBytes = Buffer.from(b);
  // The length of the token is no secret.
  return aBytes.length === bBytes.length && timingSafeEqual(aBytes, bBytes);
}

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** The name in a Host header, without the port; undefined when there is none or it is not one. */
function hostName(header: string | undefined): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[^:[\]/@]+)(?::\d+)?$/i.exec(header ?? '')?.[1]?.toLowerCase();
}
