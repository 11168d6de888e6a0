import { DEFAULT_IMAGE } from '@polyvisor/host/kinds/linux/linux-limits';
import type { GuestSpec } from '@polyvisor/host/guest-spec';
import { HostError } from '@polyvisor/errors/host-error';
import type {
  DiskOptions,
  LinuxOptions,
  ShareOptions,
} from '@polyvisor/host/kinds/linux/linux-types';
import { attributeOf, text, texts } from './flags.ts';
import type { Flag } from './flags.ts';

/** Flags of a computer. */
export const linuxFlags: readonly Flag[] = [
  { flags: '--image <name>', parse: text, help: `image to boot (default: ${DEFAULT_IMAGE})` },
  { flags: '--kernel <file>', parse: text, help: 'Linux Image for RISC-V to boot instead' },
  { flags: '--initrd <file>', parse: text, help: 'initial RAM disk' },
  { flags: '--append <text>', parse: text, help: 'kernel command line (default: the image’s)' },
  { flags: '--ram <size>', parse: text, help: 'memory of the computer (default: 512MiB)' },
  {
    flags: '--disk <disks>',
    parse: texts,
    help: 'files (raw, qcow2; with :ro read-only) or sizes of blank disks, by commas: debian.qcow2,8GiB',
  },
  {
    flags: '--share <folders>',
    parse: texts,
    help: 'folders that it mounts by tag (default: share0, share1), by commas: src,out:results,docs:ro',
  },
  {
    flags: '--forward <ports>',
    parse: texts,
    help: 'ports of this computer that lead to the guest’s, by commas: 8080:80,2222:22',
  },
  {
    flags: '--allow <rules>',
    parse: texts,
    help: 'what it may reach, by commas: internet, host, 10.0.0.0/8, *.debian.org:443 (default: nothing)',
  },
];

/** Flags of whoever sits at the computer's terminal. */
export const terminalFlags: readonly Flag[] = [
  { flags: '-i, --interactive', help: 'attach this terminal to the guest’s' },
  { flags: '-t, --tty', help: 'the same; -it for those used to it' },
];

/** What a command line says of a computer. @param parsed by the flags' attribute names */
export function linuxSpecOf(
  name: string | undefined,
  parsed: Readonly<Record<string, unknown>>,
): GuestSpec<'linux'> {
  const allow = parsed['allow'] as readonly string[] | undefined;
  return {
    kind: 'linux',
    ...(name === undefined ? {} : { name }),
    ...(allow === undefined ? {} : { network: { allow } }),
    options: linuxOptionsOf(parsed),
  };
}

function linuxOptionsOf(parsed: Readonly<Record<string, unknown>>): LinuxOptions {
  const { image, kernel, initrd, append, ram, disk, share, forward } = parsed;
  const given: { [K in keyof LinuxOptions]: unknown } = {
    image,
    kernel,
    initrd,
    commandLine: append,
    ram,
    disks: (disk as readonly string[] | undefined)?.map(diskOf),
    shares: (share as readonly string[] | undefined)?.map(shareOf),
    forwards: forward,
  };
  // Each flag's parser gives what its option's type says.
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as LinuxOptions;
}

/** A size, as `8GiB`, or a file; `:ro` behind it says that it is not written to. */
function diskOf(word: string): DiskOptions {
  const [, what = '', mode] = /^(.*?)(:ro)?$/.exec(word) ?? [];
  const disk = /^\d+(\.\d+)?[KMGT]i?B$/.test(what) ? { size: what } : { file: what };
  return mode === undefined ? disk : { ...disk, readOnly: true };
}

/** `DIR[:TAG][:ro]`. A folder with a colon in its name is for configuration files. */
function shareOf(word: string): ShareOptions {
  const [, path = '', tag, mode] = /^([^:]*)(?::(?!ro$)([^:]*))?(:ro)?$/.exec(word) ?? [];
  if (path === '') {
    throw new HostError('bad-option', `--share: '${word}' is no folder`, 'write it as DIR:TAG:ro');
  }
  return {
    path,
    ...(tag === undefined ? {} : { tag }),
    ...(mode === undefined ? {} : { readOnly: true }),
  };
}

/** Which of the flags a command line gave. */
export function givenFlags(
  flags: readonly Flag[],
  parsed: Readonly<Record<string, unknown>>,
): string[] {
  return flags
    .filter((flag) => {
      const value = parsed[attributeOf(flag.flags)];
      // A switch that is on unless it is given (`--no-mining`) is true then.
      return value !== undefined && !(flag.flags.startsWith('--no-') && value === true);
    })
    .map((flag) => flag.flags.replace(/ <.*/, ''));
}
