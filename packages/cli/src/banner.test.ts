import { createHost } from '@polyvisor/host/host';
import { expect, test } from 'vitest';
import { banner, bannerJson } from './banner.ts';
import { RecordedTerminal } from './testing/recorded-terminal.ts';

const started = {
  version: '1.2.3',
  readyMs: 41.7,
  console: 'http://127.0.0.1:7400/#token=abc',
  demo: [],
  keys: 'help: h  ·  keys: k  ·  quit: q',
} as const;

/** Without what differs from run to run, and with addresses and keys cut to their first digits. */
const inShort = (text: string): string =>
  text
    .replace(/127\.0\.0\.1:\d{5}/g, '127.0.0.1:PORT')
    .replace(/node \d\S+/, 'node N')
    .replace(/ {3}hardfork \S+/, '')
    .replace(/(0x[0-9a-f]{6})[0-9a-f]+/g, '$1…');

test('one chain: where it listens, the console, and its keys with a warning', async () => {
  await using host = await createHost();
  await host.create({ kind: 'evm', name: 'l1', options: { port: 0, accounts: 2 } });
  const terminal = new RecordedTerminal({ isInteractive: true });
  expect(inShort(banner(host, started, terminal))).toMatchInlineSnapshot(`
    "
      polyvisor 1.2.3   ready in 42 ms   node N

      l1       http://127.0.0.1:PORT   chain 31337   block 0   accounts 2 × 10000 ETH
      console  http://127.0.0.1:7400/#token=abc

      (0) 0xf39fd6…  0xac0974…
      (1) 0x709979…  0x59c699…
      warning: everybody knows these keys: never send anything of worth to these accounts

      help: h  ·  keys: k  ·  quit: q
    "
  `);
});

test('many guests and accounts fit 24 lines', async () => {
  await using host = await createHost();
  await host.create({ kind: 'evm', options: { accounts: 50 } });
  const terminal = new RecordedTerminal({ isInteractive: true });
  const demo = [
    ['uniswap', 'a'],
    ['', 'b'],
    ['', 'c'],
  ] as const;
  expect(banner(host, { ...started, demo }, terminal).split('\n').length).toBeLessThanOrEqual(24);
  for (let count = 1; count < 30; count++) {
    await host.create({ kind: 'evm', options: {} }, { start: false });
  }
  const text = banner(host, { ...started, demo }, terminal);
  expect(text.split('\n').length).toBeLessThanOrEqual(24);
  expect(text).toContain('and 18 more: polyvisor ps');
});

test('for programs it is one line of JSON', async () => {
  await using host = await createHost();
  await host.create({ kind: 'evm', name: 'l1', options: { port: 0 } });
  const line = bannerJson(host, started);
  expect(line).not.toContain('\n');
  const { guests, readyMs, pid } = JSON.parse(line);
  expect({ readyMs, pid }).toEqual({ readyMs: 42, pid: process.pid });
  expect(guests).toHaveLength(1);
  expect(guests[0]).toMatchObject({ name: 'l1', kind: 'evm', state: 'running' });
  expect(guests[0].accounts).toHaveLength(10);
  expect(guests[0].endpoints[0].url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});
