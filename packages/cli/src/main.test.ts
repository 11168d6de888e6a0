import { chdir, cwd } from 'node:process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '@polyvisor/host/host';
import { expect, test, vi } from 'vitest';
import { commands } from './commands.ts';
import { exitCodes } from './exit-codes.ts';
import { main } from './main.ts';
import { openListedHost } from './testing/listed-host.ts';
import { RecordedTerminal } from './testing/recorded-terminal.ts';
import { useHome } from './testing/user-home.ts';
import { TemporaryDirectory } from '@polyvisor/host/testing/temporary-directory';

useHome();

/** Runs a command line. */
async function run(line: string): Promise<{ exit: number; terminal: RecordedTerminal }> {
  const terminal = new RecordedTerminal();
  const exit = await main(line.split(' ').filter(Boolean), terminal);
  return { exit, terminal };
}

/** Runs a command line that has to succeed, and gives what it printed for programs. */
async function json(line: string): Promise<unknown> {
  const { exit, terminal } = await run(`${line} --json`);
  expect(terminal.warned).toEqual([]);
  expect(exit).toBe(exitCodes.ok);
  return terminal.json;
}

/** A host that commands find, with a chain `l1`. */
async function openHost(): Promise<Host> {
  const host = await openListedHost();
  await host.create({ kind: 'evm', name: 'l1', options: { port: 0 } });
  return host;
}

test('the help lists every command', async () => {
  const { exit, terminal } = await run('--help');
  expect(exit).toBe(exitCodes.ok);
  for (const { name, summary } of commands) {
    expect(terminal.output).toContain(name);
    expect(terminal.output.replace(/\s+/g, ' ')).toContain(summary);
  }
});

test.for([
  ['up --bogus', exitCodes.usage, /unknown option '--bogus'/],
  ['--bogus', exitCodes.usage, /unknown option '--bogus'/],
  ['evm --port 65536', exitCodes.usage, /give a number from 0 to 65535/],
  ['evm --accounts 1.5', exitCodes.usage, /give a whole number/],
  ['evm --hardfork tomorrow', exitCodes.usage, /it is one of frontier, /],
  ['fork', exitCodes.usage, /missing required argument 'guest'/],
  ['nonsense', exitCodes.usage, /unknown command 'nonsense'/],
  ['ps', exitCodes.noHost, /no host is running[^]*hint: start one: polyvisor up/],
  ['ps --host http://127.0.0.1:1', exitCodes.noHost, /no token/],
  ['ps --host http://127.0.0.1:1 --token t', exitCodes.noHost, /does not answer/],
  ['up --config /nowhere.json', exitCodes.config, /can't be read/],
] as const)('polyvisor %s exits with %i and says why', async ([line, code, message]) => {
  const { exit, terminal } = await run(line);
  expect(terminal.warned.join('\n')).toMatch(message);
  expect(exit).toBe(code);
});

test('with --json a mistake is JSON, too', async () => {
  const { exit, terminal } = await run('ps --json');
  expect(exit).toBe(exitCodes.noHost);
  expect(JSON.parse(terminal.warned[0]!)).toEqual({
    error: { code: 'no-host', message: 'no host is running', hint: 'start one: polyvisor up' },
  });
});

test('the life of guests, over the control API', async () => {
  await using host = await openHost();
  expect(await json('ps')).toMatchObject([
    { name: 'l1', kind: 'evm', state: 'running', head: '0' },
  ]);
  expect(await json('run evm --name l2 --chain-id 7')).toMatchObject({
    name: 'l2',
    facts: { chain: '7' },
  });
  expect(await json('pause l1 l2')).toMatchObject([{ state: 'paused' }, { state: 'paused' }]);
  expect(await json('resume l1 l2')).toMatchObject([{ state: 'running' }, { state: 'running' }]);
  expect(await json('stop l2')).toMatchObject([{ state: 'stopped' }]);
  expect(await json('start l2')).toMatchObject([{ state: 'running' }]);
  expect(await json('rm l2')).toEqual({ removed: ['l2'] });
  expect([...host.guests.keys()]).toEqual(['l1']);
});

test('blocks, snapshots and forks, over the control API', async () => {
  await using host = await openHost();
  expect(await json('snapshot l1 --name start')).toMatchObject({ id: 's1', name: 'start' });
  expect(await json('mine l1 --count 3 --interval 12')).toEqual({ head: '3' });
  expect(await json('warp l1 3600')).toMatchObject({ time: expect.any(Number) });
  expect(await json('snapshots l1')).toMatchObject([{ name: 'start', isCurrent: true }]);
  expect(await json('fork l1 --count 2')).toMatchObject([{ head: '4' }, { head: '4' }]);
  expect(await json('fork l1 --name back --snapshot start')).toMatchObject([{ head: '0' }]);
  expect(await json('restore l1 start')).toMatchObject({ id: 's1', head: '0' });
  expect(host.guest('l1').head()).toBe('0');
  expect(host.guests.size).toBe(4);
});

test('exec answers as the guest does', async () => {
  await using host = await openHost();
  expect((await run('exec --json l1 eth_chainId')).terminal.json).toEqual({ result: '0x7a69' });
  const { terminal } = await run('exec l1 web3_sha3 0x');
  expect(terminal.output).toBe(
    '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470',
  );
  const refused = await run('exec l1 eth_nonsense');
  expect(refused.exit).toBe(exitCodes.failure);
  expect(refused.terminal.warned[0]).toMatch(/l1 answered -32601/);
  await run('exec l1 evm_mine');
  expect(host.guest('l1').head()).toBe('1');
});

test('people get tables', async () => {
  await using host = await openHost();
  await host.guest('l1').snapshot();
  expect((await run('ps')).terminal.output).toMatch(
    /^NAME +KIND +STATE +HEAD +ENDPOINT .*\nl1 +evm +running +0 +http:\/\/127\.0\.0\.1:\d+ /,
  );
  expect((await run('snapshots l1')).terminal.output).toMatch(/^SNAPSHOT .*\ns1 \* +- +- +0 /);
  expect((await run('logs l1')).terminal.output).toMatch(/Z info {2}\[l1\] created guest 'l1'/);
});

test.for([
  ['pause nobody', exitCodes.notFound, /there is no guest 'nobody'/],
  ['restore l1 s9', exitCodes.notFound, /there is no snapshot 's9'/],
  ['resume l1', exitCodes.conflict, /can't resume guest 'l1': it is running/],
  ['run vax', exitCodes.notFound, /there is no kind of guest 'vax'/],
  ['run evm --name l1', exitCodes.conflict, /there is a guest 'l1' already/],
  ['warp l1 soon', exitCodes.usage, /'soon' is not a whole number/],
  ['ps --token wrong --host URL', exitCodes.noHost, /the token is not the one/],
] as const)('%s exits with %i', async ([line, code, message]) => {
  await using host = await openHost();
  const { exit, terminal } = await run(line.replace('URL', host.control!.url));
  expect(terminal.warned.join('\n')).toMatch(message);
  expect(exit).toBe(code);
});

test('doctor says what this computer has', async () => {
  const checks = (await json('doctor')) as { name: string; status: string }[];
  expect(checks.find(({ name }) => name === 'node')).toMatchObject({ status: 'ok' });
});

test('up brings the configured guests up, and init writes what up reads', async () => {
  using directory = new TemporaryDirectory();
  const before = cwd();
  chdir(directory.path);
  try {
    expect(await json('init')).toEqual({ file: 'polyvisor.config.ts' });
    expect(readFileSync('polyvisor.config.ts', 'utf8')).toContain('l1: evm({ port: 8545 })');
    expect((await run('init')).exit).toBe(exitCodes.conflict);
    const guests = {
      l1: { kind: 'evm', options: { port: 0 } },
      l2: { kind: 'evm', options: { chainId: 2 } },
    };
    // Beside a port of 0 in the file, it is no port that is taken.
    vi.stubEnv('POLYVISOR_PORT', '0');
    writeFileSync(join(directory.path, 'two.json'), JSON.stringify({ guests }));
    const demo = (await json('up --config two.json --demo --once --no-console')) as {
      demo: { uniswap: string };
      guests: unknown[];
    };
    expect(demo.demo.uniswap).toMatch(/^factory 0x[0-9a-f]{40}$/i);
    expect(demo.guests).toMatchObject([{ facts: { block: '9' } }, { facts: { block: '0' } }]);
    expect(await json('up --config two.json --once --console-port 0')).toMatchObject({
      guests: [{ name: 'l1' }, { name: 'l2', facts: { chain: '2' } }],
      control: { url: expect.stringMatching(/^http:/), token: expect.any(String) },
    });
  } finally {
    chdir(before);
    vi.unstubAllEnvs();
  }
});

test('a data directory keeps the guests from one up to the next', async () => {
  using directory = new TemporaryDirectory();
  const line = `evm --port 0 --data-dir ${directory.path} --console-port 0`;
  const ending = new AbortController();
  const terminal = new RecordedTerminal();
  const ended = main([...line.split(' '), '--quiet'], terminal, ending.signal);
  await Promise.race([terminal.until(/http/), ended]);
  await json('mine evm --count 5');
  ending.abort();
  expect(await ended).toBe(exitCodes.ok);
  expect(await json(`${line} --once`)).toMatchObject({ guests: [{ facts: { block: '5' } }] });
});

test('single keys: snapshot, restore, fork, quit', async () => {
  const terminal = new RecordedTerminal({ isInteractive: true });
  const ended = main(['evm', '--port', '0', '--no-console'], terminal);
  await Promise.race([terminal.until(/quit: q/), ended]);
  for (const [key, answer] of [
    ['h', /q {2}stop everything and quit/],
    ['k', /everybody knows these keys/],
    ['r', /evm: it has no snapshot/],
    ['s', /evm: snapshot s1 at 0/],
    ['r', /evm: back at 0 \(s1\)/],
    ['f', /evm-fork: a fork of evm at http:/],
  ] as const) {
    terminal.press(key);
    await Promise.race([terminal.until(answer), ended]);
  }
  terminal.press('q');
  expect(await ended).toBe(exitCodes.ok);
});
