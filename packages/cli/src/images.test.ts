import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bytesToUtf8, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { writeCpio } from '@polyvisor/images/archive/cpio';
import { writeTar } from '@polyvisor/images/archive/tar';
import { unpackTar } from '@polyvisor/images/archive/unpack';
import { lookUp, makeDirectory } from '@polyvisor/images/file-tree';
import { addGuestFiles } from '@polyvisor/images/guest/guest-files';
import { addImage, findImage, readImageFile } from '@polyvisor/images/image-store';
import { treeOf } from '@polyvisor/images/testing/make-deb';
import { exitCodes } from './exit-codes.ts';
import { main } from './main.ts';
import { RecordedTerminal } from './testing/recorded-terminal.ts';
import { useHome } from './testing/user-home.ts';

const home = useHome();

async function run(...words: readonly string[]) {
  const terminal = new RecordedTerminal();
  const exit = await main(['images', ...words], terminal);
  return { exit, terminal, said: [...terminal.printed, ...terminal.warned].join('\n') };
}

/** An image as `pull linux` makes it. */
function addLinux(): void {
  const root = makeDirectory();
  const modules = new Map([['1', [{ name: 'net', content: utf8ToBytes('module') }]]]);
  addGuestFiles(root, { busybox: utf8ToBytes('busybox'), modules });
  addImage(home.path, 'linux', {
    kernel: utf8ToBytes('kernel'),
    initrd: writeCpio(root),
    commandLine: 'console=ttyS0',
    hasAgent: true,
    source: 'a test',
  });
}

test('images without a command shows what there is', async () => {
  const { exit, said } = await run();
  expect(exit).toBe(exitCodes.usage);
  for (const name of ['ls', 'pull', 'import', 'rm']) expect(said).toContain(`  ${name} `);
  expect((await run('pull', '--help')).said).toMatch(/--include <packages>/);
});

test('the list of images, for people and programs', async () => {
  expect((await run('ls')).said).toMatch(/^IMAGE +SIZE +AGENT +MADE +SOURCE$/);
  addLinux();
  expect((await run('ls')).said).toMatch(/\nlinux +0\.0 MiB +yes +\d{4}-\S+Z +a test$/);
  expect((await run('ls', '--json')).terminal.json).toMatchObject([
    { name: 'linux', source: 'a test', hasAgent: true },
  ]);
  writeFileSync(join(home.path, 'images/linux/image.json'), '{');
  expect((await run('ls')).said).toMatch(/\nlinux .* damaged: /);
});

test('an image is removed', async () => {
  addLinux();
  expect((await run('rm', 'linux')).said).toBe('linux');
  const { exit, said } = await run('rm', 'linux');
  expect(exit).toBe(exitCodes.notFound);
  expect(said).toMatch(/there is no image linux/);
});

test('an archive of a root directory becomes an image', async () => {
  addLinux();
  const file = join(home.path, 'small.tar.gz');
  writeFileSync(file, gzipSync(writeTar(treeOf({ 'bin/sh': 'a shell' }))));
  const { exit, said, terminal } = await run('import', file);
  expect(exit).toBe(exitCodes.ok);
  expect(terminal.printed[1]).toBe('run it: polyvisor run small');
  expect(said).toMatch(/made small: 0\.0 MiB, small\.tar\.gz, kernel of linux/);
  const image = findImage(home.path, 'small');
  expect(image.commandLine).toContain(
    'root=polyvisor rootfstype=virtiofs rw init=/.polyvisor/init',
  );
  const root = makeDirectory();
  unpackTar(root, readImageFile(image, 'root'), 100);
  for (const path of ['bin/sh', '.polyvisor/busybox', '.polyvisor/modules/1/0-net.ko']) {
    expect(lookUp(root, path)).toMatchObject({ kind: 'file' });
  }
  // Its kernel and tools do for the next.
  const next = await run('import', file, '--name', 'next', '--kernel-from', 'small', '--json');
  expect(next.terminal.warned).toEqual([]);
  expect(next.terminal.json).toMatchObject({ name: 'next', hasAgent: true });
  expect(bytesToUtf8(readImageFile(findImage(home.path, 'next'), 'kernel'))).toBe('kernel');
});

test('a name is taken once, unless it is replaced', async () => {
  addLinux();
  const file = join(home.path, 'linux.tar');
  writeFileSync(file, writeTar(treeOf({ a: 'b' })));
  const { exit, said } = await run('import', file);
  expect(exit).toBe(exitCodes.conflict);
  expect(said).toMatch(/image linux already[^]*--replace/);
  expect((await run('import', file, '--replace')).exit).toBe(exitCodes.ok);
  expect((await run('pull', 'linux')).exit).toBe(exitCodes.conflict);
});

test.for([
  [['pull', 'windows'], exitCodes.notFound, /it is one of linux, debian/],
  [['pull', 'linux', '--include', 'vim'], exitCodes.usage, /no packages to include/],
  [['pull', 'linux', '--mirror', 'ftp://x'], exitCodes.failure, /no address of a mirror/],
  [['import', '/nowhere.tar'], exitCodes.notFound, /there is no file/],
  [['import', import.meta.filename], exitCodes.notFound, /no image linux; there is none yet/],
  [['import', import.meta.filename, '--name', '.'], exitCodes.usage, /can't be the name/],
  [['rm', '../x'], exitCodes.usage, /can't be the name/],
] as const)('images %s exits with %i and says why', async ([words, code, message]) => {
  const { exit, said } = await run(...words);
  expect(said).toMatch(message);
  expect(exit).toBe(code);
});

test('a disk is no root directory', async () => {
  addLinux();
  const file = join(home.path, 'disk.img');
  writeFileSync(file, new Uint8Array(4096));
  const { exit, said } = await run('import', file, '--format', 'raw');
  expect(said).toMatch(/disk\.img is a disk \(raw\)/);
  expect(exit).toBe(exitCodes.failure);
});

test('a mirror without the release leaves nothing behind', async () => {
  const server = createServer((_request, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const mirror = `http://127.0.0.1:${port}`;
    const keyring = join(home.path, 'keys.gpg');
    const { exit, said } = await run('pull', 'linux', '--mirror', mirror, '--keyring', keyring);
    expect(exit).toBe(exitCodes.failure);
    expect(said).toContain(`there is no ${mirror}/dists/trixie/InRelease`);
    expect(said).toContain(`there is no ${mirror}/dists/stable/InRelease`);
  } finally {
    server.close();
  }
  expect((await run('ls', '--json')).terminal.json).toEqual([]);
});
