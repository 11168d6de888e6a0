import { checkRange, diskFault } from './block-device.ts';
import type { BlockDevice } from './block-device.ts';
import type { FileDoor } from './file-door.ts';

export interface RawImageOptions {
  readonly isReadOnly?: boolean;
  /** Size of the disk; default: of the file. A shorter file reads as zeros from its end on. */
  readonly bytes?: number;
}

/** A file whose bytes are the disk's. */
export function openRawImage(file: FileDoor, options: RawImageOptions = {}): BlockDevice {
  const { isReadOnly = false, bytes = file.bytes } = options;
  checkRange(Number.MAX_SAFE_INTEGER, 0, bytes);
  return {
    bytes,
    isReadOnly,
    read(offset, into) {
      checkRange(bytes, offset, into.length);
      file.read(offset, into);
    },
    write(offset, from) {
      checkRange(bytes, offset, from.length);
      if (isReadOnly) throw diskFault('disk-read-only', 'the image is read-only');
      file.write(offset, from);
    },
    flush: () => file.sync(),
  };
}
