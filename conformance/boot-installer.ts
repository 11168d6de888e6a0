import { createComputer } from '@polyvisor/board/machine';
import { decompress } from '@polyvisor/images/archive/compression';
import { fetchPackage, openMirror } from '@polyvisor/images/build/debian-mirror';
import { walk } from '@polyvisor/images/file-tree';
import type { DirectoryNode } from '@polyvisor/images/file-tree';
import { IMAGE_LIMITS } from '@polyvisor/images/limits';
import { type PlainBoot, buildOptions, orMissing } from './debian-boot.ts';
import { SerialSession } from './serial-session.ts';
import { type FileResult, type RunOptions, bookLater } from './suite.ts';

const RAM_BYTES = 2 ** 30;
/** Where its boot loader would leave it, on a machine with a serial line. */
export const INSTALLER_ARGUMENTS = 'console=ttyS0 --- quiet';
/** What the first dialog draws last: its buttons, below its text. */
export const DIALOG_END = '<Go Back>';
const DIALOG = ['Select a language', 'Choose the language', 'English', DIALOG_END];
const GZIP_MAGIC = 0x1f8b;

/** The installer of Debian, as it comes by network. @param home a store */
export async function bootInstaller(
  result: FileResult,
  home: string,
  options: RunOptions,
): Promise<void> {
  const name = 'installer: draws its first dialog';
  await bookLater(result, name, options, async () => firstDialog(await fetchInstaller(home)));
}

function firstDialog(files: PlainBoot): string | undefined {
  using computer = createComputer(
    { ramBytes: RAM_BYTES },
    { kind: 'linux', ...files, arguments: INSTALLER_ARGUMENTS },
  );
  const session = new SerialSession(computer, { time: 'host' });
  for (const text of DIALOG) {
    if (!session.waitFor(text)) return session.report(`no '${text}'`);
  }
  console.log(`installer: its first dialog after ${session.spent}`);
  return undefined;
}

/** Its kernel and RAM disk, from the mirror or the store's cache. @param home a store */
export async function fetchInstaller(home: string): Promise<PlainBoot> {
  const options = buildOptions(home);
  const repository = await orMissing(openMirror(options));
  const [major] = repository.release.version.split('.');
  const name = `debian-installer-${major}-netboot-riscv64`;
  const { root } = await orMissing(fetchPackage(repository, name, options));
  const kernel = fileAt(root, '/text/debian-installer/riscv64/linux');
  const isPacked = Buffer.from(kernel).readUInt16BE() === GZIP_MAGIC;
  return {
    kernel: isPacked ? decompress(kernel, IMAGE_LIMITS.unpackedBytesMax) : kernel,
    initrd: fileAt(root, '/text/debian-installer/riscv64/initrd.gz'),
  };
}

/** @param end of its path, in front of which the number of the release is */
function fileAt(root: DirectoryNode, end: string): Uint8Array {
  for (const [path, node] of walk(root)) {
    if (node.kind === 'file' && path.endsWith(end)) return node.content;
  }
  throw new Error(`the installer's package has no ${end}`);
}
