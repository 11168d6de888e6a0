import { expect, test } from 'vitest';
import { createHost } from './host.ts';
import { Sandbox } from './sandbox.ts';
import { ScriptedShell } from './testing/scripted-shell.ts';
import { shellKind } from './testing/shell-kind.ts';

const code = (name: string): unknown => expect.objectContaining({ code: name });

test('a sandbox runs commands and has files; a snapshot takes it back', async () => {
  await using host = await createHost({ kinds: shellKind() });
  await using sandbox = await Sandbox.create({ host });
  const seen: string[] = [];
  const onOutput = (stream: string, text: string): void => void seen.push(`${stream}: ${text}`);
  expect(await sandbox.runCommand(['echo', 'é'], { onOutput })).toEqual({
    exitCode: 0,
    stdout: 'é',
    stderr: '',
  });
  expect(seen).toEqual(['stdout: é']);
  expect(await sandbox.runCommand('exit 3')).toMatchObject({ exitCode: 3, stderr: '-c exit 3' });
  await sandbox.guest.shell.writeFile('/a', 'one');
  await sandbox.snapshot('clean');
  await sandbox.guest.shell.writeFile('/a', 'two');
  await sandbox.restore('clean');
  expect(Buffer.from(await sandbox.readFile('/a')).toString()).toBe('one');
});

test('forks begin as it is, and are gone by themselves', async () => {
  await using host = await createHost({ kinds: shellKind() });
  const sandbox = await Sandbox.create({ host });
  await sandbox.guest.shell.writeFile('/a', 'one');
  const forks = await sandbox.fork(3);
  await forks[0]!.guest.shell.writeFile('/a', 'two');
  expect(Buffer.from(await forks[1]!.readFile('/a')).toString()).toBe('one');
  await sandbox.close();
  await sandbox.close();
  expect(host.guests.size).toBe(3);
  for (const fork of forks) await fork[Symbol.asyncDispose]();
  expect(host.guests.size).toBe(0);
});

test('one whose directories can not be made says why', async () => {
  await using host = await createHost({ kinds: shellKind() });
  await using sandbox = await Sandbox.create({ host });
  await sandbox.writeFiles({ name: 'no directory is needed' });
  await expect(sandbox.writeFiles({ '/etc/a': '' })).rejects.toThrow(code('command-failed'));
});

test('one that does not get ready in time is removed', async () => {
  class SilentShell extends ScriptedShell {
    override ready(): Promise<void> {
      return new Promise(() => {});
    }
  }
  await using host = await createHost({ kinds: shellKind(() => new SilentShell()) });
  await expect(Sandbox.create({ host, readyMsMax: 1 })).rejects.toThrow(code('sandbox-not-ready'));
  expect(host.guests.size).toBe(0);
});

test('one without an image says which it wanted', async () => {
  const made = Sandbox.create({ options: { image: 'none-of-this-name' } });
  await expect(made).rejects.toThrow(code('no-image'));
});
