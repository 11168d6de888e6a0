import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { exitCodes } from './exit-codes.ts';
import { runningHosts } from './running-hosts.ts';
import { TemporaryDirectory } from '@polyvisor/host/testing/temporary-directory';

/** Starts one of the programs from its source. */
function start(program: 'bin' | 'anvil-bin', args: readonly string[], home: string): ChildProcess {
  const file = fileURLToPath(new URL(`${program}.ts`, import.meta.url));
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args], {
    stdio: 'pipe',
    env: { ...process.env, POLYVISOR_HOME: home },
  });
}

/** The first line that matches. */
async function lineOf(child: ChildProcess, pattern: RegExp): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    if (pattern.test(line)) return line;
  }
  throw new Error(`the process ended without a line like ${pattern}`);
}

async function ask(url: string, method: string): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body });
  return ((await response.json()) as { result: unknown }).result;
}

test.for(['SIGINT', 'SIGTERM'] as const)(
  'polyvisor evm serves until %s, then cleans up',
  async (signal) => {
    using home = new TemporaryDirectory();
    const args = ['evm', '--port', '0', '--console-port', '0', '--chain-id', '5', '--json'];
    const child = start('bin', args, home.path);
    const exited = once(child, 'exit');
    const { guests, control } = JSON.parse(await lineOf(child, /^\{/));
    expect(await ask(guests[0].endpoints[0].url, 'eth_chainId')).toBe('0x5');
    expect(runningHosts(home.path)).toMatchObject([{ url: control.url, pid: child.pid }]);
    child.kill(signal);
    expect(await exited).toEqual([exitCodes.ok, null]);
    expect(runningHosts(home.path)).toEqual([]);
  },
);

test('polyvisor up reads a configuration in TypeScript, far from any installation', async () => {
  using directory = new TemporaryDirectory();
  const file = join(directory.path, 'polyvisor.config.ts');
  writeFileSync(
    file,
    `import { defineConfig, evm } from 'polyvisor/config';
     const chainId: number = 7;
     export default defineConfig({ guests: { l1: evm({ chainId, port: 0, memory: '64MiB' }) } });`,
  );
  const args = ['up', '--config', file, '--no-console', '--once', '--json'];
  const child = start('bin', args, directory.path);
  const { guests } = JSON.parse(await lineOf(child, /^\{/));
  expect(guests).toMatchObject([{ name: 'l1', facts: { chain: '7' } }]);
});

test('polyvisor attach answers lines, until the last', async () => {
  using home = new TemporaryDirectory();
  const host = start('bin', ['evm', '--port', '0', '--console-port', '0', '--json'], home.path);
  const hostExited = once(host, 'exit');
  await lineOf(host, /^\{/);
  const prompt = start('bin', ['attach', 'evm'], home.path);
  const exited = once(prompt, 'close');
  let output = '';
  prompt.stdout!.on('data', (data: Buffer) => (output += data.toString()));
  let error = '';
  prompt.stderr!.on('data', (data: Buffer) => (error += data.toString()));
  prompt.stdin!.end('eth_chainId\n\nevm_mine\neth_nonsense\neth_blockNumber\n');
  expect(await exited).toEqual([exitCodes.ok, null]);
  expect(output).toMatch(/0x7a69\n[^]*0x1\n/);
  expect(error).toMatch(/^-32601: /);
  host.kill('SIGTERM');
  await hostExited;
});

test('polyvisor-anvil prints what launchers wait for', async () => {
  using home = new TemporaryDirectory();
  const child = start('anvil-bin', ['--port', '0', '--accounts', '3'], home.path);
  const exited = once(child, 'exit');
  const line = await lineOf(child, /^Listening on 127\.0\.0\.1:\d+$/);
  expect(await ask(`http://${line.slice('Listening on '.length)}`, 'web3_clientVersion')).toMatch(
    /^Polyvisor\//,
  );
  child.kill('SIGTERM');
  expect(await exited).toEqual([exitCodes.ok, null]);
});

test('polyvisor-anvil refuses a flag that it does not have', async () => {
  using home = new TemporaryDirectory();
  const child = start('anvil-bin', ['--fork-url', 'http://127.0.0.1:1'], home.path);
  let error = '';
  child.stderr!.on('data', (data: Buffer) => (error += data.toString()));
  expect(await once(child, 'close')).toEqual([exitCodes.usage, null]);
  expect(error).toContain("unknown option '--fork-url'");
});
