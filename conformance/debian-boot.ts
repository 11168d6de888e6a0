import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { utf8ToBytes } from '@polyvisor/bytes/bytes';
import { HostError } from '@polyvisor/errors/host-error';
import { readCpio, writeCpio } from '@polyvisor/images/archive/cpio';
import type { BuildOptions } from '@polyvisor/images/build/debian-mirror';
import { buildMicroImage } from '@polyvisor/images/build/micro-image';
import type { Repository } from '@polyvisor/images/debian/repository';
import { httpDoor } from '@polyvisor/images/fetch-door';
import { readGuestParts } from '@polyvisor/images/build/root-image';
import { type FileNode, insert, lookUp, makeDirectory } from '@polyvisor/images/file-tree';
import { GUEST_BUSYBOX } from '@polyvisor/images/guest/guest-files';
import {
  type StoredImage,
  addImage,
  findImage,
  listImages,
  readImageFile,
} from '@polyvisor/images/image-store';
import { IMAGE_LIMITS } from '@polyvisor/images/limits';
import { keepingReleases, keptRelease } from './kept-releases.ts';
import { VectorsMissing } from './vectors.ts';

/** What the kernel of `plainBoot` is told. */
export const PLAIN_ARGUMENTS = 'console=ttyS0 quiet';
/** What it says when its shell begins, and the shell's prompt. */
export const READY = 'SHELL-READY';
export const PROMPT = '# ';
/** What a folder of somebody's own has. */
const KERNEL_FILE = 'Image';
const INITRD_FILE = 'initrd.gz';
/** The image in a folder that is a store of ours. */
export const MICRO_IMAGE = 'linux';

/** What a kernel begins with. */
export interface PlainBoot {
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array;
}

const INIT = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin PS1='${PROMPT}'
echo ${READY}
exec sh -i
`;

/** What is missing is not ours: there is no mirror that is whole, or no program to check it with. */
const MISSING = ['fetch-failed', 'image-option', 'release-gpgv', 'image-xz'];

/**
 * Fills a store, once, with the micro image: Debian's own kernel and busybox for RISC-V, from the
 * mirror that this machine's apt uses, or that of POLYVISOR_MIRROR.
 * @param hasExt4 makes it anew where it is one of before it had that file system
 * @throws VectorsMissing where there is no mirror that is whole, or no program to check it with
 */
export async function fillStore(home: string, { hasExt4 = false } = {}): Promise<void> {
  if (hasMicroImage(home) && (!hasExt4 || canMountExt4(findImage(home, MICRO_IMAGE)))) return;
  const image = await orMissing(buildMicroImage(buildOptions(home)));
  addImage(home, MICRO_IMAGE, image, { isReplacing: true });
}

/** Where images and packages of a store come from. What is downloaded is kept in it. */
export function buildOptions(home: string): BuildOptions {
  const mirror = process.env['POLYVISOR_MIRROR'];
  const cacheDirectory = join(home, 'cache');
  return {
    cacheDirectory,
    door: keepingReleases(httpDoor, releasesIn(home)),
    ...(mirror === undefined ? {} : { mirror }),
  };
}

/** The release of a repository that was opened with `buildOptions`, as it was signed. */
export function releaseOf(home: string, { mirror, suite }: Repository): Uint8Array {
  const release = keptRelease(releasesIn(home), `${mirror}/dists/${suite}/InRelease`);
  if (!release) throw new Error(`the release of ${suite} is gone from ${home}`);
  return release;
}

function releasesIn(home: string): string {
  return join(home, 'cache', 'releases');
}

/** @throws VectorsMissing in place of an error that only says that there is no mirror */
export async function orMissing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof HostError && MISSING.includes(error.code)) {
      throw new VectorsMissing(error.message);
    }
    throw error;
  }
}

/** Whether a folder is a store with the image, undamaged. */
export function hasMicroImage(home: string): boolean {
  return listImages(home).some((image) => image.name === MICRO_IMAGE && !('damage' in image));
}

/** Whether an image is new enough to have the module. */
function canMountExt4(image: StoredImage): boolean {
  return readGuestParts(image).modules.has('fs-ext4');
}

/** A kernel and an initial RAM disk with a shell: a folder's own, or those of the micro image. */
export function plainBoot(folder: string): PlainBoot {
  if (existsSync(join(folder, KERNEL_FILE))) {
    return {
      kernel: readFileSync(join(folder, KERNEL_FILE)),
      initrd: readFileSync(join(folder, INITRD_FILE)),
    };
  }
  const image = findImage(folder, MICRO_IMAGE);
  const initrd = readCpio(readImageFile(image, 'initrd'), IMAGE_LIMITS.entriesMax);
  const busybox = lookUp(initrd, GUEST_BUSYBOX);
  if (busybox?.kind !== 'file') throw new VectorsMissing(`the image in ${folder} has no busybox`);
  return { kernel: readImageFile(image, 'kernel'), initrd: plainInitrd(busybox.content) };
}

/** A RAM disk with a static busybox, whose `init` says SHELL-READY. */
export function plainInitrd(busybox: Uint8Array): Uint8Array {
  const root = makeDirectory();
  const attributes = { mode: 0o755, uid: 0, gid: 0, modifiedSeconds: 0 };
  const nodes: Readonly<Record<string, FileNode>> = {
    'dev/console': { kind: 'character', attributes, major: 5, minor: 1 },
    'bin/busybox': { kind: 'file', attributes, content: busybox },
    init: { kind: 'file', attributes, content: utf8ToBytes(INIT) },
  };
  for (const [path, node] of Object.entries(nodes)) insert(root, path, node);
  return writeCpio(root);
}
