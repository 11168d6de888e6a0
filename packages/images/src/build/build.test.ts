import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bytesToUtf8 } from '@polyvisor/bytes/bytes';
import { readCpio } from '../archive/cpio.ts';
import { lookUp } from '../file-tree.ts';
import type { DirectoryNode } from '../file-tree.ts';
import { FAKE_MIRROR, FakeMirror, fakeModule, guestPackages } from '../testing/fake-mirror.ts';
import type { BuildOptions } from './debian-mirror.ts';
import { buildMicroImage } from './micro-image.ts';

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

test('modules are there by device, each after what it needs, without those built in', async () => {
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
