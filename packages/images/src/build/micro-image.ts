import { utf8ToBytes } from '@polyvisor/bytes/bytes';
import { writeCpio } from '../archive/cpio.ts';
import { type DirectoryNode, insert, makeDirectory } from '../file-tree.ts';
import { GUEST_INIT, type GuestFiles, addGuestFiles } from '../guest/guest-files.ts';
import type { NewImage } from '../image-store.ts';
import { describeRelease, fetchBusybox, fetchKernel, openMirror } from './debian-mirror.ts';
import type { BuildOptions } from './debian-mirror.ts';

/** Kernel messages below errors stay in its log: they take longer than the rest of the start. */
export const CONSOLE_ARGUMENTS = 'console=ttyS0 quiet';

/** Configuration that programs ask for. */
const FILES: Readonly<Record<string, string>> = {
  'etc/passwd': 'root::0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
  'etc/group': 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n',
  'etc/hosts': '127.0.0.1 localhost polyvisor\n::1 localhost\n',
  'etc/hostname': 'polyvisor\n',
  'etc/profile': "export PS1='# '\n",
  'etc/os-release': 'ID=polyvisor\nNAME=polyvisor\nPRETTY_NAME="polyvisor (busybox)"\n',
};
const DIRECTORIES = ['bin', 'sbin', 'dev', 'proc', 'sys', 'run', 'root', 'mnt', 'var/log'];

/**
 * The smallest system: Debian's kernel, and busybox in memory with an agent, a shell at the
 * console, and a network if there is a card.
 * @throws HostError what a mirror and its packages may lack
 */
export async function buildMicroImage(options: BuildOptions): Promise<NewImage> {
  const repository = await openMirror(options);
  const busybox = await fetchBusybox(repository, options);
  const kernel = await fetchKernel(repository, options);
  return {
    kernel: kernel.image,
    initrd: microInitrd({ busybox: busybox.program, modules: kernel.modules }),
    commandLine: CONSOLE_ARGUMENTS,
    hasAgent: true,
    source: `${describeRelease(repository)}, kernel ${kernel.version}, busybox ${busybox.version}`,
  };
}

/** It is not compressed: the kernel takes longer to unpack it than a host to store it. */
export function microInitrd(files: GuestFiles): Uint8Array {
  const root = makeDirectory();
  for (const path of DIRECTORIES) insert(root, path, makeDirectory());
  insert(root, 'tmp', makeDirectory({ mode: 0o1777, uid: 0, gid: 0, modifiedSeconds: 0 }));
  for (const [path, text] of Object.entries(FILES)) writeText(root, path, text);
  addGuestFiles(root, files);
  insert(root, 'init', link(`/${GUEST_INIT}`));
  return writeCpio(root);
}

function writeText(root: DirectoryNode, path: string, text: string): void {
  const attributes = { mode: 0o644, uid: 0, gid: 0, modifiedSeconds: 0 };
  insert(root, path, { kind: 'file', attributes, content: utf8ToBytes(text) });
}

function link(target: string) {
  const attributes = { mode: 0o777, uid: 0, gid: 0, modifiedSeconds: 0 };
  return { kind: 'symlink', attributes, target } as const;
}
