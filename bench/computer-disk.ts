import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { GUEST_BUSYBOX, GUEST_MODULES } from '@polyvisor/images/guest/guest-files';
import { fillStore } from '../conformance/debian-boot.ts';
import { type Bench, compare } from './harness.ts';
import { timeMarks } from './marked-guest.ts';
import { type MicroGuest, makeMicroGuest } from './micro-guest.ts';
import { cli } from './spawned.ts';

const CACHE = join(import.meta.dirname, '..', '.cache', 'computer');
const SOURCE = join(import.meta.dirname, 'computer', 'disk.c');
const COMPILER = 'riscv64-linux-gnu-gcc';
const COMPILER_FLAGS = '-O2 -march=rv64gc -static -nostdlib -ffreestanding -fno-builtin'.split(' ');
const EMULATOR = 'qemu-system-riscv64';
const ARGUMENTS = 'console=ttyS0 quiet';
/** Of the disk; the program writes and reads the first half of it. */
const DISK_BYTES = 2 ** 30;
const MEGABYTES = 2 ** 29 / 1e6;

/** A disk in a directory of the host, written with a flush at the end, and read; past the guest's own cache. */
export const bench: Bench = {
  summary: `a disk of a computer, in pieces of 1 MiB, against ${EMULATOR} with a raw file`,
  async run({ rounds }) {
    for (const tool of [COMPILER, EMULATOR]) {
      if (spawnSync(tool, ['--version']).error) throw new Error(`${tool} is not installed`);
    }
    await fillStore(CACHE);
    // In the project's own folder: a system's folder for temporary files may be in memory.
    const folder = mkdtempSync(join(CACHE, 'bench-'));
    try {
      const guest = makeGuest(folder);
      const ours: Rates[] = [];
      const peers: Rates[] = [];
      for (let round = 0; round < rounds; round++) {
        const directory = join(folder, `ours-${round}`);
        ours.push(await measure(process.execPath, oursWith(guest, directory)));
        rmSync(directory, { recursive: true });
        peers.push(await measure(EMULATOR, qemuWith(guest, blankFile(folder))));
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

function oursWith({ kernel, initrd }: MicroGuest, directory: string): string[] {
  const flags = ['--kernel', kernel, '--initrd', initrd, '--append', ARGUMENTS, '--no-console'];
  return [
    cli,
    'linux',
    '-i',
    ...flags,
    '--disk',
    `${DISK_BYTES / 2 ** 30}GiB`,
    '--data-dir',
    directory,
  ];
}

function qemuWith({ kernel, initrd }: MicroGuest, disk: string): string[] {
  const machine = '-M virt -m 512 -smp 1 -nographic'.split(' ');
  const drive = ['-drive', `file=${disk},format=raw,if=none,id=disk`];
  const device = ['-device', 'virtio-blk-pci,drive=disk'];
  const boot = ['-kernel', kernel, '-initrd', initrd, '-append', ARGUMENTS];
  return [...machine, ...drive, ...device, ...boot];
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
function makeGuest(folder: string): MicroGuest {
  const program = join(folder, 'program');
  execFileSync(COMPILER, [...COMPILER_FLAGS, '-o', program, SOURCE]);
  return makeMicroGuest(CACHE, folder, INIT, { 'bench/disk': readFileSync(program) });
}

const INIT = `#!/${GUEST_BUSYBOX} sh
box=/${GUEST_BUSYBOX}
$box mount -t devtmpfs dev /dev
for module in /${GUEST_MODULES}/2/*.ko; do $box insmod "$module"; done
/bench/disk
$box poweroff -f
`;

async function measure(command: string, parameters: readonly string[]): Promise<Rates> {
  const at = await timeMarks(command, parameters);
  const rate = (what: string): number =>
    MEGABYTES / ((at(`END-${what}`) - at(`BEGIN-${what}`)) / 1000);
  return { write: rate('write'), read: rate('read') };
}
