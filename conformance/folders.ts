import { basename, dirname } from 'node:path';
import type { TarFile } from './tar.ts';

/** Joins the files of each folder, which an archive has one behind the other, to one: a JSON object of them by name. */
export async function* foldersOf(files: AsyncIterable<TarFile>): AsyncGenerator<TarFile> {
  let folder: string | undefined;
  let entries: string[] = [];
  const joined = (path: string): TarFile => ({ path, bytes: Buffer.from(`{${entries.join()}}`) });
  for await (const { path, bytes } of files) {
    if (folder !== undefined && dirname(path) !== folder) {
      yield joined(folder);
      entries = [];
    }
    folder = dirname(path);
    entries.push(`${JSON.stringify(basename(path))}:${bytes.toString('utf8')}`);
  }
  if (folder !== undefined) yield joined(folder);
}
