import { describe, expect, test } from 'vitest';
import { parseIpv4 } from './address.ts';
import { Policy, parseAllowRule } from './policy.ts';

const ip = (text: string): number => parseIpv4(text)!;

describe('reading rules', () => {
  test.each([
    ['internet', { to: { kind: 'internet' } }],
    ['host:8080', { to: { kind: 'host' }, ports: [[8080, 8080]] }],
    ['udp:10.0.0.0/8:53', { protocol: 'udp', to: { kind: 'subnet' }, ports: [[53, 53]] }],
    ['192.0.2.7', { to: { subnet: { network: ip('192.0.2.7'), prefixBits: 32 } } }],
    ['*.Debian.org:80,443,8000-8099', { to: { name: 'debian.org', withSubdomains: true } }],
    ['localhost', { to: { name: 'localhost', withSubdomains: false } }],
  ])('%s', (text, rule) => {
    expect(parseAllowRule(text)).toMatchObject(rule);
  });

  test.each([
    '',
    'tcp:',
    'sctp:a.org',
    'a.org:0',
    'a.org:65536',
    'a.org:5-4',
    'a.org:80,',
    'a..org',
    '-a.org',
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.256',
    '*.',
    'a b',
    `${'a'.repeat(64)}.org`,
  ])('%j is none', (text) => {
    expect(() => parseAllowRule(text)).toThrow(expect.objectContaining({ code: 'net-option' }));
  });
});

test('addresses of a name are allowed for an hour, for that name’s ports', () => {
  const policy = new Policy([parseAllowRule('a.org:80'), parseAllowRule('b.org:443')]);
  const address = ip('93.184.216.34');
  policy.learn('a.org', [address], 0);
  const at = (port: number, nowMs: number): boolean => policy.allows('tcp', address, port, nowMs);
  expect([at(80, 3_599_999), at(80, 3_600_000), at(443, 0)]).toEqual([true, false, false]);
  policy.learn('b.org', [address], 0);
  expect([at(80, 0), at(443, 0)]).toEqual([true, true]);
});

test('a subnet may be special, a name’s address not', () => {
  const policy = new Policy([parseAllowRule('127.0.0.0/8:9'), parseAllowRule('a.org')]);
  policy.learn('a.org', [ip('127.0.0.1')], 0);
  expect(policy.allows('tcp', ip('127.0.0.1'), 9, 0)).toBe(true);
  expect(policy.allows('tcp', ip('127.0.0.1'), 10, 0)).toBe(false);
});

test('names below an allowed one only where the rule says so', () => {
  const policy = new Policy([parseAllowRule('*.a.org'), parseAllowRule('b.org')]);
  const allowed = ['a.org', 'x.a.org', 'xa.org', 'b.org', 'x.b.org'].map((n) =>
    policy.allowsName(n),
  );
  expect(allowed).toEqual([true, true, false, true, false]);
});
