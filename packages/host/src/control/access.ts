import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { HostError } from '@polyvisor/errors/host-error';
import type { CallerPolicy } from '@polyvisor/rpc/caller-policy';

/**
 * Who may use the control API: a caller that names this server as its host (a page that rebinds a name of its own to
 * 127.0.0.1 does not), that is no page but the console, and that knows the token.
 */
export interface AccessPolicy {
  readonly callers: CallerPolicy;
  readonly token: string;
}

/** @throws HostError `forbidden-host`, `forbidden-origin` */
export function checkCaller({ host, origin }: IncomingHttpHeaders, policy: AccessPolicy): void {
  if (!policy.callers.allowsHost(host)) {
    throw new HostError(
      'forbidden-host',
      `this server is not '${host ?? ''}'`,
      'call it by the address that it printed, or give its names with --host-name',
    );
  }
  // The console's own page has the server's name, as its requests have.
  if (origin !== undefined && origin !== `http://${host}`) {
    throw new HostError(
      'forbidden-origin',
      `pages of ${origin} may not use the control API`,
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
      "send 'Authorization: Bearer <token>'; the console's URL, printed at the start, has it",
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
