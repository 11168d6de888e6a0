import { createHost } from '@polyvisor/host/host';
import { expect, test } from 'vitest';
import { banner, bannerJson } from './banner.ts';
import { RecordedTerminal } from './testing/recorded-terminal.ts';

const started = {
  version: '1.2.3',
  readyMs: 41.7,
  console: 'http://127.0.0.1:7400/#token=abc',
  demo: [],
} as const;

const withoutChance = (text: string): string =>
  text.replace(/127\.0\.0\.1:\d{5}/g, '127.0.0.1:PORT').replace(/node \d\S+/, 'node N');

test('one chain: where it listens, the console, and its keys with a warning', async () => {
  await using host = await createHost();
  await host.create({ kind: 'evm', name: 'l1', options: { port: 0, accounts: 2 } });
  const terminal = new RecordedTerminal({ isInteractive: true });
  expect(withoutChance(banner(host, started, terminal))).toMatchInlineSnapshot(`
    "
      polyvisor 1.2.3   ready in 42 ms   node N

      l1       http://127.0.0.1:PORT   chain 31337   block 0   hardfork osaka   accounts 2 × 10000 ETH
      console  http://127.0.0.1:7400/#token=abc

      (0) 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266  0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80
      (1) 0x70997970c51812dc3a010c7d01b50e0d17dc79c8  0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d
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
