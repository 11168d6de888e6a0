import { HostError } from '@polyvisor/errors/host-error';
import type { BlockDevice } from './block-device.ts';
import type { Decompress } from './decompress.ts';
import type { FileDoor } from './file-door.ts';
import { readHeader } from './qcow2/header.ts';
import { openQcow2 } from './qcow2/image.ts';
import { openRawImage } from './raw-image.ts';

/** A difference to a difference…: more of them are a circle, or somebody's attempt. */
const CHAIN_IMAGES_MAX = 64;

export type ImageFormat = 'raw' | 'qcow2';

/** Where images come from. The door owns the files that it opened, and closes them. */
export interface ImageDoors {
  readonly decompress: Decompress;
  open(name: string): FileDoor;
  /**
   * The name to open for a backing file, as the image in `of` calls it. An image comes from outside and can
   * name any file of the host, so this is where it is refused.
   */
  resolve(of: string, backing: string): string;
}

/**
 * Opens an image, and the images that it is a difference to, read-only.
 * @throws HostError `image-damaged`, `image-not-supported`, and what the doors throw
 */
export function openImage(name: string, format: ImageFormat, doors: ImageDoors): BlockDevice {
  return openLink(name, format, doors, 1);
}

function openLink(name: string, format: string, doors: ImageDoors, depth: number): BlockDevice {
  if (depth > CHAIN_IMAGES_MAX) {
    throw new HostError(
      'image-damaged',
      `${name}: more than ${CHAIN_IMAGES_MAX} images in a chain`,
    );
  }
  if (format === 'raw') return openRawImage(doors.open(name), { isReadOnly: true });
  if (format !== 'qcow2') {
    throw new HostError('image-not-supported', `${name}: format '${format}' is not supported`);
  }
  const file = doors.open(name);
  const header = readHeader(file);
  return openQcow2({
    file,
    header,
    backing: header.backing && openBacking(name, header.backing, doors, depth),
    decompress: doors.decompress,
  });
}

function openBacking(
  of: string,
  backing: { readonly name: string; readonly format: string | undefined },
  doors: ImageDoors,
  depth: number,
): BlockDevice {
  if (backing.format === undefined) {
    // To guess is unsafe: whoever wrote a raw disk could make it look like an image with a backing file.
    throw new HostError(
      'image-not-supported',
      `${of}: the image does not say which format its backing file has`,
      `qemu-img rebase -u -b ${backing.name} -F qcow2|raw ${of}`,
    );
  }
  return openLink(doors.resolve(of, backing.name), backing.format, doors, depth + 1);
}
