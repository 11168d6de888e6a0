import { bytesToLatin1 } from '@polyvisor/bytes/latin1';
import { HostError } from '@polyvisor/errors/host-error';
import { readAr } from '../archive/ar.ts';
import { decompress } from '../archive/compression.ts';
import { unpackTar } from '../archive/unpack.ts';
import { makeDirectory } from '../file-tree.ts';
import type { DirectoryNode } from '../file-tree.ts';
import type { ImageLimits } from '../limits.ts';

export interface Deb {
  /** `control`, `postinst`, `md5sums`…: the files of the package about itself. */
  readonly control: DirectoryNode;
  /** The archive of the package's files, without compression. */
  readonly data: Uint8Array;
}

/** A package file. @throws HostError `image-damaged`, `image-not-supported`, `image-xz` @see deb(5) */
export function readDeb(bytes: Uint8Array, limits: ImageLimits): Deb {
  const members = readAr(bytes);
  const member = (stem: string): Uint8Array => {
    for (const [name, content] of members) {
      const isIt = name === stem || name.startsWith(`${stem}.`);
      if (isIt) return decompress(content, limits.unpackedBytesMax);
    }
    throw new HostError('image-damaged', `a package without ${stem}`);
  };
  const version = members.get('debian-binary');
  if (!version || !bytesToLatin1(version).startsWith('2.')) {
    throw new HostError('image-damaged', 'a package that is not of format 2');
  }
  const control = makeDirectory();
  unpackTar(control, member('control.tar'), limits.entriesMax);
  return { control, data: member('data.tar') };
}
