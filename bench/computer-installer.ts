import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DIALOG_END, INSTALLER_ARGUMENTS, fetchInstaller } from '../conformance/boot-installer.ts';
import { type Bench, compare } from './harness.ts';
import { timeMarks } from './marked-guest.ts';
import { cli } from './spawned.ts';

const CACHE = join(import.meta.dirname, '..', '.cache', 'computer');
const EMULATOR = 'qemu-system-riscv64';
const RAM_MIB = 1024;

/** Debian's network installer: from the start of the process to its first dialog. */
export const bench: Bench = {
  summary: `Debian's installer to its first dialog, against ${EMULATOR}`,
  async run({ rounds }) {
    if (spawnSync(EMULATOR, ['--version']).error) throw new Error(`${EMULATOR} is not installed`);
    const folder = mkdtempSync(join(tmpdir(), 'polyvisor-bench-'));
    try {
      const files = await fetchInstaller(CACHE);
      const [kernel, initrd] = [join(folder, 'kernel'), join(folder, 'initrd')];
      writeFileSync(kernel, files.kernel);
      writeFileSync(initrd, files.initrd);
      const what = ['--kernel', kernel, '--initrd', initrd, '--append', INSTALLER_ARGUMENTS];
      const limits = ['--ram', `${RAM_MIB}MiB`, '--no-console'];
      const machine = `-M virt -m ${RAM_MIB} -smp 1 -nographic`.split(' ');
      const boot = ['-kernel', kernel, '-initrd', initrd, '-append', INSTALLER_ARGUMENTS];
      const ours: number[] = [];
      const peer: number[] = [];
      for (let round = 0; round < rounds; round++) {
        ours.push(await untilDialog(process.execPath, [cli, 'linux', '-i', ...what, ...limits]));
        peer.push(await untilDialog(EMULATOR, [...machine, ...boot]));
      }
      return { 'first dialog': compare(ours, peer, 'ms') };
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

async function untilDialog(command: string, parameters: readonly string[]): Promise<number> {
  const options = { last: DIALOG_END, marks: new RegExp(DIALOG_END, 'g') };
  return (await timeMarks(command, parameters, options))(DIALOG_END);
}
