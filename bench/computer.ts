import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8ToBytes } from '@polyvisor/bytes/bytes';
import { readCpio, writeCpio } from '@polyvisor/images/archive/cpio';
import { type FileNode, insert, lookUp, makeDirectory } from '@polyvisor/images/file-tree';
import { GUEST_BUSYBOX } from '@polyvisor/images/guest/guest-files';
import { findImage, readImageFile } from '@polyvisor/images/image-store';
import { IMAGE_LIMITS } from '@polyvisor/images/limits';
import { MICRO_IMAGE, fillStore } from '../conformance/debian-boot.ts';
import { type Bench, type Figure, alone, compare, geometricMean } from './harness.ts';
import {
  type BootFiles,
  COMPILER,
  type Command,
  EMULATOR,
  checkInstalled,
  compileForGuest,
  emulatorWith,
  oursWith,
} from './machines.ts';
import { timeMarks } from './marked-guest.ts';

const CACHE = join(import.meta.dirname, '..', '.cache', 'computer');
const SOURCES = join(import.meta.dirname, 'computer');
const KERNELS = ['loop', 'sieve', 'sha256', 'vm', 'qsort'];
const READY = 'SHELL-READY';

/** Debian's kernel with the same RAM disk on both: from the start of the process to the shell, then programs. */
export const bench: Bench = {
  summary: `boot of Debian's kernel to a shell, and ${KERNELS.join(', ')} in the guest, against ${EMULATOR}`,
  async run({ rounds }) {
    checkInstalled(COMPILER, EMULATOR);
    await fillStore(CACHE);
    const folder = mkdtempSync(join(tmpdir(), 'polyvisor-bench-'));
    try {
      const files = makeFiles(folder);
      const ours: Times[] = [];
      const peers: Times[] = [];
      for (let round = 0; round < rounds; round++) {
        ours.push(await measure(oursWith(files)));
        peers.push(await measure(emulatorWith(files)));
      }
      return figuresOf(ours, peers);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** Milliseconds, by what took them. */
type Times = ReadonlyMap<string, number>;

function makeFiles(folder: string): BootFiles {
  const image = findImage(CACHE, MICRO_IMAGE);
  const busybox = lookUp(
    readCpio(readImageFile(image, 'initrd'), IMAGE_LIMITS.entriesMax),
    GUEST_BUSYBOX,
  );
  if (busybox?.kind !== 'file') throw new Error('the image has no busybox');
  const root = makeDirectory();
  const put = (path: string, content: Uint8Array): void => {
    const attributes = { mode: 0o755, uid: 0, gid: 0, modifiedSeconds: 0 };
    insert(root, path, { kind: 'file', attributes, content } satisfies FileNode);
  };
  insert(root, 'dev', makeDirectory());
  put('bin/busybox', busybox.content);
  put('init', utf8ToBytes(initScript()));
  for (const name of KERNELS) {
    put(`bench/${name}`, compileForGuest(join(SOURCES, `${name}.c`), join(folder, name)));
  }
  const initrd = join(folder, 'initrd');
  writeFileSync(initrd, writeCpio(root));
  return { kernel: image.kernel, initrd };
}

/** Marks the console before and after each program, and turns the computer off. */
function initScript(): string {
  const lines = KERNELS.map((name) => `echo BEGIN-${name}; /bench/${name}; echo END-${name}`);
  const mount = '/bin/busybox mount -t devtmpfs dev /dev';
  return [
    '#!/bin/busybox sh',
    mount,
    `echo ${READY}`,
    ...lines,
    '/bin/busybox poweroff -f',
    '',
  ].join('\n');
}

async function measure(command: Command): Promise<Times> {
  const at = await timeMarks(command);
  const times = new Map([['boot', at(READY)]]);
  for (const name of KERNELS) times.set(name, at(`END-${name}`) - at(`BEGIN-${name}`));
  return times;
}

function figuresOf(ours: readonly Times[], peers: readonly Times[]): Record<string, Figure> {
  const of = (times: readonly Times[], name: string): number[] =>
    times.map((round) => round.get(name)!);
  const figures = Object.fromEntries(
    ['boot', ...KERNELS].map((name) => [name, compare(of(ours, name), of(peers, name), 'ms')]),
  );
  const means = ours.map((_, round) =>
    geometricMean(KERNELS.map((name) => peers[round]!.get(name)! / ours[round]!.get(name)!)),
  );
  return { ...figures, 'geometric mean of the programs': alone(means, 'x') };
}
