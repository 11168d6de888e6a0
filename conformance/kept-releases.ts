import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HostError } from '@polyvisor/errors/host-error';
import type { FetchDoor } from '@polyvisor/images/fetch-door';
import { sha256Hex } from '@polyvisor/images/file-cache';

/**
 * A door that keeps the `InRelease` files that came through it, and gives those where the mirror can't be reached. All
 * else is cached by the hash that they name it with.
 * @param folder is made when there is something to keep
 */
export function keepingReleases(door: FetchDoor, folder: string): FetchDoor {
  return {
    async get(address, bytesMax, signal) {
      if (!address.endsWith('/InRelease')) return await door.get(address, bytesMax, signal);
      const file = fileOf(folder, address);
      try {
        const bytes = await door.get(address, bytesMax, signal);
        if (bytes) {
          mkdirSync(folder, { recursive: true });
          // Whole or not at all, whoever else reads and writes it.
          const part = `${file}.${randomUUID()}`;
          writeFileSync(part, bytes);
          renameSync(part, file);
        }
        return bytes;
      } catch (error) {
        const isKept = error instanceof HostError && error.code === 'fetch-failed';
        const bytes = isKept ? read(file) : undefined;
        if (!bytes) throw error;
        return bytes;
      }
    },
  };
}

/** A release that came through such a door, as it was signed; undefined: none did. */
export function keptRelease(folder: string, address: string): Uint8Array | undefined {
  return read(fileOf(folder, address));
}

function fileOf(folder: string, address: string): string {
  return join(folder, sha256Hex(Buffer.from(address)));
}

function read(file: string): Uint8Array | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
