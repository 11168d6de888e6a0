import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { findImage } from '@polyvisor/images/image-store';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Guest } from '../../guest.ts';
import { createHost } from '../../host.ts';
import type { Host } from '../../host.ts';
import { Sandbox } from '../../sandbox.ts';
import { TemporaryDirectory } from '../../testing/temporary-directory.ts';

/** A store with Debian's kernel and busybox; to make it takes a mirror. */
const home = fileURLToPath(new URL('../../../../../.cache/computer', import.meta.url));
const hasImage = existsSync(`${home}/images/linux`);
if (!hasImage) {
  console.warn('NOT TESTED: guests that run Linux. Run it once: npm run conf -- computer-boot');
}

describe.skipIf(!hasImage)('a guest that runs Linux', () => {
  let server: Server;
  let port: number;
  let sandbox: Sandbox;
  const run = async (command: string, guest = sandbox): Promise<string> => {
    const { stdout, stderr, exitCode } = await guest.runCommand(command);
    expect([exitCode, stderr]).toEqual([0, '']);
    return stdout;
  };
  const get = async ({ guest }: Sandbox): Promise<string> => {
    const [endpoint] = guest.endpoints;
    return await (await fetch(endpoint!.url.replace('tcp:', 'http:'))).text();
  };

  beforeAll(async () => {
    server = createServer((_, response) => response.end('from the host'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
    const { kernel, initrd, commandLine } = findImage(home, 'linux');
    sandbox = await Sandbox.create({
      network: { allow: [`tcp:host:${port}`] },
      options: { kernel, initrd: initrd!, commandLine, ram: '256MiB', forwards: ['0:80'] },
    });
  }, 120_000);

  afterAll(async () => {
    await sandbox?.close();
    server?.close();
  });

  test('tells exit code and both streams', async () => {
    expect(await sandbox.runCommand('uname -s; echo sorry >&2; exit 7')).toEqual({
      exitCode: 7,
      stdout: 'Linux\n',
      stderr: 'sorry\n',
    });
    const words = ["it's", '$HOME', '* "'];
    expect((await sandbox.runCommand(['printf', '%s|', ...words])).stdout).toBe(
      `${words.join('|')}|`,
    );
  });

  test('has files of any content, and long inputs', async () => {
    const content = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 3);
    await sandbox.writeFiles({ '/work/a/b': content });
    expect(Buffer.compare(await sandbox.readFile('/work/a/b'), content)).toBe(0);
    const { stdout } = await sandbox.runCommand('wc -c', { stdin: content });
    expect(stdout.trim()).toBe('300000');
    await expect(sandbox.readFile('/nowhere')).rejects.toThrow(/No such file/);
  });

  test('reaches what its rules allow, and nothing else', async () => {
    expect(await run(`wget -q -O - http://10.0.2.2:${port}/`)).toBe('from the host');
    const other = port === 9 ? 10 : 9;
    const refused = await sandbox.runCommand(`wget -q -O - http://10.0.2.2:${other}/`);
    expect(refused.exitCode).not.toBe(0);
    const outside = await sandbox.runCommand('wget -q -T 5 -O - http://192.0.2.1/');
    expect(outside.exitCode).not.toBe(0);
  });

  test('serves at its forwarded port, and so does a fork at its own', async () => {
    await run('mkdir -p /www; echo hello >/www/index.html; httpd -p 80 -h /www');
    expect(await get(sandbox)).toBe('hello\n');
    const [fork] = await sandbox.fork();
    await run('echo changed >/www/index.html', fork);
    expect([await get(sandbox), await get(fork!)]).toEqual(['hello\n', 'changed\n']);
    await fork!.close();
  });

  test('and its forks have randomness of their own', async () => {
    await sandbox.snapshot('before');
    const forks = await sandbox.fork(3);
    const uuid = 'cat /proc/sys/kernel/random/uuid';
    const seen = [await run(uuid)];
    for (const fork of forks) {
      seen.push(await run(uuid, fork));
      await fork.close();
    }
    await sandbox.restore('before');
    seen.push(await run(uuid));
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('that makes processes until its memory ends harms nobody else', async () => {
    const [fork] = await sandbox.fork();
    await using _ = fork!;
    void fork!.runCommand('bomb() { bomb | bomb & }; bomb').catch(() => {});
    for (let i = 0; i < 5; i++) expect(await run('echo still here')).toBe('still here\n');
    expect(fork!.guest.state.name).toBe('running');
  }, 120_000);

  describe('with a disk', () => {
    let directory: TemporaryDirectory;
    let host: Host;
    const begin = async (): Promise<void> => {
      host = await createHost({ dataDirectory: directory.path });
    };
    const boot = async (storage: string): Promise<Guest> => {
      const { kernel, initrd, commandLine } = findImage(home, 'linux');
      const disks = [{ size: '64MiB' }];
      const options = { kernel, initrd: initrd!, commandLine, ram: '128MiB', disks };
      return await host.create({ kind: 'linux', name: 'box', storage, options });
    };
    const ask = async (guest: Guest, command: string): Promise<string> => {
      const { stdout } = await guest.shell.run(['sh', '-c', command]);
      return Buffer.from(stdout).toString('latin1');
    };

    beforeEach(async () => {
      directory = new TemporaryDirectory();
      await begin();
    });

    afterEach(async () => {
      await host.close();
      directory[Symbol.dispose]();
    });

    test('it is there after a restart of the host; snapshots and forks have it, too', async () => {
      const guest = await boot('1GiB');
      await ask(guest, 'echo first >/dev/vda; sync');
      await guest.snapshot('first');
      await ask(guest, 'echo second >/dev/vda; sync');
      const read = 'dd if=/dev/vda bs=512 count=1 iflag=direct 2>/dev/null | head -n 1';
      const fork = await guest.fork({ snapshot: 'first' });
      expect([await ask(guest, read), await ask(fork, read)]).toEqual(['second\n', 'first\n']);
      await guest.restore('first');
      expect(await ask(guest, read)).toBe('first\n');
      await ask(guest, 'echo third >/dev/vda; sync');
      await host.close();
      await begin();
      expect(await ask(host.guest('box'), read)).toBe('third\n');
    }, 120_000);

    test('that it fills beyond its limit ends it, with that reason, and nobody else', async () => {
      const other = await host.create({ kind: 'evm', options: { port: 0 } });
      const guest = await boot('8MiB');
      const command = 'yes | dd of=/dev/vda bs=64k oflag=direct iflag=fullblock';
      await expect(ask(guest, command)).rejects.toThrow(
        expect.objectContaining({ code: 'guest-failed' }),
      );
      expect(guest.state).toMatchObject({ name: 'failed', reason: { code: 'storage-quota' } });
      expect(guest.usage().storageBytes).toBeLessThanOrEqual(2 ** 23);
      expect(other.state.name).toBe('running');
    }, 120_000);
  });
});
