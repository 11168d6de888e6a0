import { resolve } from 'node:path';
import { TAG_BYTES_MAX } from '@polyvisor/board/virtio/fs';
import { HostError } from '@polyvisor/errors/host-error';
import { parseIpv4 } from '@polyvisor/net/address';
import { inRange, wholeInRange } from '../../guest-spec.ts';
import { parseSize } from '../../sizes.ts';
import type { Size } from '../../sizes.ts';
import { EXCHANGE_TAG } from './file-exchange.ts';
import { ROOT_TAG } from './linux-devices.ts';
import {
  COMMAND_LINE_MAX,
  DEFAULT_IMAGE,
  DISKS_MAX,
  FORWARDS_MAX,
  SHARES_MAX,
  linuxRanges,
} from './linux-limits.ts';
import type {
  DiskOptions,
  Forward,
  LinuxOptions,
  ResolvedDisk,
  ResolvedLinuxOptions,
  ResolvedShare,
  ShareOptions,
} from './linux-types.ts';

const RAM_DEFAULT = '512MiB';
const RAM_UNIT_BYTES = 65_536;
const DISK_UNIT_BYTES = 4096;
const COMMAND_LINE = 'console=ttyS0';
const OPTIONS: Readonly<Record<keyof LinuxOptions, true>> = {
  kernel: true,
  initrd: true,
  image: true,
  commandLine: true,
  ram: true,
  disks: true,
  forwards: true,
  shares: true,
};

/** What an image in the store says that it boots with. */
export type ImageFinder = (name: string) => {
  readonly kernel: string;
  readonly initrd?: string | undefined;
  readonly root?: string | undefined;
  readonly commandLine: string;
};

/**
 * Options with every default filled in and every range checked.
 * @param where how the user knows the guest (`guests.box`)
 * @throws HostError `bad-option` naming what and where, `bad-size`, and what `findImage` throws
 */
export function resolveLinuxOptions(
  options: LinuxOptions,
  where: string,
  findImage: ImageFinder,
): ResolvedLinuxOptions {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(OPTIONS, name)) continue;
    const known = Object.keys(OPTIONS).join(', ');
    throw bad(`${where}.${name}`, 'there is no such option', `options are ${known}`);
  }
  const hasKernel = options.kernel !== undefined;
  const imageName = options.image ?? (hasKernel ? undefined : DEFAULT_IMAGE);
  const image = imageName === undefined ? undefined : findImage(imageName);
  const kernel = hasKernel ? resolve(options.kernel) : image!.kernel;
  const commandLine = options.commandLine ?? image?.commandLine ?? COMMAND_LINE;
  if (commandLine.length > COMMAND_LINE_MAX || !/^[\x20-\x7e]*$/.test(commandLine)) {
    const hint = `give at most ${COMMAND_LINE_MAX} characters of ASCII`;
    throw bad(`${where}.commandLine`, 'it can’t be told to a kernel', hint);
  }
  const { disks = [], forwards = [], shares = [] } = options;
  checkCount(disks.length, DISKS_MAX, `${where}.disks`);
  checkCount(forwards.length, FORWARDS_MAX, `${where}.forwards`);
  return {
    kernel,
    initrd: options.initrd === undefined ? image?.initrd : resolve(options.initrd),
    image: imageName,
    root: image?.root,
    commandLine,
    ramBytes: ramBytesOf(options.ram ?? RAM_DEFAULT, `${where}.ram`),
    disks: disks.map((disk, index) => resolveDisk(disk, `${where}.disks[${index}]`)),
    forwards: forwards.map((text) => parseForward(text, `${where}.forwards`)),
    shares: resolveShares(shares, `${where}.shares`),
  };
}

/** `[address:]hostPort:guestPort[/tcp]`. @throws HostError `bad-option` */
export function parseForward(text: string, where: string): Forward {
  const match = /^(?:([\d.]+):)?(\d{1,5}):(\d{1,5})(?:\/tcp)?$/.exec(text);
  const bind = match?.[1] ?? '127.0.0.1';
  if (!match || parseIpv4(bind) === undefined) {
    throw bad(where, `'${text}' is no port forward`, 'write it as 8080:80 or 127.0.0.1:8080:80');
  }
  return {
    bind,
    hostPort: wholeInRange(Number(match[2]), linuxRanges.hostPort, where),
    guestPort: wholeInRange(Number(match[3]), linuxRanges.guestPort, where),
  };
}

/** Each tag is that of one tree of files. */
function resolveShares(shares: readonly ShareOptions[], where: string): readonly ResolvedShare[] {
  checkCount(shares.length, SHARES_MAX, where);
  const tags = new Set([ROOT_TAG, EXCHANGE_TAG]);
  return shares.map(({ path, tag: given, readOnly = false }, index) => {
    const tag = given ?? `share${index}`;
    const bytes = Buffer.byteLength(tag);
    if (bytes === 0 || bytes > TAG_BYTES_MAX || tag.includes('\0')) {
      throw bad(`${where}[${index}].tag`, `'${tag}' is none`, `give 1 to ${TAG_BYTES_MAX} bytes`);
    }
    if (tags.has(tag)) {
      throw bad(`${where}[${index}].tag`, `'${tag}' is in use`, 'give each folder one of its own');
    }
    tags.add(tag);
    return { path: resolve(path), tag, readOnly };
  });
}

function ramBytesOf(size: Size, where: string): number {
  const bytes = inRange(parseSize(size, where), linuxRanges.ramBytes, where);
  return Math.ceil(bytes / RAM_UNIT_BYTES) * RAM_UNIT_BYTES;
}

function resolveDisk(
  { file, format, size, readOnly = false }: DiskOptions,
  where: string,
): ResolvedDisk {
  if (file === undefined && size === undefined) {
    throw bad(where, 'it has neither a file nor a size', 'give the one for an image, or the other');
  }
  if (file === undefined && format !== undefined) {
    throw bad(where, `there is no file in format ${format}`, 'name it as the disk’s file');
  }
  return {
    file: file === undefined ? undefined : resolve(file),
    format: format ?? (file?.endsWith('.qcow2') === true ? 'qcow2' : 'raw'),
    bytes: size === undefined ? undefined : diskBytesOf(size, `${where}.size`),
    readOnly,
  };
}

function diskBytesOf(size: Size, where: string): number {
  const bytes = inRange(parseSize(size, where), linuxRanges.diskBytes, where);
  return Math.ceil(bytes / DISK_UNIT_BYTES) * DISK_UNIT_BYTES;
}

function checkCount(count: number, max: number, where: string): void {
  if (count > max) throw bad(where, `there are ${count} of them`, `give at most ${max}`);
}

function bad(where: string, what: string, hint: string): HostError {
  return new HostError('bad-option', `${where}: ${what}`, hint);
}
