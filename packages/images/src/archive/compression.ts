import { spawnSync } from 'node:child_process';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { HostError } from '@polyvisor/errors/host-error';

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz';

/** By the first bytes, whatever the name says. */
export function compressionOf(bytes: Uint8Array): Compression {
  const begins = (...magic: readonly number[]): boolean =>
    magic.every((byte, index) => bytes[index] === byte);
  if (begins(0x1f, 0x8b)) return 'gzip';
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if (begins(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)) return 'xz';
  return 'none';
}

/**
 * The bytes without their compression.
 * @throws HostError `image-damaged` when they are broken, or more than `bytesMax`; `image-xz` when only the `xz`
 *   program could read them, and it isn't installed
 */
export function decompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const compression = compressionOf(bytes);
  try {
    switch (compression) {
      case 'gzip':
        return gunzipSync(bytes, { maxOutputLength: bytesMax });
      case 'zstd':
        return zstdDecompressSync(bytes, { maxOutputLength: bytesMax });
      case 'xz':
        return runXz(bytes, bytesMax);
      default:
        break;
    }
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw new HostError('image-damaged', `${compression}: ${String(error)}`, undefined, {
      cause: error,
    });
  }
  if (bytes.length > bytesMax) throw new HostError('image-damaged', `more than ${bytesMax} bytes`);
  return bytes;
}

/** Whether the program that reads xz is there. */
export function hasXz(): boolean {
  return spawnSync('xz', ['--version'], { stdio: 'ignore' }).status === 0;
}

function runXz(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const { stdout, error, status } = spawnSync('xz', ['--decompress', '--stdout'], {
    input: bytes,
    maxBuffer: Math.min(bytesMax, 2 ** 31 - 1),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
    throw new HostError(
      'image-xz',
      'the file is compressed with xz, which takes the xz program to read',
      'install xz-utils, or take a file that is compressed with gzip or zstd',
    );
  }
  if (error || status !== 0) {
    throw new HostError('image-damaged', `xz: ${error ? String(error) : `ended with ${status}`}`);
  }
  return stdout;
}
