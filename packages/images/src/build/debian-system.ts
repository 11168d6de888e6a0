import { utf8ToBytes } from '@polyvisor/bytes/bytes';
import { writeTar } from '../archive/tar.ts';
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
import { ROOT_ARGUMENTS } from './root-image.ts';

export interface DebianSystemOptions extends BuildOptions {
  /** Packages beside the base system's. With `systemd-sysv` that is what the guest runs. */
  readonly include?: readonly string[];
}

const AGENT_UNIT = 'etc/systemd/system/polyvisor-agent.service';

/** Where there is systemd: the agent as a service, and nobody asked for a password at the console. */
const SYSTEMD_FILES: Readonly<Record<string, string>> = {
  [AGENT_UNIT]:
    '[Unit]\nDescription=Commands of the host\n\n' +
    '[Service]\nExecStart=/.polyvisor/agent\nRestart=always\nKillMode=mixed\n\n' +
    '[Install]\nWantedBy=multi-user.target\n',
  'etc/systemd/system/serial-getty@ttyS0.service.d/polyvisor.conf':
    '[Service]\nExecStart=\n' +
    'ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud 115200 %I $TERM\n',
};

/**
 * Debian as packages make it: the base system (essential and required packages), and what is asked
 * for. The packages' scripts run in the guest, when it starts for the first time.
 * @throws HostError what a mirror and its packages may lack
 */
export async function buildDebianImage(options: DebianSystemOptions): Promise<NewImage> {
  const { include = [], onProgress } = options;
  const repository = await openMirror(options);
  const packages = resolvePackages(repository.packages, { include });
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
    const wants = 'etc/systemd/system/multi-user.target.wants/polyvisor-agent.service';
    insert(root, wants, { kind: 'symlink', attributes: ATTRIBUTES, target: `/${AGENT_UNIT}` });
  }
  const parts = { busybox: busybox.program, modules: kernel.modules };
  addGuestFiles(root, { ...parts, isUnconfigured: true, hasOwnInit });
  return {
    kernel: kernel.image,
    root: writeTar(root),
    commandLine: ROOT_ARGUMENTS,
    hasAgent: true,
    source:
      `${describeRelease(repository)}, kernel ${kernel.version}, ${packages.length} packages` +
      (include.length > 0 ? ` with ${include.join(', ')}` : ''),
  };
}

const ATTRIBUTES = { mode: 0o644, uid: 0, gid: 0, modifiedSeconds: 0 };

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
