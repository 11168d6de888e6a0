import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchPackage } from '@polyvisor/images/build/debian-mirror';
import { openDebian } from '@polyvisor/images/debian/debian-image';
import { lookUp } from '@polyvisor/images/file-tree';
import {
  PLAIN_ARGUMENTS,
  READY,
  buildOptions,
  fillStore,
  plainBoot,
  plainInitrd,
} from '../conformance/debian-boot.ts';
import { type Bench, compare } from './harness.ts';
import { type Command, oursWith } from './machines.ts';
import { timeMarks } from './marked-guest.ts';
import { peerPackage, peerVersion } from './peers.ts';

const CACHE = join(import.meta.dirname, '..', '.cache', 'computer');
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
      const guest = join(import.meta.dirname, 'v86-guest.ts');
      const peerWith: Command = [
        process.execPath,
        [guest, peerPackage('v86'), folder, PLAIN_ARGUMENTS],
      ];
      const ours: number[] = [];
      const peer: number[] = [];
      for (let round = 0; round < rounds; round++) {
        ours.push((await timeMarks(oursWith(own), { last: READY }))(READY));
        peer.push((await timeMarks(peerWith, { last: READY }))(READY));
      }
      return { boot: compare(ours, peer, 'ms') };
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** Puts what v86 boots into the folder: a kernel, a RAM disk, and SeaBIOS. */
async function fetchPeer(folder: string): Promise<void> {
  const options = { ...buildOptions(CACHE), suite: PEER_SUITE, architecture: 'i386', include: [] };
  const repository = await openDebian(options);
  const unpack = async (name: string): Promise<(path: string) => Uint8Array> => {
    const { root } = await fetchPackage(repository, name, options);
    return (path) => {
      const file = lookUp(root, path);
      if (file?.kind !== 'file') throw new Error(`${name} has no ${path}`);
      return file.content;
    };
  };
  const latest = repository.packages.findLast(({ name }) => name === 'linux-image-686');
  const kernel = latest!.depends[0]![0]!.name;
  const bios = await unpack('seabios');
  const files = {
    'peer-kernel': (await unpack(kernel))(`boot/vmlinuz-${kernel.replace('linux-image-', '')}`),
    'peer-initrd': plainInitrd((await unpack('busybox-static'))('bin/busybox')),
    bios: bios('usr/share/seabios/bios.bin'),
    'vga-bios': bios('usr/share/seabios/vgabios-stdvga.bin'),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
}
