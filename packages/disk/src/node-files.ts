import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { HostError } from '@polyvisor/errors/host-error';
import { diskFault } from './block-device.ts';
import type { FileDoor } from './file-door.ts';

/** `read`: as it is, writes fail; `write`: it has to be there; `create`: made where it isn't there. */
export type FileMode = 'read' | 'write' | 'create';

const FLAGS = { read: 'r', write: 'r+', create: 'a+' } as const;

/**
 * A file through `node:fs`.
 * @throws HostError `disk-open` when it can't be opened
 */
export function openNodeFile(path: string, mode: FileMode): FileDoor {
  const descriptor = open(path, mode);
  let size = fstatSync(descriptor).size;
  return {
    get bytes() {
      return size;
    },
    read(offset, into) {
      let done = 0;
      while (done < into.length) {
        const count = guard(path, () =>
          readSync(descriptor, into, done, into.length - done, offset + done),
        );
        if (count === 0) break;
        done += count;
      }
      into.fill(0, done);
    },
    write(offset, from) {
      let done = 0;
      while (done < from.length) {
        done += guard(path, () =>
          writeSync(descriptor, from, done, from.length - done, offset + done),
        );
      }
      size = Math.max(size, offset + from.length);
    },
    resize(bytes) {
      guard(path, () => ftruncateSync(descriptor, bytes));
      size = bytes;
    },
    sync: () => guard(path, () => fdatasyncSync(descriptor)),
    close: () => closeSync(descriptor),
  };
}

function open(path: string, mode: FileMode): number {
  try {
    if (mode !== 'create') return openSync(path, FLAGS[mode]);
    // Appending would ignore positions, so it only makes the file.
    closeSync(openSync(path, FLAGS.create, 0o600));
    syncDirectory(dirname(path));
    return openSync(path, FLAGS.write);
  } catch (error) {
    throw new HostError('disk-open', `can't open ${path}: ${String(error)}`, undefined, {
      cause: error,
    });
  }
}

/** A new name in a directory is durable once the directory is; some systems don't let it be opened. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function guard<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    throw diskFault(
      isFull ? 'disk-quota' : 'disk-failed',
      `${path}: ${String(error)}`,
      isFull ? 'free some space on the disk of the host' : undefined,
      { cause: error },
    );
  }
}
