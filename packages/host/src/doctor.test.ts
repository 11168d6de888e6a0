import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { checkHost, checkMemory, checkNode } from './doctor.ts';

test('this computer can run guests', async () => {
  const checks = await checkHost({ dataDirectory: tmpdir() });
  expect(checks.filter(({ status }) => status === 'failure')).toEqual([]);
  expect(checks.map(({ name }) => name)).toContain('disk');
});

test.each([
  ['20.11.0', 'failure'],
  ['23.9.0', 'failure'],
  ['24.0.0', 'ok'],
  ['26.10.0', 'ok'],
])('Node %s: %s', (version, status) => {
  expect(checkNode(version)).toMatchObject({ status, finding: `Node ${version}` });
});

test('less than 256 MiB of memory is a warning', () => {
  const statuses = [-1, 0, 1].map((more) => checkMemory(256 * 2 ** 20 + more).status);
  expect(statuses).toEqual(['warning', 'ok', 'ok']);
});

test('a port that is in use is a warning', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const find = async (): Promise<unknown> =>
    (await checkHost({ ports: [port] })).find(({ name }) => name === `port ${port}`);
  expect(await find()).toMatchObject({ status: 'warning', finding: 'in use' });
  await new Promise((resolve) => server.close(resolve));
  expect(await find()).toMatchObject({ status: 'ok', finding: 'free' });
});
