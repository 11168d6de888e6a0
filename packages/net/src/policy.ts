import { HostError } from '@polyvisor/errors/host-error';
import { isInSubnet, isSpecialIpv4, parseSubnet } from './address.ts';
import type { Ipv4, Subnet } from './address.ts';

/** What a guest may reach. A guest without rules reaches nothing outside its own network. */
export interface AllowRule {
  readonly to:
    | { readonly kind: 'internet' | 'host' }
    | { readonly kind: 'subnet'; readonly subnet: Subnet }
    /** Lower case, without a dot at the end. */
    | { readonly kind: 'name'; readonly name: string; readonly withSubdomains: boolean };
  /** Default: both. */
  readonly protocol?: 'tcp' | 'udp';
  /** Default: all. */
  readonly ports?: readonly (readonly [first: number, last: number])[];
}

const NAME =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/**
 * Reads `[tcp:|udp:]<to>[:<ports>]`, where `to` is
 * - `internet`: all public addresses, and all names
 * - `host`: the host's own loopback address, which guests reach at their gateway's
 * - `192.0.2.7` or `10.0.0.0/8`, special addresses too
 * - `deb.debian.org`, or `*.debian.org` for it and all below it: the public addresses that it has
 *
 * and `ports` are `443`, or `80,443,8000-8099`.
 * @throws HostError `net-option`
 */
export function parseAllowRule(text: string): AllowRule {
  const match = /^(?:(tcp|udp):)?([^:]+)(?::([\d,-]+))?$/.exec(text);
  const to = match && parseTo(match[2]!.toLowerCase());
  const ports = match?.[3]?.split(',').map(parsePorts);
  if (!to || ports?.includes(undefined)) {
    throw new HostError(
      'net-option',
      `'${text}' is not a rule for a network`,
      'say internet, host, an address, a subnet or a name, then maybe ":" and ports',
    );
  }
  return {
    to,
    ...(match[1] === undefined ? {} : { protocol: match[1] as 'tcp' | 'udp' }),
    ...(ports === undefined ? {} : { ports: ports.map((range) => range!) }),
  };
}

function parseTo(text: string): AllowRule['to'] | undefined {
  if (text === 'internet' || text === 'host') return { kind: text };
  const subnet = parseSubnet(text);
  if (subnet) return { kind: 'subnet', subnet };
  const withSubdomains = text.startsWith('*.');
  const name = withSubdomains ? text.slice(2) : text;
  // All numbers: a subnet that was mistyped.
  if (!NAME.test(name) || /^[\d./]+$/.test(name)) return undefined;
  return { kind: 'name', name, withSubdomains };
}

function parsePorts(text: string): readonly [number, number] | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!match) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
  return first >= 1 && first <= last && last <= 65_535 ? [first, last] : undefined;
}

/** Addresses of names kept at most, for each guest; the oldest goes. */
const LEARNED_MAX = 1024;
/** Addresses stay allowed so long after a name was asked for: longer than a guest keeps an answer. */
const LEARNED_MS = 60 * 60 * 1000;

interface Learned {
  readonly rules: readonly AllowRule[];
  readonly untilMs: number;
}

/** The rules of one guest, and the addresses that the names in them turned out to have. */
export class Policy {
  readonly #rules: readonly AllowRule[];
  readonly #learned = new Map<Ipv4, Learned>();

  constructor(rules: readonly AllowRule[]) {
    this.#rules = rules;
  }

  /** Whether the guest may learn the addresses of a name, in lower case. */
  allowsName(name: string): boolean {
    return this.#rules.some(({ to }) => to.kind === 'internet' || isNamed(to, name));
  }

  /**
   * Notes the addresses of a name. Special ones are left out: whoever owns an allowed name could point it at the
   * host's own network.
   */
  learn(name: string, addresses: readonly Ipv4[], nowMs: number): void {
    const rules = this.#rules.filter(({ to }) => isNamed(to, name));
    if (rules.length === 0) return;
    for (const address of addresses) {
      if (isSpecialIpv4(address)) continue;
      const before = this.#learned.get(address)?.rules ?? [];
      this.#learned.delete(address);
      const all = [...new Set([...before, ...rules])];
      this.#learned.set(address, { rules: all, untilMs: nowMs + LEARNED_MS });
      const [oldest] = this.#learned.keys();
      if (this.#learned.size > LEARNED_MAX && oldest !== undefined) this.#learned.delete(oldest);
    }
  }

  allows(protocol: 'tcp' | 'udp', to: Ipv4, port: number, nowMs: number): boolean {
    const learned = this.#learned.get(to);
    const byName = learned && learned.untilMs > nowMs ? learned.rules : [];
    return (
      byName.some((rule) => isFor(rule, protocol, port)) ||
      this.#rules.some((rule) => {
        if (!isFor(rule, protocol, port)) return false;
        if (rule.to.kind === 'internet') return !isSpecialIpv4(to);
        return rule.to.kind === 'subnet' && isInSubnet(to, rule.to.subnet);
      })
    );
  }

  /** Whether the host's own loopback address may be reached. */
  allowsHost(protocol: 'tcp' | 'udp', port: number): boolean {
    return this.#rules.some((rule) => rule.to.kind === 'host' && isFor(rule, protocol, port));
  }
}

function isNamed(to: AllowRule['to'], name: string): boolean {
  if (to.kind !== 'name') return false;
  return name === to.name || (to.withSubdomains && name.endsWith(`.${to.name}`));
}

function isFor(rule: AllowRule, protocol: 'tcp' | 'udp', port: number): boolean {
  const isPort = rule.ports?.some(([first, last]) => port >= first && port <= last) ?? true;
  return isPort && (rule.protocol === undefined || rule.protocol === protocol);
}
