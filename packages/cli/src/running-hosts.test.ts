import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chooseHost, registerHost, runningHosts } from './running-hosts.ts';
import type { RunningHost } from './running-hosts.ts';
import { TemporaryDirectory } from '@polyvisor/host/testing/temporary-directory';

const host = (number: number, facts: Partial<RunningHost> = {}): RunningHost => ({
  url: `http://127.0.0.1:${number}`,
  token: `token-${number}`,
  pid: process.pid,
  instanceId: `host-${number}`,
  startedAt: new Date(number).toISOString(),
  directory: `/work-${number}`,
  ...facts,
});

test('a host is on the list from its start to its end, for its user alone', () => {
  using home = new TemporaryDirectory();
  const unregister = registerHost(host(1), home.path);
  expect(runningHosts(home.path)).toEqual([host(1)]);
  const hosts = join(home.path, 'hosts');
  expect(statSync(hosts).mode & 0o777).toBe(0o700);
  expect(statSync(join(hosts, 'host-1.json')).mode & 0o777).toBe(0o600);
  unregister();
  expect(runningHosts(home.path)).toEqual([]);
});

test('a host whose process died is taken off by the next who looks', () => {
  using home = new TemporaryDirectory();
  // No system gives this number to a process.
  registerHost(host(1, { pid: 2 ** 30 }), home.path);
  registerHost(host(2), home.path);
  expect(runningHosts(home.path)).toEqual([host(2)]);
  expect(readdirSync(join(home.path, 'hosts'))).toEqual(['host-2.json']);
});

test('nothing is written by looking', () => {
  using home = new TemporaryDirectory();
  expect(runningHosts(home.path)).toEqual([]);
  expect(existsSync(join(home.path, 'hosts'))).toBe(false);
});

test('which host a command means', () => {
  using home = new TemporaryDirectory();
  const env = { POLYVISOR_HOME: home.path };
  const code = (run: () => unknown): unknown => {
    try {
      return run();
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  expect(code(() => chooseHost({}, env))).toBe('no-host');
  registerHost(host(1), home.path);
  expect(chooseHost({}, env, '/anywhere')).toEqual(host(1));
  registerHost(host(2), home.path);
  expect(code(() => chooseHost({}, env, '/anywhere'))).toBe('several-hosts');
  expect(chooseHost({}, env, '/work-2')).toEqual(host(2));
  expect(chooseHost({ url: `${host(1).url}/` }, env, '/work-2')).toEqual(host(1));
  expect(chooseHost({}, { ...env, POLYVISOR_HOST: host(1).url }, '/work-2')).toEqual(host(1));
  const elsewhere = 'http://10.0.0.1:7400';
  expect(code(() => chooseHost({ url: elsewhere }, env))).toBe('no-token');
  const known = { ...env, POLYVISOR_TOKEN: 't' };
  expect(chooseHost({ url: elsewhere }, known)).toEqual({ url: elsewhere, token: 't' });
});
