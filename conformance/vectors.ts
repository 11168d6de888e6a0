import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createZstdDecompress } from 'node:zlib';
import { type ArchiveName, archives } from './archives.ts';
import { type TarFile, readTar } from './tar.ts';

/** Thrown where the data is not there: the suite skips and says where to get it. */
export class VectorsMissing extends Error {
  override readonly name = 'VectorsMissing';
}

/**
 * The files of an archive, one after another.
 * @throws VectorsMissing naming the archive and its source
 */
export function openVectors(archive: ArchiveName): AsyncIterable<TarFile> {
  const folder = process.env['POLYVISOR_VECTORS'];
  const path = folder === undefined ? undefined : join(folder, archive);
  if (path === undefined || !existsSync(path)) {
    throw new VectorsMissing(
      `${archive} is not in POLYVISOR_VECTORS (${folder ?? 'not set'}); its data is ${archives[archive]}`,
    );
  }
  return readTar(createReadStream(path).pipe(createZstdDecompress()));
}
