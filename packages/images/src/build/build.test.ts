import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytesToUtf8, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { HostError } from '@polyvisor/errors/host-error';
import { readCpio } from '../archive/cpio.ts';
import { unpackTar } from '../archive/unpack.ts';
import { lookUp, makeDirectory, remove } from '../file-tree.ts';
import type { DirectoryNode } from '../file-tree.ts';
import { type NewImage, addImage } from '../image-store.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { file, treeOf } from '../testing/make-deb.ts';
import { FAKE_MIRROR, FakeMirror, fakeModule, guestPackages } from '../testing/fake-mirror.ts';
import type { BuildOptions } from './debian-mirror.ts';
import { buildDebianImage } from './debian-system.ts';
import type { DebianSystemOptions } from './debian-system.ts';
import { buildMicroImage } from './micro-image.ts';
import { prepareRoot } from './prepare.ts';
import { imageFromRoot } from './root-image.ts';

let directory: string;
let mirror: FakeMirror;
let options: BuildOptions;
const code = (name: string): unknown => expect.objectContaining({ code: name });

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'polyvisor-build-'));
  mirror = new FakeMirror();
  options = {
    mirror: FAKE_MIRROR,
    trust: { kind: 'unverified' },
    cacheDirectory: directory,
    sources: [],
    door: mirror,
  };
});
afterEach(() => rmSync(directory, { recursive: true }));

function textAt(root: DirectoryNode, path: string): string {
  const node = lookUp(root, path);
  return node?.kind === 'file' ? bytesToUtf8(node.content) : `no file ${path}`;
}

test('the micro image has a kernel, and busybox with what makes a guest of it', async () => {
  mirror.publish('trixie', guestPackages);
  const image = await buildMicroImage(options);
  expect(bytesToUtf8(image.kernel)).toBe('kernel');
  expect(image).toMatchObject({ hasAgent: true, commandLine: 'console=ttyS0 quiet' });
  expect(image.source).toBe('Debian trixie (13.7), kernel 6.12.0-riscv64, busybox 1:1.37');
  const root = readCpio(image.initrd!, 1000);
  expect(lookUp(root, 'init')).toMatchObject({ target: '/.polyvisor/init' });
  expect(textAt(root, '.polyvisor/busybox')).toBe('busybox');
  for (const name of ['init', 'agent', 'console', 'network', 'busybox']) {
    expect(lookUp(root, `.polyvisor/${name}`)?.attributes.mode).toBe(0o755);
  }
  expect(lookUp(root, 'dev/console')).toMatchObject({ kind: 'character', major: 5, minor: 1 });
});

test('modules are there by what they are for, each after what it needs, without those built in', async () => {
  mirror.publish('trixie', guestPackages);
  const { initrd } = await buildMicroImage(options);
  const root = readCpio(initrd!, 1000);
  const modules = lookUp(root, '.polyvisor/modules') as DirectoryNode;
  const names = [...modules.children].map(([device, node]) => {
    return [device, [...(node as DirectoryNode).children.keys()]];
  });
  expect(Object.fromEntries(names)).toEqual({
    1: ['0-failover.ko', '1-net_failover.ko', '2-virtio_net.ko'],
    2: ['0-virtio_blk.ko'],
    4: ['0-virtio_rng.ko'],
    5: ['0-virtio_balloon.ko'],
    'fs-ext4': ['0-crc32c_generic.ko', '1-jbd2.ko', '2-ext4.ko'],
  });
  expect(textAt(root, '.polyvisor/modules/1/0-failover.ko')).toBe(fakeModule('failover'));
});

test('a release may be whole under its other name, if it is that release', async () => {
  mirror.publish('trixie', guestPackages);
  mirror.publish('stable', guestPackages);
  const index = 'main/binary-riscv64/Packages.gz';
  mirror.files.set(`${FAKE_MIRROR}/dists/trixie/${index}`, new Uint8Array(1));
  const said: string[] = [];
  const image = await buildMicroImage({ ...options, onProgress: (doing) => said.push(doing) });
  expect(image.source).toContain('Debian trixie (13.7)');
  expect(said).toEqual([
    'the index of Debian trixie',
    'the index of Debian stable',
    expect.stringMatching(/^busybox-static 1:1.37 \(/),
    expect.stringMatching(/^linux-image-6.12.0-riscv64 1 \(/),
  ]);
});

test('another release by the other name is none', async () => {
  mirror.publish('trixie', guestPackages);
  mirror.files.delete(`${FAKE_MIRROR}/dists/trixie/main/binary-riscv64/Packages.gz`);
  mirror.publish('stable', guestPackages, 'forky');
  await expect(buildMicroImage(options)).rejects.toThrow(/trixie.*; stable is forky/);
});

test('a file that the mirror lacks is told by its address', async () => {
  mirror.publish('trixie', guestPackages);
  mirror.files.delete(`${FAKE_MIRROR}/pool/busybox-static.deb`);
  await expect(buildMicroImage(options)).rejects.toThrow(
    `there is no ${FAKE_MIRROR}/pool/busybox-static.deb`,
  );
});

test.for(['linux-image-riscv64', 'busybox-static'])('a mirror without %s', async (name) => {
  mirror.publish(
    'trixie',
    guestPackages.filter((each) => each.name !== name),
  );
  await expect(buildMicroImage(options)).rejects.toThrow(code('package-unknown'));
});

test('a kernel without a driver', async () => {
  const packages = guestPackages.map((each) => {
    const files = Object.entries(each.files).filter(([path]) => !path.endsWith('/failover.ko'));
    return { ...each, files: Object.fromEntries(files) };
  });
  mirror.publish('trixie', packages);
  await expect(buildMicroImage(options)).rejects.toThrow(/no module failover/);
});

describe('Debian', () => {
  const base = {
    name: 'base-files',
    version: '13',
    fields: 'Essential: yes\n',
    files: { 'etc/issue': 'Debian', 'usr/bin/true': file('', 0o755) },
  };
  const systemd = {
    name: 'systemd-sysv',
    fields: 'Depends: systemd\n',
    files: { 'sbin/init': file('', 0o755) },
  };
  const others = ['systemd', 'udev', 'vim'].map((name) => ({ name, files: { [name]: name } }));
  let started: DirectoryNode[];

  const build = async (
    more: Partial<DebianSystemOptions> = {},
  ): Promise<[NewImage, DirectoryNode]> => {
    mirror.publish('trixie', [...guestPackages, base, systemd, ...others]);
    started = [];
    const image = await buildDebianImage({
      ...options,
      prepare: async (root) => {
        started.push(root);
        remove(root, '.polyvisor/first-start');
        return await Promise.resolve(root);
      },
      ...more,
    });
    const root = makeDirectory();
    unpackTar(root, image.root!, 1000);
    return [image, root];
  };

  test('the base system, what is included, and our init in a root directory', async () => {
    const [image, root] = await build({ include: ['vim'] });
    expect(image.source).toBe('Debian trixie (13.7), kernel 6.12.0-riscv64, 2 packages with vim');
    expect(image.initrd).toBeUndefined();
    expect(image.commandLine).toMatch(/ root=polyvisor rootfstype=virtiofs rw init=/);
    expect(textAt(root, 'vim')).toBe('vim');
    expect(textAt(root, 'etc/hostname')).toBe('polyvisor\n');
    expect(textAt(root, 'etc/apt/sources.list.d/debian.sources')).toContain('Suites: trixie\n');
    expect(lookUp(root, '.polyvisor/init')?.attributes.mode).toBe(0o755);
    expect(lookUp(root, '.polyvisor/own-init')).toBeUndefined();
  });

  test('it is started once, and what that leaves is the image', async () => {
    const [, root] = await build();
    expect(started).toHaveLength(1);
    expect(lookUp(root, '.polyvisor/first-start')).toBeUndefined();
    const failing = async (): Promise<never> => await Promise.reject(new Error('no start'));
    await expect(build({ prepare: failing })).rejects.toThrow('no start');
  });

  test('systemd goes on after our init, with udev, and with the agent as its service', async () => {
    const [image, root] = await build({ include: ['systemd-sysv'] });
    expect(image.source).toContain('4 packages');
    expect(textAt(root, 'udev')).toBe('udev');
    expect(textAt(root, '.polyvisor/own-init')).toBe('');
    const unit = 'etc/systemd/system/multi-user.target.wants/polyvisor-agent.service';
    expect(textAt(root, 'etc/systemd/system/polyvisor-agent.service')).toContain('ExecStart=');
    expect(lookUp(root, unit)).toMatchObject({ kind: 'symlink' });
    const patience = textAt(root, 'etc/systemd/system.conf.d/polyvisor.conf');
    expect(patience).toContain('DefaultDeviceTimeoutSec=15min');
  });

  test('a package that is not there', async () => {
    await expect(build({ include: ['emacs'] })).rejects.toThrow(code('package-unknown'));
  });
});

describe('of a root directory from elsewhere', () => {
  const config: ImageConfig = {
    architecture: 'riscv64',
    os: 'linux',
    env: ["GREETING=it's", 'not a variable', 'PATH=/opt/bin:/bin'],
    entrypoint: ['/opt/server'],
    command: [],
    workingDirectory: '/srv',
    user: '',
    diffIds: [],
  };

  test('it gets kernel, tools and modules of an image, and keeps its environment', async () => {
    mirror.publish('trixie', guestPackages);
    const linux = addImage(directory, 'linux', await buildMicroImage(options));
    const root = treeOf({ 'bin/sh': 'a shell' });
    const image = imageFromRoot(root, config, linux, 'a container');
    expect(image.source).toBe('a container, kernel of linux');
    expect(bytesToUtf8(image.kernel)).toBe('kernel');
    expect(textAt(root, 'bin/sh')).toBe('a shell');
    expect(textAt(root, '.polyvisor/modules/1/2-virtio_net.ko')).toContain('virtio_net');
    const text = textAt(root, '.polyvisor/environment');
    expect(text).toContain(String.raw`export GREETING='it'\''s'`);
    expect(text.indexOf("PATH='/opt")).toBeGreaterThan(text.indexOf("PATH='/usr"));
    expect(text).not.toContain('not a variable');
    expect(text).toContain("cd '/srv'");
  });

  test('an image without tools has none for another', () => {
    const bare = { kernel: utf8ToBytes('kernel'), commandLine: '', hasAgent: false, source: '' };
    const image = addImage(directory, 'bare', bare);
    const attempt = () => imageFromRoot(makeDirectory(), undefined, image, '');
    expect(attempt).toThrow(code('image-not-supported'));
  });
});

test('a kernel that is none cannot make a first start', async () => {
  await expect(prepareRoot(makeDirectory(), utf8ToBytes('kernel'))).rejects.toThrow(
    expect.any(HostError),
  );
});
