import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { utf8ToBytes } from '@polyvisor/bytes/bytes';
import { readCpio, writeCpio } from '@polyvisor/images/archive/cpio';
import { insert } from '@polyvisor/images/file-tree';
import { findImage, readImageFile } from '@polyvisor/images/image-store';
import { IMAGE_LIMITS } from '@polyvisor/images/limits';
import { MICRO_IMAGE } from '../conformance/debian-boot.ts';
import type { BootFiles } from './machines.ts';

/**
 * The micro image of a store with another beginning.
 * @param folder where its initial RAM disk is written
 * @param init a script of its own busybox
 * @param programs by their paths, beside it
 */
export function makeMicroGuest(
  store: string,
  folder: string,
  init: string,
  programs: Readonly<Record<string, Uint8Array>> = {},
): BootFiles {
  const image = findImage(store, MICRO_IMAGE);
  const root = readCpio(readImageFile(image, 'initrd'), IMAGE_LIMITS.entriesMax);
  const attributes = { mode: 0o755, uid: 0, gid: 0, modifiedSeconds: 0 };
  for (const [path, content] of Object.entries({ ...programs, init: utf8ToBytes(init) })) {
    insert(root, path, { kind: 'file', attributes, content });
  }
  const initrd = join(folder, 'initrd');
  writeFileSync(initrd, writeCpio(root));
  return { kernel: image.kernel, initrd };
}
