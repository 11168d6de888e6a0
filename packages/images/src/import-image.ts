import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { HostError } from '@polyvisor/errors/host-error';
import { openImage } from '@polyvisor/disk/image';
import type { ImageFormat } from '@polyvisor/disk/image';
import { nodeImageDoors } from '@polyvisor/disk/node-images';
import { openNodeFile } from '@polyvisor/disk/node-files';
import { isQcow2 } from '@polyvisor/disk/qcow2/header';
import { decompress } from './archive/compression.ts';
import { isTar } from './archive/tar.ts';
import { unpackTar } from './archive/unpack.ts';
import { makeDirectory } from './file-tree.ts';
import type { DirectoryNode } from './file-tree.ts';
import { IMAGE_LIMITS } from './limits.ts';
import type { ImageLimits } from './limits.ts';
import { readContainerImage } from './oci/image.ts';
import type { ImageChoice } from './oci/image.ts';
import type { ImageConfig } from './oci/image-config.ts';

export type ImportedImage =
  /** A disk, which stays in its file. */
  | { readonly kind: 'disk'; readonly format: ImageFormat; readonly bytes: number }
  /** A root directory; of a container image with how to run it. */
  | { readonly kind: 'root'; readonly root: DirectoryNode; readonly config?: ImageConfig };

export interface ImportOptions extends ImageChoice {
  /** Default: what the file looks like. A raw disk looks like anything, so it has to be said. */
  readonly format?: 'raw' | 'qcow2' | 'tar' | 'oci';
  readonly limits?: Partial<ImageLimits>;
}

/**
 * Reads an image from a file: a disk (raw, qcow2), an archive of a root directory, or of a container image (an OCI
 * layout, `docker save`), compressed or not.
 * @throws HostError `image-damaged`, `image-not-supported`, `image-option`, `image-xz`, `disk-open`
 */
export function importImage(path: string, options: ImportOptions): ImportedImage {
  const limits = { ...IMAGE_LIMITS, ...options.limits };
  const format = options.format ?? guessFormat(path);
  if (format === 'raw' || format === 'qcow2') {
    using doors = nodeImageDoors(dirname(path));
    return { kind: 'disk', format, bytes: openImage(path, format, doors).bytes };
  }
  const archive = decompress(read(path, limits), limits.unpackedBytesMax);
  if (!isTar(archive)) {
    throw new HostError(
      'image-option',
      `${path} doesn't look like an image`,
      'a raw disk looks like anything: say that it is one',
    );
  }
  const image = format === 'tar' ? undefined : readContainerImage(archive, options, limits);
  if (image) return { kind: 'root', ...image };
  if (format === 'oci') throw new HostError('image-damaged', `${path} is no container image`);
  const root = makeDirectory();
  unpackTar(root, archive, limits.entriesMax);
  return { kind: 'root', root };
}

function guessFormat(path: string): 'qcow2' | undefined {
  const file = openNodeFile(path, 'read');
  try {
    return isQcow2(file) ? 'qcow2' : undefined;
  } finally {
    file.close();
  }
}

function read(path: string, limits: ImageLimits): Uint8Array {
  const { size } = statSync(path);
  if (size > limits.unpackedBytesMax)
    throw new HostError('image-damaged', `${path} has ${size} bytes`);
  return readFileSync(path);
}
