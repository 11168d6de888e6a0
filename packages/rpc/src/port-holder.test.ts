import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { describePortHolder, listeningSockets } from './port-holder.ts';
import { openRpcServer } from './server.ts';

const options = { service: { call: () => null }, instanceId: 'i', name: 'l1', kind: 'ethereum' };

test('a busy port names the guest that has it', async () => {
  await using server = await openRpcServer(options);
  await expect(openRpcServer({ ...options, port: server.port })).rejects.toMatchObject({
    name: 'HostError',
    code: 'port-busy',
    message: expect.stringMatching(
      `port ${server.port} of 127.0.0.1 is taken by the guest 'l1' \\(ethereum\\) of a polyvisor`,
    ),
    hint: expect.stringContaining('another port'),
  });
});

test('another program is named by its process where the system tells', async () => {
  // It answers no HTTP, and closes at once what connects.
  const other = createServer((socket) => socket.on('error', () => {}).destroy());
  other.listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const expected =
    process.platform === 'linux' ? `process ${process.pid} \\(.+\\)` : 'another program';
  expect(await describePortHolder('127.0.0.1', port)).toMatch(new RegExp(`^${expected}$`));
});

test("what a guest's name says to a terminal is not passed on", async () => {
  const name = `\u001b[2J${'x'.repeat(100)}`;
  await using server = await openRpcServer({ ...options, name });
  const told = await describePortHolder('0.0.0.0', server.port);
  expect(told).toContain(`the guest ' [2J${'x'.repeat(76)}…' (ethereum)`);
});

test('only sockets that listen at the port count', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode',
    '   0: 0100007F:2161 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1001 1 x 100',
    '   1: 0100007F:2161 0100007F:9999 01 00000000:00000000 00:00000000 00000000 0 0 1002 1 x 100',
    '   2: 0100007F:2162 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1003 1 x 100',
    '',
  ].join('\n');
  expect(listeningSockets(table, 8545)).toEqual(['socket:[1001]']);
  expect(listeningSockets('', 8545)).toEqual([]);
});
