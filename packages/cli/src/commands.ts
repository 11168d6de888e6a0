import { evmRanges } from '@polyvisor/host/kinds/evm-limits';
import type { CommandGroup, CommandRow } from './command.ts';
import { evmFlags } from './evm-flags.ts';
import { linuxFlags, terminalFlags } from './linux-flags.ts';
import { oneOf, text, texts, wholeNumber } from './flags.ts';
import type { Flag } from './flags.ts';

const json: Flag = { flags: '--json', help: 'print JSON for programs' };

/** Flags of every command that brings a host up. */
const serveFlags: readonly Flag[] = [
  { flags: '--data-dir <directory>', parse: text, help: 'keep the guests there, over restarts' },
  {
    flags: '--console-port <port>',
    parse: wholeNumber(evmRanges.port),
    help: 'port of the console and the control API; 0: any free one (default: 7400)',
  },
  { flags: '--no-console', help: 'open neither console nor control API' },
  { flags: '--log <file>', parse: text, help: 'write NDJSON logs there; -: standard output' },
  json,
  { flags: '-q, --quiet', aliases: ['--silent'], help: 'print nothing but the URLs' },
  { flags: '--once', help: 'start, print, and exit' },
];

/** Flags of every command that asks a running host. */
const clientFlags: readonly Flag[] = [
  {
    flags: '-H, --host <url>',
    parse: text,
    help: 'its control API (default: POLYVISOR_HOST, or the one that runs)',
  },
  { flags: '--token <token>', parse: text, help: 'its token (default: POLYVISOR_TOKEN)' },
  json,
];

const name: Flag = { flags: '-n, --name <name>', parse: text, help: 'what to call it' };
const imageName: Flag = { flags: '-n, --name <name>', parse: text, help: 'what to call the image' };
const replace: Flag = { flags: '--replace', help: 'take the place of an image of that name' };
/** What `run` takes beside, by the kind of guest. `--host` is where the host is. */
export const runFlags: Readonly<Record<'evm' | 'linux', readonly Flag[]>> = {
  evm: evmFlags.filter(({ option }) => option !== 'host'),
  linux: [...linuxFlags, ...terminalFlags],
};

const positive = { min: 1, max: 1_000_000 };
const seconds = { min: 0, max: 2 ** 40 };

/** All commands, in the order the help shows them. */
export const commands: readonly (CommandRow | CommandGroup)[] = [
  {
    name: 'up',
    summary: 'bring up the guests of polyvisor.config.ts, or an EVM chain',
    flags: [
      { flags: '-c, --config <file>', parse: text, help: 'configuration file' },
      { flags: '--demo', help: 'deploy Uniswap v2 to the first chain' },
      ...serveFlags,
    ],
    load: () => import('./commands/up.ts'),
  },
  {
    name: 'evm',
    summary: 'bring up one EVM chain; takes anvil’s flags',
    flags: [...evmFlags, ...serveFlags],
    load: () => import('./commands/evm.ts'),
  },
  {
    name: 'linux',
    summary:
      'bring up one computer that runs Linux; at a terminal, it is the computer’s (Ctrl-] leaves)',
    flags: [name, ...linuxFlags, ...terminalFlags, ...serveFlags],
    load: () => import('./commands/linux.ts'),
  },
  {
    name: 'run',
    arguments: '<kind>',
    summary:
      'start one more guest (evm, linux) on the host that runs; linux makes one where none does',
    flags: [name, ...runFlags.evm, ...runFlags.linux, ...clientFlags],
    load: () => import('./commands/run.ts'),
  },
  {
    name: 'ps',
    aliases: ['ls'],
    summary: 'list the guests',
    flags: clientFlags,
    load: () => import('./commands/ps.ts'),
  },
  ...(['start', 'stop', 'pause', 'resume'] as const).map((verb) => lifeVerb(verb)),
  {
    name: 'rm',
    arguments: '<guests...>',
    summary: 'remove guests and all that they kept',
    flags: clientFlags,
    load: () => import('./commands/rm.ts'),
  },
  {
    name: 'fork',
    arguments: '<guest>',
    summary: 'make running copies of a guest, in no time',
    flags: [
      name,
      { flags: '-s, --snapshot <snapshot>', parse: text, help: 'fork this snapshot of it' },
      { flags: '--count <count>', parse: wholeNumber(positive), help: 'how many (default: 1)' },
      ...clientFlags,
    ],
    load: () => import('./commands/fork.ts'),
  },
  {
    name: 'snapshot',
    arguments: '<guest>',
    summary: 'keep a guest’s present state',
    flags: [name, ...clientFlags],
    load: () => import('./commands/snapshot.ts'),
  },
  {
    name: 'snapshots',
    arguments: '<guest>',
    summary: 'list a guest’s snapshots',
    flags: clientFlags,
    load: () => import('./commands/snapshots.ts'),
  },
  {
    name: 'restore',
    arguments: '<guest> <snapshot>',
    summary: 'take a guest back to a snapshot',
    flags: clientFlags,
    load: () => import('./commands/restore.ts'),
  },
  {
    name: 'exec',
    arguments: '<guest> <command> [parameters...]',
    summary: 'call a method of a guest’s RPC, or run a command of its shell',
    flags: [
      { flags: '-i, --interactive', help: 'give the command what is piped in' },
      ...clientFlags,
    ],
    takesAll: true,
    load: () => import('./commands/exec.ts'),
  },
  {
    name: 'cp',
    arguments: '<from> <to>',
    summary: 'copy a file into a guest with a shell, or out of it: box:/etc/hosts',
    flags: clientFlags,
    load: () => import('./commands/cp.ts'),
  },
  {
    name: 'attach',
    arguments: '<guest>',
    summary: 'a guest’s terminal (Ctrl-] leaves), or a prompt that calls its RPC',
    flags: clientFlags,
    load: () => import('./commands/attach.ts'),
  },
  {
    name: 'logs',
    arguments: '[guest]',
    summary: 'what the host, or a guest, has to say',
    flags: [
      { flags: '-f, --follow', help: 'go on with what is to come' },
      {
        flags: '--tail <count>',
        parse: wholeNumber({ min: 0, max: 4096 }),
        help: 'newest records to begin with (default: 100)',
      },
      ...clientFlags,
    ],
    load: () => import('./commands/logs.ts'),
  },
  {
    name: 'mine',
    arguments: '<guest>',
    summary: 'make blocks',
    flags: [
      { flags: '--count <blocks>', parse: wholeNumber(positive), help: 'how many (default: 1)' },
      { flags: '--interval <seconds>', parse: wholeNumber(seconds), help: 'between their times' },
      ...clientFlags,
    ],
    load: () => import('./commands/mine.ts'),
  },
  {
    name: 'warp',
    arguments: '<guest> <seconds>',
    summary: 'move a guest’s clock ahead',
    flags: clientFlags,
    load: () => import('./commands/warp.ts'),
  },
  {
    name: 'down',
    summary: 'stop the host and all its guests',
    flags: clientFlags,
    load: () => import('./commands/down.ts'),
  },
  {
    name: 'images',
    summary: 'what computers boot from',
    commands: [
      {
        name: 'ls',
        summary: 'list the images that are there',
        flags: [json],
        load: () => import('./commands/images-ls.ts'),
      },
      {
        name: 'pull',
        arguments: '<what>',
        summary: 'make an image (linux, debian) from packages of a mirror',
        flags: [
          imageName,
          {
            flags: '--mirror <url>',
            parse: text,
            help: 'a mirror of Debian (default: that of apt)',
          },
          {
            flags: '--keyring <file>',
            parse: text,
            help: 'the keys that sign it (default: those of apt)',
          },
          { flags: '--suite <suite>', parse: text, help: 'the release (default: trixie)' },
          {
            flags: '--include <packages>',
            parse: texts,
            help: 'debian: packages beside the base system, separated by commas',
          },
          replace,
          json,
        ],
        load: () => import('./commands/images-pull.ts'),
      },
      {
        name: 'import',
        arguments: '<file>',
        summary: 'make an image of a root directory: a tar archive, or a container image (OCI)',
        flags: [
          imageName,
          {
            flags: '--kernel-from <image>',
            parse: text,
            help: 'the image whose kernel and tools it gets (default: linux)',
          },
          {
            flags: '--format <format>',
            parse: oneOf(['raw', 'qcow2', 'tar', 'oci']),
            help: 'what the file is (default: what it looks like)',
          },
          {
            flags: '--reference <name:tag>',
            parse: text,
            help: 'which one of an archive with several container images',
          },
          replace,
          json,
        ],
        load: () => import('./commands/images-import.ts'),
      },
      {
        name: 'rm',
        arguments: '<names...>',
        summary: 'remove images',
        flags: [json],
        load: () => import('./commands/images-rm.ts'),
      },
    ],
  },
  {
    name: 'doctor',
    summary: 'see whether this computer has what the guests need',
    flags: [json],
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'init',
    summary: 'write a polyvisor.config.ts to begin with',
    flags: [json],
    load: () => import('./commands/init.ts'),
  },
];

function lifeVerb(verb: 'start' | 'stop' | 'pause' | 'resume'): CommandRow {
  return {
    name: verb,
    arguments: '<guests...>',
    summary: `${verb} guests`,
    flags: clientFlags,
    load: async () => (await import('./commands/life.ts')).lifeCommand(verb),
  };
}
