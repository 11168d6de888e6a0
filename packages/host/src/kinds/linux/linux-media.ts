import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { MemoryTree } from '@polyvisor/board/fuse/memory-tree';
import type { Boot } from '@polyvisor/board/boot';
import { openImage } from '@polyvisor/disk/image';
import { nodeImageDoors } from '@polyvisor/disk/node-images';
import { HostError } from '@polyvisor/errors/host-error';
import { decompress } from '@polyvisor/images/archive/compression';
import { unpackTar } from '@polyvisor/images/archive/unpack';
import { makeDirectory } from '@polyvisor/images/file-tree';
import { IMAGE_LIMITS } from '@polyvisor/images/limits';
import { fillTree } from '@polyvisor/images/serve-tree';
import { EXCHANGE_BYTES_MAX } from './file-exchange.ts';
import type { Media } from './linux-devices.ts';
import type { DiskPlan } from './guest-disks.ts';
import type { ResolvedDisk, ResolvedLinuxOptions } from './linux-types.ts';
import { SharedFiles } from './shared-files.ts';

const SECTOR_BYTES = 512;
const ELF_MAGIC = 0x7f45_4c46;

/** What the computer boots, read anew: its files may be others at the next boot. @throws HostError `boot-file` */
export function readBoot({ kernel, initrd, commandLine }: ResolvedLinuxOptions): Boot {
  const file = read(kernel);
  const isElf = file.length >= 4 && file.readUInt32BE(0) === ELF_MAGIC;
  if (isElf) return { kind: 'program', file, mode: 'supervisor' };
  return {
    kind: 'linux',
    kernel: file,
    arguments: commandLine,
    ...(initrd === undefined ? {} : { initrd: read(initrd) }),
  };
}

/**
 * What a guest that begins has of the host's files.
 * @param bytesMax of what it writes to its root
 * @throws HostError `boot-file`, `bad-option`, and what reading images throws
 */
export function openMedia(
  { disks, root }: ResolvedLinuxOptions,
  bytesMax: number,
  nowMs: () => number,
): { readonly media: Media; readonly plans: readonly DiskPlan[]; readonly files: SharedFiles } {
  const opened = new DisposableStack();
  const files = new SharedFiles(() => opened.dispose());
  try {
    const plans = disks.map((disk) => planDisk(disk, opened));
    const tree = root === undefined ? undefined : readRoot(root, bytesMax, nowMs);
    const exchange = new MemoryTree({ now: nanoseconds(nowMs), bytesMax: EXCHANGE_BYTES_MAX });
    return { media: { root: tree, exchange }, plans, files };
  } catch (error) {
    opened.dispose();
    throw error;
  }
}

function planDisk(
  { file, format, bytes, readOnly }: ResolvedDisk,
  opened: DisposableStack,
): DiskPlan {
  if (file === undefined) return { base: undefined, bytes: bytes!, isReadOnly: readOnly };
  const doors = opened.use(nodeImageDoors(dirname(file)));
  const seen = createHash('sha256');
  const device = openImage(file, format, {
    ...doors,
    open(name) {
      const { size, mtimeNs } = statSync(name, { bigint: true });
      seen.update(`${size} ${mtimeNs}\n`);
      return doors.open(name);
    },
  });
  if (device.bytes % SECTOR_BYTES !== 0) {
    const message = `disk ${file} has ${device.bytes} bytes, which are not whole sectors`;
    throw new HostError('bad-option', message, `fill it up to a multiple of ${SECTOR_BYTES}`);
  }
  if (bytes !== undefined && bytes < device.bytes) {
    const message = `disk ${file} has ${device.bytes} bytes, which are more than the ${bytes} asked for`;
    throw new HostError('bad-option', message, 'give it a larger size, or none');
  }
  // An overlay is worth nothing over another image: it is known by the sizes and times of all its files.
  const name = `${format} ${seen.digest('hex')}`;
  return { base: { name, device }, bytes: bytes ?? device.bytes, isReadOnly: readOnly };
}

function readRoot(path: string, bytesMax: number, nowMs: () => number): MemoryTree {
  const directory = makeDirectory();
  unpackTar(
    directory,
    decompress(read(path), IMAGE_LIMITS.unpackedBytesMax),
    IMAGE_LIMITS.entriesMax,
  );
  const tree = new MemoryTree({ now: nanoseconds(nowMs), bytesMax });
  fillTree(tree, directory);
  return tree;
}

function nanoseconds(nowMs: () => number): () => bigint {
  return () => BigInt(Math.floor(nowMs())) * 1_000_000n;
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new HostError('boot-file', `can't read ${path}: ${(error as Error).message}`);
  }
}
