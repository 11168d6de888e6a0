import { utf8ToBytes } from '@polyvisor/bytes/bytes';
import { writeTar } from '../archive/tar.ts';
import type { PackageInfo } from '../debian/package-info.ts';
import { resolvePackages } from '../debian/resolve.ts';
import { buildRoot } from '../debian/root-tree.ts';
import { type DirectoryNode, insert, lookUp, makeDirectory } from '../file-tree.ts';
import { addGuestFiles } from '../guest/guest-files.ts';
import type { NewImage } from '../image-store.ts';
import {
  describePackage,
  describeRelease,
  fetchBusybox,
  fetchKernel,
  openMirror,
} from './debian-mirror.ts';
import type { BuildOptions } from './debian-mirror.ts';
import { prepareRoot } from './prepare.ts';
import { ROOT_ARGUMENTS } from './root-image.ts';

export interface DebianSystemOptions extends BuildOptions {
  /** Packages beside the base system's. With `systemd-sysv` that is what the guest runs. */
  readonly include?: readonly string[];
  /** Runs the packages' scripts; default: in a computer. */
  readonly prepare?: typeof prepareRoot;
}

const AGENT_UNIT = 'etc/systemd/system/polyvisor-agent.service';

/**
 * Where there is systemd: the agent as a service, nobody asked for a password at the console, and
 * time for all of it.
 */
const SYSTEMD_FILES: Readonly<Record<string, string>> = {
  [AGENT_UNIT]:
    '[Unit]\nDescription=Commands of the host\nConditionPathExists=/dev/hvc0\n\n' +
    '[Service]\nExecStart=/.polyvisor/agent\nRestart=always\nKillMode=mixed\n\n' +
    '[Install]\nWantedBy=multi-user.target\n',
  'etc/systemd/system/serial-getty@ttyS0.service.d/polyvisor.conf':
    '[Service]\nExecStart=\n' +
    'ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud 115200 %I $TERM\n',
  // Its patience is for a machine that has a CPU to itself. Where a host is busy, the console would come too late.
  'etc/systemd/system.conf.d/polyvisor.conf':
    '[Manager]\nDefaultDeviceTimeoutSec=15min\nDefaultTimeoutStartSec=15min\n',
};

const SYSTEMD_LINKS: Readonly<Record<string, string>> = {
  'etc/systemd/system/multi-user.target.wants/polyvisor-agent.service': `/${AGENT_UNIT}`,
  // The agent has that terminal.
  'etc/systemd/system/serial-getty@hvc0.service': '/dev/null',
  // Our init has loaded them, and there is no index of any.
  'etc/systemd/system/systemd-modules-load.service': '/dev/null',
};

/**
 * Debian as packages make it: the base system (essential and required packages), and what is asked
 * for. The packages' scripts are programs of the guest: it is started once to run them.
 * @throws HostError what a mirror and its packages may lack, `image-unprepared`
 */
export async function buildDebianImage(options: DebianSystemOptions): Promise<NewImage> {
  const { include = [], onProgress, prepare = prepareRoot } = options;
  const repository = await openMirror(options);
  const packages = choosePackages(repository.packages, include);
  const busybox = await fetchBusybox(repository, options);
  const kernel = await fetchKernel(repository, options);
  let count = 0;
  const root = await buildRoot(packages, async (info) => {
    onProgress?.(`${++count}/${packages.length} ${describePackage(info)}`);
    return await repository.download(info);
  });
  const hasOwnInit = lookUp(root, 'sbin/init') !== undefined;
  configure(root, repository.mirror, repository.release.codename);
  if (hasOwnInit) {
    for (const [path, text] of Object.entries(SYSTEMD_FILES)) write(root, path, text);
    for (const [path, target] of Object.entries(SYSTEMD_LINKS)) {
      insert(root, path, { kind: 'symlink', attributes: ATTRIBUTES, target });
    }
  }
  const parts = { busybox: busybox.program, modules: kernel.modules };
  addGuestFiles(root, { ...parts, isUnconfigured: true, hasOwnInit });
  onProgress?.('the first start, in which the scripts of the packages run');
  const prepared = await prepare(root, kernel.image, options);
  return {
    kernel: kernel.image,
    root: writeTar(prepared),
    commandLine: ROOT_ARGUMENTS,
    hasAgent: true,
    source:
      `${describeRelease(repository)}, kernel ${kernel.version}, ${packages.length} packages` +
      (include.length > 0 ? ` with ${include.join(', ')}` : ''),
  };
}

const ATTRIBUTES = { mode: 0o644, uid: 0, gid: 0, modifiedSeconds: 0 };

function choosePackages(available: readonly PackageInfo[], include: readonly string[]) {
  const packages = resolvePackages(available, { include });
  const has = (wanted: string): boolean => packages.some(({ name }) => name === wanted);
  // systemd begins a console once udev has told it of the device, but doesn't depend on udev.
  if (!has('systemd') || has('udev')) return packages;
  return resolvePackages(available, { include: [...include, 'udev'] });
}

/** What an installer asks for. */
function configure(root: DirectoryNode, mirror: string, codename: string): void {
  write(root, 'etc/hostname', 'polyvisor\n');
  write(root, 'etc/hosts', '127.0.0.1 localhost polyvisor\n::1 localhost\n');
  write(root, 'etc/fstab', '');
  const key = '/usr/share/keyrings/debian-archive-keyring.gpg';
  write(
    root,
    'etc/apt/sources.list.d/debian.sources',
    `Types: deb\nURIs: ${mirror}\nSuites: ${codename}\nComponents: main\nSigned-By: ${key}\n`,
  );
  for (const path of ['proc', 'sys', 'dev', 'run', 'root']) {
    if (!lookUp(root, path)) insert(root, path, makeDirectory());
  }
}

function write(root: DirectoryNode, path: string, text: string): void {
  insert(root, path, { kind: 'file', attributes: ATTRIBUTES, content: utf8ToBytes(text) });
}
