import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { GUEST_BUSYBOX, GUEST_MODULES } from '@polyvisor/images/guest/guest-files';
import { fillStore } from '../conformance/debian-boot.ts';
import { type Bench, compare } from './harness.ts';
import {
  type BootFiles,
  COMPILER,
  type Command,
  EMULATOR,
  checkInstalled,
  compileForGuest,
  emulatorWith,
  oursWith,
} from './machines.ts';
import { timeMarks } from './marked-guest.ts';
import { makeMicroGuest } from './micro-guest.ts';

const CACHE = join(import.meta.dirname, '..', '.cache', 'computer');
const SOURCE = join(import.meta.dirname, 'computer', 'disk.c');
/** Of the disk; the program writes and reads the first half of it. */
const DISK_BYTES = 2 ** 30;
const MEGABYTES = 2 ** 29 / 1e6;

/** A disk in a directory of the host, written with a flush at the end, and read; past the guest's own cache. */
export const bench: Bench = {
  summary: `a disk of a computer, in pieces of 1 MiB, against ${EMULATOR} with a raw file`,
  async run({ rounds }) {
    checkInstalled(COMPILER, EMULATOR);
    await fillStore(CACHE);
    // In the project's own folder: a system's folder for temporary files may be in memory.
    const folder = mkdtempSync(join(CACHE, 'bench-'));
    try {
      const guest = makeGuest(folder);
      const ours: Rates[] = [];
      const peers: Rates[] = [];
      for (let round = 0; round < rounds; round++) {
        const directory = join(folder, `ours-${round}`);
        const disk = ['--disk', `${DISK_BYTES / 2 ** 30}GiB`, '--data-dir', directory];
        ours.push(await measure(oursWith(guest, { more: disk })));
        rmSync(directory, { recursive: true });
        const drive = `file=${blankFile(folder)},format=raw,if=none,id=disk`;
        const more = ['-drive', drive, '-device', 'virtio-blk-pci,drive=disk'];
        peers.push(await measure(emulatorWith(guest, { more })));
      }
      const of = (rates: readonly Rates[], what: keyof Rates): number[] =>
        rates.map((each) => each[what]);
      return {
        write: compare(of(ours, 'write'), of(peers, 'write'), 'MB/s', 'rate'),
        read: compare(of(ours, 'read'), of(peers, 'read'), 'MB/s', 'rate'),
      };
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** Megabytes a second. */
interface Rates {
  readonly write: number;
  readonly read: number;
}

function blankFile(folder: string): string {
  const path = join(folder, 'disk');
  const file = openSync(path, 'w');
  ftruncateSync(file, 0);
  ftruncateSync(file, DISK_BYTES);
  closeSync(file);
  return path;
}

/** The disk's drivers, then the program. */
function makeGuest(folder: string): BootFiles {
  const program = compileForGuest(SOURCE, join(folder, 'program'));
  return makeMicroGuest(CACHE, folder, INIT, { 'bench/disk': program });
}

const INIT = `#!/${GUEST_BUSYBOX} sh
box=/${GUEST_BUSYBOX}
$box mount -t devtmpfs dev /dev
for module in /${GUEST_MODULES}/2/*.ko; do $box insmod "$module"; done
/bench/disk
$box poweroff -f
`;

async function measure(command: Command): Promise<Rates> {
  const at = await timeMarks(command);
  const rate = (what: string): number =>
    MEGABYTES / ((at(`END-${what}`) - at(`BEGIN-${what}`)) / 1000);
  return { write: rate('write'), read: rate('read') };
}
