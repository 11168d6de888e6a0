import { realpathSync } from 'node:fs';
import { dirname, relative, resolve, isAbsolute } from 'node:path';
import { HostError } from '@polyvisor/errors/host-error';
import type { FileDoor } from './file-door.ts';
import type { ImageDoors } from './image.ts';
import { nodeDecompress } from './node-decompress.ts';
import { openNodeFile } from './node-files.ts';

/** Images in files of the host. Closes them when it is disposed of. */
export interface NodeImageDoors extends ImageDoors, Disposable {}

/** @param directory backing files must lie in it, wherever links lead */
export function nodeImageDoors(directory: string): NodeImageDoors {
  const opened: FileDoor[] = [];
  return {
    decompress: nodeDecompress,
    open(name) {
      const file = openNodeFile(name, 'read');
      opened.push(file);
      return file;
    },
    resolve(of, backing) {
      const path = resolve(dirname(of), backing);
      const inside = relative(realpathSync(directory), existing(path));
      if (inside.startsWith('..') || isAbsolute(inside)) {
        throw new HostError(
          'image-backing',
          `${of} names ${backing} as its backing file, which is not in ${directory}`,
          'move both into one directory, or allow the one that the backing file is in',
        );
      }
      return path;
    },
    [Symbol.dispose]() {
      for (const file of opened.splice(0)) file.close();
    },
  };
}

function existing(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw new HostError('disk-open', `can't open ${path}: ${String(error)}`, undefined, {
      cause: error,
    });
  }
}
