import { join } from 'node:path';
import { bootBusybox } from './boot-busybox.ts';
import { bootDebian } from './boot-debian.ts';
import { bootInstaller } from './boot-installer.ts';
import { bootRecorded } from './boot-recorded.ts';
import { fillStore } from './debian-boot.ts';
import { type FileResult, type RunOptions, emptyResult } from './suite.ts';
import type { TarFile } from './tar.ts';

const CACHE = join(import.meta.dirname, '..', '.cache', 'computer');

type Part = (result: FileResult, folder: string, options: RunOptions) => void | Promise<void>;

/** By name. Each runs in a thread of its own, as long as there are some, and the longest is first. */
const parts: Readonly<Record<string, Part>> = {
  debian: bootDebian,
  installer: bootInstaller,
  busybox: bootBusybox,
  recorded: bootRecorded,
};
/** What a kernel and an initial RAM disk are enough for. */
const PLAIN_PARTS = ['busybox', 'recorded'];

/** The parts, with the folder that each boots from: one that the user names, or a store of Debian's. */
export async function* inputs(folder: string | undefined): AsyncGenerator<TarFile> {
  if (folder === undefined) await fillStore(CACHE);
  for (const path of folder === undefined ? Object.keys(parts) : PLAIN_PARTS) {
    yield { path, bytes: Buffer.from(folder ?? CACHE) };
  }
}

export async function runFile(
  path: string,
  folder: string,
  options: RunOptions,
): Promise<FileResult> {
  const result = emptyResult();
  await parts[path]!(result, folder, options);
  return result;
}
