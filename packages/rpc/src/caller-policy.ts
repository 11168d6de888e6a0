import { isIPv4 } from 'node:net';

/**
 * Whom a server answers: callers that name it as their host (a page that rebinds a name of its own
 * to 127.0.0.1 does not), and among web pages only those of this computer or of listed origins.
 * Programs send no Origin. The content type is not looked at: a page can send a simple request
 * across origins, but not without its Origin.
 */
export class CallerPolicy {
  readonly #hostNames: ReadonlySet<string>;
  readonly #isAnyHost: boolean;
  readonly #isAnyAddress: boolean;
  readonly #origins: ReadonlySet<string>;
  readonly #isAnyOrigin: boolean;
  /** Whole Host headers that passed. Bounded: a name has few ports. */
  readonly #knownHosts = new Set<string>();

  /**
   * @param boundHost the address that the server listens at
   * @param hostNames more names that it has, without port; `*`: any
   * @param allowOrigins origins of pages that may call, `https://app.example`; `*`: any
   */
  constructor(boundHost: string, hostNames: readonly string[], allowOrigins: readonly string[]) {
    this.#hostNames = new Set([...LOOPBACK_NAMES, boundHost, ...hostNames].map(normalizedName));
    this.#isAnyHost = hostNames.includes('*');
    this.#isAnyAddress = WILDCARDS.has(boundHost);
    this.#origins = new Set(allowOrigins.map((origin) => origin.toLowerCase()));
    this.#isAnyOrigin = allowOrigins.includes('*');
  }

  /** @param host the Host header */
  allowsHost(host: string | undefined): boolean {
    if (host === undefined) return this.#isAnyHost;
    if (this.#knownHosts.has(host)) return true;
    const isAllowed = this.#isAnyHost || this.#isOurName(host);
    if (isAllowed && this.#knownHosts.size < KNOWN_HOSTS_MAX) this.#knownHosts.add(host);
    return isAllowed;
  }

  /** @param origin the Origin header */
  allowsOrigin(origin: string | undefined): boolean {
    if (origin === undefined || this.#isAnyOrigin || LOOPBACK_ORIGIN.test(origin)) return true;
    return this.#origins.has(origin.toLowerCase());
  }

  #isOurName(host: string): boolean {
    const name = HOST.exec(host)?.[1]?.toLowerCase();
    if (name === undefined) return false;
    if (this.#hostNames.has(name)) return true;
    // At every address of the computer: which these are can change. No page can rebind an address.
    return this.#isAnyAddress && (name.startsWith('[') || isIPv4(name));
  }
}

function normalizedName(name: string): string {
  const isBareIPv6 = name.includes(':') && !name.startsWith('[');
  return (isBareIPv6 ? `[${name}]` : name).toLowerCase();
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
const LOOPBACK_ORIGIN = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::', '[::]']);
/** A name or bracketed IPv6 address, and perhaps a port. */
const HOST = /^(\[[0-9a-f:.]+\]|[^:[\]/@]+)(?::\d{1,5})?$/i;
const KNOWN_HOSTS_MAX = 100;
