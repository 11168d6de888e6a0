import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { utf8ToBytes } from '@polyvisor/bytes/bytes';
import { HostError } from '@polyvisor/errors/host-error';
import { readCpio, writeCpio } from '@polyvisor/images/archive/cpio';
import { buildMicroImage } from '@polyvisor/images/build/micro-image';
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
import { VectorsMissing } from './vectors.ts';

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

/** Says when it is there, and gives a prompt of `# `. */
const INIT = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin PS1='# '
echo SHELL-READY
exec sh -i
`;

/**
 * Fills a store, once, with the micro image: Debian's own kernel and busybox for RISC-V, from the
 * mirror that this machine's apt uses, or that of POLYVISOR_MIRROR.
 * @param hasExt4 makes it anew where it is one of before it had that file system
 * @throws VectorsMissing where there is no mirror that is whole, or no program to check it with
 */
export async function fillStore(home: string, { hasExt4 = false } = {}): Promise<void> {
  if (hasMicroImage(home) && (!hasExt4 || canMountExt4(findImage(home, MICRO_IMAGE)))) return;
  const mirror = process.env['POLYVISOR_MIRROR'];
  try {
    const image = await buildMicroImage({
      cacheDirectory: join(home, 'cache'),
      ...(mirror === undefined ? {} : { mirror }),
    });
    addImage(home, MICRO_IMAGE, image, { isReplacing: true });
  } catch (error) {
    if (error instanceof HostError) throw new VectorsMissing(error.message);
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

function plainInitrd(busybox: Uint8Array): Uint8Array {
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
