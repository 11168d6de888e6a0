import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CountingComputer } from '@polyvisor/host/testing/counting-computer';
import { ScriptedShell } from '@polyvisor/host/testing/scripted-shell';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DETACH_KEY } from './console-session.ts';
import { exitCodes } from './exit-codes.ts';
import { main } from './main.ts';
import { openListedHost } from './testing/listed-host.ts';
import { RecordedTerminal } from './testing/recorded-terminal.ts';
import { useHome } from './testing/user-home.ts';

const home = useHome();
let computer: CountingComputer;
/** The flags that make a guest of it. */
let flags: string;

beforeEach(() => {
  computer = new CountingComputer();
  flags = `--kernel ${computer.options.kernel} --ram 16MiB`;
});

afterEach(() => computer[Symbol.dispose]());

/** Begins a command line at a terminal where somebody sits. */
function begin(line: string): { exit: Promise<number>; terminal: RecordedTerminal } {
  const terminal = new RecordedTerminal({ isInteractive: true });
  return { exit: main(line.split(' '), terminal), terminal };
}

test('a computer has the terminal until the person leaves', async () => {
  const { exit, terminal } = begin(`linux ${flags} --no-console`);
  await terminal.until(/leave: ctrl-\][^]*ok/);
  terminal.press('a');
  await terminal.until(/a\n?1/);
  terminal.press(DETACH_KEY);
  expect(await exit).toBe(exitCodes.ok);
});

test('a computer that turns itself off ends its host', async () => {
  const { exit, terminal } = begin(`run linux ${flags} --name box -it`);
  await terminal.until(/box[^]*ok/);
  terminal.press('q');
  expect(await exit).toBe(exitCodes.ok);
});

test('a host that runs takes a computer, and whoever attaches to it', async () => {
  await using host = await openListedHost();
  const started = new RecordedTerminal();
  expect(await main(`run linux ${flags} --json`.split(' '), started)).toBe(exitCodes.ok);
  expect(started.json).toMatchObject({ name: 'linux', kind: 'linux', state: 'running' });
  const first = begin('attach linux');
  await first.terminal.until(/ok/);
  first.terminal.press('a');
  await first.terminal.until(/a\n?1/);
  first.terminal.press(`b${DETACH_KEY}`);
  expect(await first.exit).toBe(exitCodes.ok);
  expect(host.guest('linux').state.name).toBe('running');
  const second = begin('attach linux');
  await second.terminal.until(/b\n?2/);
  second.terminal.press('q');
  expect(await second.exit).toBe(exitCodes.ok);
  expect(host.guest('linux').state.name).toBe('stopped');
});

test('commands run in a guest with a shell: both streams and the exit code are ours', async () => {
  await using host = await openListedHost();
  const shell = new ScriptedShell();
  shell.giveTo(await host.create({ kind: 'linux', name: 'box', options: computer.options }));
  const run = async (line: string, piped = '') => {
    const terminal = new RecordedTerminal();
    terminal.piped = piped;
    const exit = await main(line.split(' '), terminal);
    return [exit, terminal.output, terminal.warned.join()];
  };
  expect(await run('exec box echo a -b')).toEqual([0, 'a -b', '']);
  expect(await run('exec box false no')).toEqual([3, '', 'no']);
  expect(await run('exec -i box cat', 'piped')).toEqual([0, 'piped', '']);
  expect((await run('exec box lost'))[2]).toContain('the guest went elsewhere');
  const file = join(home.path, 'local');
  writeFileSync(file, 'content');
  expect(await run(`cp ${file} box:/etc/`)).toEqual([0, '', '']);
  expect(shell.files.get('/etc/local')?.toString()).toBe('content');
  expect((await run(`cp box:/etc/local ${home.path}/back`))[0]).toBe(0);
  expect(readFileSync(`${home.path}/back`, 'utf8')).toBe('content');
  expect(await run('cp a b')).toEqual([exitCodes.usage, '', expect.stringContaining('one of the')]);
  expect((await run('cp nowhere box:/a'))[0]).toBe(exitCodes.notFound);
});

test('flags of another kind of guest are refused', async () => {
  await using _host = await openListedHost();
  for (const [line, message] of [
    ['run evm --ram 1GiB', '--ram is for guests of kind linux'],
    ['run linux --chain-id 3', '--chain-id is for guests of kind evm'],
  ] as const) {
    const terminal = new RecordedTerminal();
    expect(await main(line.split(' '), terminal)).toBe(exitCodes.usage);
    expect(terminal.warned.join()).toContain(message);
  }
});
