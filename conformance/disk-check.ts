import { spawnSync } from 'node:child_process';
import { closeSync, cpSync, ftruncateSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { existsSync, mkdirSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlockDevice } from '@polyvisor/disk/block-device';
import { openNodeFile } from '@polyvisor/disk/node-files';
import { openNodeStore } from '@polyvisor/disk/node-store';
import { openRawImage } from '@polyvisor/disk/raw-image';

const PIECE_BYTES = 2 ** 20;
/** What e2fsck ends with when it mended what a journal leaves to it. @see e2fsck(8) */
const MENDED = 1;

/**
 * Judges the disk of the one guest in a data directory, whose host is gone, by programs of e2fsprogs.
 * @param base the raw image below it
 * @param contents of files that have to be there, by their names
 * @returns what is wrong; undefined: nothing
 */
export function checkDisk(
  dataDirectory: string,
  base: string,
  contents: ReadonlyMap<string, Uint8Array>,
): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'polyvisor-disk-'));
  try {
    const image = join(folder, 'image');
    const damaged = exportDisk(storeOf(dataDirectory), join(folder, 'store'), base, image);
    if (damaged.length > 0) return `blocks of ${damaged.join(', ')} are not what was written`;
    const replayed = run('e2fsck', '-p', image);
    if (replayed.status > MENDED) return `the journal can't be replayed: ${replayed.said}`;
    const judged = run('e2fsck', '-f', '-n', image);
    if (judged.status !== 0) return `the file system is damaged: ${judged.said}`;
    const files = join(folder, 'files');
    mkdirSync(files);
    const dumped = run('debugfs', '-R', `rdump / ${files}`, image);
    if (dumped.status !== 0) return `its files can't be read: ${dumped.said}`;
    return compareFiles(files, contents);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function compareFiles(
  folder: string,
  contents: ReadonlyMap<string, Uint8Array>,
): string | undefined {
  for (const [name, content] of contents) {
    const path = join(folder, name);
    if (!existsSync(path)) return `${name}, which was synced, is not there`;
    if (Buffer.compare(readFileSync(path), content) !== 0) return `${name} is not what was synced`;
  }
  return undefined;
}

function storeOf(dataDirectory: string): string {
  const guests = join(dataDirectory, 'guests');
  const [directory] = readdirSync(guests).filter((name) => name.endsWith('.files'));
  return join(guests, directory!, 'disks');
}

/**
 * Works on a copy of the store, so that the next host finds what the killed one left.
 * @returns names of damaged disks
 */
function exportDisk(from: string, store: string, base: string, image: string): string[] {
  cpSync(from, store, { recursive: true });
  using opened = openNodeStore(store);
  const file = openNodeFile(base, 'read');
  try {
    const [disk] = opened.list();
    const device = openRawImage(file, { isReadOnly: true });
    writeImage(opened.open(disk!.name, { name: disk!.baseName!, device }), image);
    return opened.verify();
  } finally {
    file.close();
  }
}

function writeImage(disk: BlockDevice, path: string): void {
  const file = openSync(path, 'w');
  ftruncateSync(file, disk.bytes);
  const piece = new Uint8Array(PIECE_BYTES);
  const zeros = new Uint8Array(PIECE_BYTES);
  for (let at = 0; at < disk.bytes; at += PIECE_BYTES) {
    const part = piece.subarray(0, Math.min(PIECE_BYTES, disk.bytes - at));
    disk.read(at, part);
    if (Buffer.compare(part, zeros.subarray(0, part.length)) !== 0)
      writeSync(file, part, 0, part.length, at);
  }
  closeSync(file);
}

interface Ended {
  readonly status: number;
  readonly said: string;
}

/** Runs a program to its end; its status is 255 where there is none. */
export function run(program: string, ...parameters: readonly string[]): Ended {
  const { status, stdout, stderr, error } = spawnSync(program, parameters, { encoding: 'utf8' });
  return { status: status ?? 255, said: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}` };
}
