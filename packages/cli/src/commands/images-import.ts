import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { HostError } from '@polyvisor/errors/host-error';
import { imageFromRoot } from '@polyvisor/images/build/root-image';
import { addImage, checkFree, findImage } from '@polyvisor/images/image-store';
import { importImage } from '@polyvisor/images/import-image';
import type { ImportOptions } from '@polyvisor/images/import-image';
import { required } from '../command.ts';
import type { CommandCall } from '../command.ts';
import { homeDirectory } from '@polyvisor/host/home-directory';
import { printMade } from '../print-images.ts';

export async function run(call: CommandCall): Promise<void> {
  const { terminal, options } = call;
  const file = required(call, 0);
  const { format, reference, kernelFrom = 'linux', name = nameOf(file) } = options as ImportFlags;
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
    throw new HostError('no-file', `there is no file ${file}`);
  const home = homeDirectory();
  const isReplacing = options['replace'] === true;
  checkFree(home, name, { isReplacing });
  const from = findImage(home, kernelFrom);
  if (options['json'] !== true) terminal.warn(`reading ${file}`);
  const imported = importImage(file, {
    architecture: 'riscv64',
    ...(format === undefined ? {} : { format }),
    ...(reference === undefined ? {} : { reference }),
  });
  if (imported.kind === 'disk') {
    throw new HostError(
      'image-not-supported',
      `${file} is a disk (${imported.format}), and an image boots from a root directory`,
      'import an archive (tar) of its files, or a container image',
    );
  }
  if (options['json'] !== true) terminal.warn(`adding the kernel of ${kernelFrom}`);
  const image = imageFromRoot(imported.root, imported.config, from, basename(file));
  printMade(call, addImage(home, name, image, { isReplacing }));
}

interface ImportFlags {
  readonly format?: NonNullable<ImportOptions['format']>;
  readonly reference?: string;
  readonly kernelFrom?: string;
  readonly name?: string;
}

/** `alpine-3.20.tar.gz` is `alpine-3.20`. */
function nameOf(file: string): string {
  return basename(file).replace(/(\.(tar|oci|tgz|gz|xz|zst|img|qcow2|raw))+$/, '');
}
