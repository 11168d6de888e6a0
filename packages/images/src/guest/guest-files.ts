import { utf8ToBytes } from '@polyvisor/bytes/bytes';
import { type Attributes, type DirectoryNode, insert, lookUp } from '../file-tree.ts';
import { agentScript } from './agent-script.ts';
import { consoleScript, initScript, modprobeScript, networkScript } from './init-script.ts';
import type { GuestModules } from './kernel-modules.ts';

/** Where a guest has what is ours. */
export const GUEST_DIRECTORY = '.polyvisor';
/** Path of the tools that our scripts are run by, and take all others from. */
export const GUEST_BUSYBOX: string = `${GUEST_DIRECTORY}/busybox`;

export const GUEST_INIT: string = `${GUEST_DIRECTORY}/init`;
/** Path of kernel modules, in a folder for each of their purposes. */
export const GUEST_MODULES: string = `${GUEST_DIRECTORY}/modules`;

/** What is there as long as packages wait to be configured. */
export const GUEST_FIRST_START: string = `${GUEST_DIRECTORY}/first-start`;

const PROGRAM: Attributes = { mode: 0o755, uid: 0, gid: 0, modifiedSeconds: 0 };
const FILE: Attributes = { ...PROGRAM, mode: 0o644 };
const ENVIRONMENT = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'HOME=/root',
  'TERM=linux',
];
const CONSOLE = { kind: 'character', major: 5, minor: 1 } as const;

export interface GuestFiles {
  /** A static executable. */
  readonly busybox: Uint8Array;
  readonly modules: GuestModules;
  /** Variables of the agent's commands and of the shell at the console, `NAME=value`. */
  readonly environment?: readonly string[];
  /** Where they begin; default: root's own directory. */
  readonly workingDirectory?: string;
  /** Whether packages of Debian wait to be configured. */
  readonly isUnconfigured?: boolean;
  /** Whether the image's own init goes on after ours, and begins the agent. */
  readonly hasOwnInit?: boolean;
}

/** Adds to a root directory what makes a guest of it: `init=/.polyvisor/init`. */
export function addGuestFiles(root: DirectoryNode, files: GuestFiles): void {
  const { busybox, modules } = files;
  const put = (name: string, content: string | Uint8Array, attributes = PROGRAM): void => {
    const bytes = typeof content === 'string' ? utf8ToBytes(content) : content;
    insert(root, `${GUEST_DIRECTORY}/${name}`, { kind: 'file', attributes, content: bytes });
  };
  put('busybox', busybox);
  put('init', initScript);
  put('agent', agentScript);
  put('console', consoleScript);
  put('network', networkScript);
  put('modprobe', modprobeScript);
  put('environment', environmentOf(files), FILE);
  for (const [purpose, list] of modules) {
    // The shell that loads them goes by their names.
    for (const [index, { name, content }] of list.entries()) {
      put(`modules/${purpose}/${index}-${name}.ko`, content, FILE);
    }
  }
  if (files.isUnconfigured === true) put('first-start', '', FILE);
  if (files.hasOwnInit === true) put('own-init', '', FILE);
  // The kernel opens it before there is anybody to mount /dev.
  if (!lookUp(root, 'dev/console')) {
    insert(root, 'dev/console', { ...CONSOLE, attributes: { ...PROGRAM, mode: 0o600 } });
  }
}

/** Lines of a shell. What is no name of a variable there is left out. */
function environmentOf({ environment = [], workingDirectory = '/root' }: GuestFiles): string {
  const lines = [...ENVIRONMENT, ...environment].flatMap((each) => {
    const [, name, value = ''] = /^([A-Za-z_]\w*)=([^]*)$/.exec(each) ?? [];
    return name === undefined ? [] : `export ${name}=${quoted(value)}\n`;
  });
  return `${lines.join('')}cd ${quoted(workingDirectory)} 2>/dev/null || cd /\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
