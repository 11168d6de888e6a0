import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plainBoot, plainInitrd, fillStore } from '../conformance/debian-boot.ts';
import { readDeb } from '@polyvisor/images/debian/deb';
import { unpackTar } from '@polyvisor/images/archive/unpack';
import { openDebian } from '@polyvisor/images/debian/debian-image';
import type { Repository } from '@polyvisor/images/debian/repository';
import { lookUp, makeDirectory } from '@polyvisor/images/file-tree';
import { IMAGE_LIMITS } from '@polyvisor/images/limits';
import { type Bench, compare } from './harness.ts';
import { timeMarks } from './marked-guest.ts';
import { peerPackage, peerVersion } from './peers.ts';
import { cli } from './spawned.ts';

const CACHE = join(import.meta.dirname, '..', '.cache', 'computer');
const READY = 'SHELL-READY';
const ARGUMENTS = 'console=ttyS0 quiet';
/** The last release of Debian with kernels for the processor that v86 is. */
const PEER_SUITE = 'bookworm';

/** Debian's kernel, and busybox with the same script in a RAM disk: from the start of the process to the shell. */
export const bench: Bench = {
  summary: `boot of Debian's kernel to a shell, against ${peerVersion('v86')} with Debian 12 for i386`,
  async run({ rounds }) {
    await fillStore(CACHE);
    const folder = mkdtempSync(join(tmpdir(), 'polyvisor-bench-'));
    try {
      const { kernel, initrd } = plainBoot(CACHE);
      const own = { kernel: join(folder, 'kernel'), initrd: join(folder, 'initrd') };
      writeFileSync(own.kernel, kernel);
      writeFileSync(own.initrd, initrd);
      await fetchPeer(folder);
      const flags = ['--kernel', own.kernel, '--initrd', own.initrd, '--append', ARGUMENTS];
      const oursWith = [cli, 'linux', '-i', ...flags, '--no-console'];
      const peerWith = [
        join(import.meta.dirname, 'v86-guest.ts'),
        peerPackage('v86'),
        folder,
        ARGUMENTS,
      ];
      const ours: number[] = [];
      const peer: number[] = [];
      for (let round = 0; round < rounds; round++) {
        ours.push((await timeMarks(process.execPath, oursWith, { last: READY }))(READY));
        peer.push((await timeMarks(process.execPath, peerWith, { last: READY }))(READY));
      }
      return { boot: compare(ours, peer, 'ms') };
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** Puts what v86 boots into the folder: a kernel, a RAM disk, and SeaBIOS. */
async function fetchPeer(folder: string): Promise<void> {
  const repository = await openDebian({
    suite: PEER_SUITE,
    architecture: 'i386',
    include: [],
    cacheDirectory: join(CACHE, 'cache'),
  });
  const [[kernelPackage] = []] = find(repository, 'linux-image-686').depends;
  const version = kernelPackage!.name.replace('linux-image-', '');
  const kernel = await fileOf(repository, kernelPackage!.name, `boot/vmlinuz-${version}`);
  const busybox = await fileOf(repository, 'busybox-static', 'bin/busybox');
  writeFileSync(join(folder, 'peer-kernel'), kernel);
  writeFileSync(join(folder, 'peer-initrd'), plainInitrd(busybox));
  const bios = 'usr/share/seabios';
  writeFileSync(join(folder, 'bios'), await fileOf(repository, 'seabios', `${bios}/bios.bin`));
  const vga = await fileOf(repository, 'seabios', `${bios}/vgabios-stdvga.bin`);
  writeFileSync(join(folder, 'vga-bios'), vga);
}

function find(repository: Repository, name: string) {
  const info = repository.packages.findLast((each) => each.name === name);
  if (!info) throw new Error(`the mirror has no package ${name}`);
  return info;
}

async function fileOf(repository: Repository, name: string, path: string): Promise<Uint8Array> {
  const { data } = readDeb(await repository.download(find(repository, name)), IMAGE_LIMITS);
  const root = makeDirectory();
  unpackTar(root, data, IMAGE_LIMITS.entriesMax);
  const file = lookUp(root, path);
  if (file?.kind !== 'file') throw new Error(`${name} has no ${path}`);
  return file.content;
}
