import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DIALOG_END, INSTALLER_ARGUMENTS, fetchInstaller } from '../conformance/boot-installer.ts';
import { type Bench, compare } from './harness.ts';
import { type Command, EMULATOR, checkInstalled, emulatorWith, oursWith } from './machines.ts';
import { timeMarks } from './marked-guest.ts';

const CACHE = join(import.meta.dirname, '..', '.cache', 'computer');
const RAM_MIB = 1024;

/** Debian's network installer: from the start of the process to its first dialog. */
export const bench: Bench = {
  summary: `Debian's installer to its first dialog, against ${EMULATOR}`,
  async run({ rounds }) {
    checkInstalled(EMULATOR);
    const folder = mkdtempSync(join(tmpdir(), 'polyvisor-bench-'));
    try {
      const files = await fetchInstaller(CACHE);
      const [kernel, initrd] = [join(folder, 'kernel'), join(folder, 'initrd')];
      writeFileSync(kernel, files.kernel);
      writeFileSync(initrd, files.initrd);
      const options = { kernelArguments: INSTALLER_ARGUMENTS, ramMib: RAM_MIB };
      const ours: number[] = [];
      const peer: number[] = [];
      for (let round = 0; round < rounds; round++) {
        ours.push(await untilDialog(oursWith({ kernel, initrd }, options)));
        peer.push(await untilDialog(emulatorWith({ kernel, initrd }, options)));
      }
      return { 'first dialog': compare(ours, peer, 'ms') };
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

async function untilDialog(command: Command): Promise<number> {
  const options = { last: DIALOG_END, marks: new RegExp(DIALOG_END, 'g') };
  return (await timeMarks(command, options))(DIALOG_END);
}
