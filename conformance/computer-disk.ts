import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '@polyvisor/board/testing/random';
import { utf8ToBytes } from '@polyvisor/bytes/bytes';
import { writeCpio } from '@polyvisor/images/archive/cpio';
import { readGuestParts } from '@polyvisor/images/build/root-image';
import { insert, makeDirectory } from '@polyvisor/images/file-tree';
import { GUEST_BUSYBOX, GUEST_MODULES, addGuestFiles } from '@polyvisor/images/guest/guest-files';
import { findImage } from '@polyvisor/images/image-store';
import { MICRO_IMAGE, fillStore } from './debian-boot.ts';
import { checkDisk, run } from './disk-check.ts';
import { type FileResult, type RunOptions, emptyResult } from './suite.ts';
import type { TarFile } from './tar.ts';
import { VectorsMissing } from './vectors.ts';

const CACHE = join(import.meta.dirname, '..', '.cache', 'computer');
const HOST = join(import.meta.dirname, 'disk-host.ts');
const ROUNDS = 21;
/** A host is killed so long after its guest begins to write, at most; one of five at the mount before. */
const WRITING_MS_MAX = 2500;
const MOUNTING_MS_MAX = 150;
/** A boot takes seconds; a machine with other work to do needs more. */
const BOOT_MS_MAX = 120_000;
const DISK_SIZE = '256M';

/** Writes files for ever, each synced before it is told of, and others beside that are not. */
const INIT = `#!/${GUEST_BUSYBOX} sh
box=/${GUEST_BUSYBOX}
$box mkdir -p /dev /mnt
$box mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
for module in /${GUEST_MODULES}/2/*.ko /${GUEST_MODULES}/fs-ext4/*.ko; do $box insmod "$module"; done
echo MOUNTING
$box mount -t ext4 /dev/vda /mnt || echo MOUNT-FAILED
echo MOUNTED
read -r round
i=0
while :; do
  i=$((i + 1))
  name=r$round-$i
  size=$(((i * 7919 + round * 104729) % 50000 + 1))
  $box yes "$name" | $box head -c $size | $box dd of=/mnt/$name conv=fsync 2>/dev/null &&
    echo SYNCED $name $size.
  $box yes other | $box head -c $((size * 3)) >/mnt/other$((i % 8))
  [ $((i % 3)) -ne 0 ] || $box rm -f /mnt/other$(((i + 4) % 8))
done
`;

/** The store with the image that the guest boots. @throws VectorsMissing without e2fsprogs, too */
export async function* inputs(folder: string | undefined): AsyncGenerator<TarFile> {
  for (const program of ['mke2fs', 'e2fsck', 'debugfs']) {
    if (run(program, '-V').status === 255) {
      throw new VectorsMissing(`${program} is not installed: it is in e2fsprogs`);
    }
  }
  if (folder === undefined) await fillStore(CACHE, { hasExt4: true });
  yield { path: folder ?? CACHE, bytes: Buffer.alloc(0) };
}

/** Kills a host that writes to a disk, again and again, and judges what is on it. */
export async function runFile(
  path: string,
  _content: string,
  { filter }: RunOptions,
): Promise<FileResult> {
  const result = emptyResult();
  const seed = Number(process.env['POLYVISOR_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}; again: POLYVISOR_SEED=${seed}`);
  const random = new Random(seed);
  const folder = mkdtempSync(join(tmpdir(), 'polyvisor-kills-'));
  try {
    const files = makeFiles(path, folder);
    const told = new Map<string, Uint8Array>();
    for (let round = 1; round <= ROUNDS; round++) {
      const name = `disk after kill -9, round ${round} of ${ROUNDS}`;
      if (filter !== undefined && !name.includes(filter)) continue;
      const reason =
        (await killWriter(files, round, random, told)) ??
        checkDisk(files.directory, files.disk, told);
      console.log(`${name}: ${told.size} files so far`);
      if (reason === undefined) result.passed++;
      else result.failures.push({ name, reason });
    }
    console.log(`${told.size} files were synced and told of`);
    if (told.size < ROUNDS) {
      result.failures.push({ name: 'files', reason: 'too few were written to judge anything' });
    }
    return result;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Files {
  readonly directory: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly disk: string;
}

function makeFiles(store: string, folder: string): Files {
  const image = findImage(store, MICRO_IMAGE);
  const root = makeDirectory();
  addGuestFiles(root, readGuestParts(image));
  const attributes = { mode: 0o755, uid: 0, gid: 0, modifiedSeconds: 0 };
  insert(root, 'init', { kind: 'file', attributes, content: utf8ToBytes(INIT) });
  const initrd = join(folder, 'initrd');
  writeFileSync(initrd, writeCpio(root));
  const disk = join(folder, 'disk.raw');
  const made = run('mke2fs', '-q', '-t', 'ext4', disk, DISK_SIZE);
  if (made.status !== 0) throw new Error(made.said);
  const directory = join(folder, 'data');
  mkdirSync(directory);
  return { directory, kernel: image.kernel, initrd, disk };
}

/**
 * Boots, has the guest write, and kills the host. @param told is added what was synced
 * @returns what went wrong
 */
async function killWriter(
  { directory, kernel, initrd, disk }: Files,
  round: number,
  random: Random,
  told: Map<string, Uint8Array>,
): Promise<string | undefined> {
  const host = spawn(process.execPath, [HOST, directory, kernel, initrd, disk]);
  const closed = once(host, 'close');
  const listener = new Listener(host, closed);
  try {
    const isAtMount = random.oneIn(5);
    if (!(await listener.waitFor(isAtMount ? 'MOUNTING' : 'MOUNTED'))) return listener.report();
    if (isAtMount) await pause(random.below(MOUNTING_MS_MAX));
    else {
      host.stdin.write(`${round}\n`);
      if (!(await listener.waitFor('SYNCED'))) return listener.report();
      await pause(random.below(WRITING_MS_MAX));
    }
  } finally {
    host.kill('SIGKILL');
    await closed;
  }
  for (const [, name, size] of listener.said.matchAll(/^SYNCED (\S+) (\d+)\.\r?$/gm)) {
    told.set(name!, contentOf(name!, Number(size)));
  }
  const isWrong = /MOUNT-FAILED|HOST: |EXT4-fs error|I\/O error/.test(listener.said);
  return isWrong ? listener.report() : undefined;
}

/** As `yes` and `head` make it. */
function contentOf(name: string, size: number): Uint8Array {
  return utf8ToBytes(`${name}\n`.repeat(Math.ceil(size / (name.length + 1))).slice(0, size));
}

/** What a host says. */
class Listener {
  said = '';
  readonly #closed: Promise<unknown>;
  #look = (): void => {};

  constructor(host: ChildProcessWithoutNullStreams, closed: Promise<unknown>) {
    this.#closed = closed;
    const listen = (bytes: Buffer): void => {
      this.said += bytes.toString('latin1');
      this.#look();
    };
    host.stdout.on('data', listen);
    host.stderr.on('data', listen);
  }

  /** False where it doesn't come in time. */
  async waitFor(text: string): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#look = () => {
      if (this.said.includes(text)) resolve(true);
    };
    this.#look();
    void this.#closed.then(() => resolve(false));
    const deadline = setTimeout(() => resolve(false), BOOT_MS_MAX);
    const isThere = await promise;
    clearTimeout(deadline);
    return isThere;
  }

  report(): string {
    return `the host said:\n${this.said.slice(-2000)}`;
  }
}
