import { expect, test } from 'vitest';
import { CallerPolicy } from './caller-policy.ts';

const local = new CallerPolicy('127.0.0.1', ['My.Host', 'fe80::1'], ['https://App.example']);

test.each(['localhost', 'LOCALHOST:1', '127.0.0.1:8545', '[::1]:8545', 'my.host', '[fe80::1]:1'])(
  'host %s is ours',
  (host) => {
    expect(local.allowsHost(host)).toBe(true);
    expect(local.allowsHost(host)).toBe(true);
  },
);

// oxfmt-ignore
test.each([
  undefined, '', 'evil.example', 'evil.example:8545', 'localhost.evil.example', '192.168.1.2:8545',
  'localhost:1:2', 'evil@localhost', 'localhost:', 'localhost:123456', 'localhost/', '[::2]',
  '0.0.0.0',
])('host %s is not ours', (host) => {
  expect(local.allowsHost(host)).toBe(false);
});

test('a server at every address has every address, but no other name', () => {
  for (const bound of ['0.0.0.0', '::']) {
    const policy = new CallerPolicy(bound, [], []);
    expect(policy.allowsHost('192.168.1.2:8545')).toBe(true);
    expect(policy.allowsHost('[fe80::7]:8545')).toBe(true);
    expect(policy.allowsHost('evil.example')).toBe(false);
  }
});

test('the address that it listens at is a name of a server', () => {
  expect(new CallerPolicy('192.168.1.2', [], []).allowsHost('192.168.1.2:8545')).toBe(true);
  expect(new CallerPolicy('fe80::2', [], []).allowsHost('[fe80::2]:8545')).toBe(true);
});

// oxfmt-ignore
test.each([
  undefined, 'http://localhost', 'https://localhost:3000', 'http://127.0.0.1:5173',
  'http://[::1]:80', 'https://app.example',
])('pages of %s may call', (origin) => {
  expect(local.allowsOrigin(origin)).toBe(true);
});

// oxfmt-ignore
test.each([
  'null', '', 'http://evil.example', 'http://app.example', 'https://app.example:444', 'file://',
  'http://localhost.evil.example', 'http://localhost:3000/', 'http://evil.example?http://localhost',
])('pages of %s may not', (origin) => {
  expect(local.allowsOrigin(origin)).toBe(false);
});

test('* is every name, and every origin', () => {
  const open = new CallerPolicy('127.0.0.1', ['*'], ['*']);
  expect(open.allowsHost('evil.example')).toBe(true);
  expect(open.allowsHost(undefined)).toBe(true);
  expect(open.allowsOrigin('null')).toBe(true);
});
