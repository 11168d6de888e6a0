import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '@polyvisor/errors/assert';
import type { Guest } from '@polyvisor/host/guest';
import { createHost } from '@polyvisor/host/host';
import { findImage } from '@polyvisor/images/image-store';
import { MICRO_IMAGE, fillStore } from '../conformance/debian-boot.ts';
import { type Bench, alone, median } from './harness.ts';

const CACHE = join(import.meta.dirname, '..', '.cache', 'computer');
const RAM = '256MiB';
const FORKS = 20;
const LIVE_FORKS = 100;
const IDLE_MS = 5000;
const WRITTEN_MIB = 64;

/** Forks of a booted computer. There is no peer: these are limits that we promise. */
export const bench: Bench = {
  summary: `forks of a booted computer of ${RAM}, and what idle ones cost`,
  async run({ rounds }) {
    await fillStore(CACHE);
    const { kernel, initrd, commandLine } = findImage(CACHE, MICRO_IMAGE);
    await using host = await createHost();
    const guest = await host.create({
      kind: 'linux',
      options: { kernel, initrd: initrd!, commandLine, ram: RAM },
    });
    await guest.shell.ready();
    await pause(1000);
    const forks: number[] = [];
    const answers: number[] = [];
    const restores: number[] = [];
    const resets: number[] = [];
    const idle: number[] = [];
    await guest.snapshot('booted');
    for (let round = 0; round < rounds; round++) {
      const times = [];
      for (let i = 0; i < FORKS; i++) times.push(await forkAndAsk(guest));
      forks.push(median(times.map(([fork]) => fork)));
      answers.push(median(times.map(([, answer]) => answer)));
      const startMs = performance.now();
      await guest.restore('booted');
      restores.push(performance.now() - startMs);
      resets.push(((await writeAndReset(guest)) / WRITTEN_MIB) * 4);
      await pause(1000);
      idle.push(await idleShare());
    }
    const before = memoryInUse();
    const live = await guest.forkMany(LIVE_FORKS);
    await pause(1000);
    const after = memoryInUse();
    const each = (name: keyof typeof before): number => (after[name] - before[name]) / LIVE_FORKS;
    for (const fork of live) await fork.remove();
    return {
      fork: alone(forks, 'ms'),
      'fork to its first answer': alone(answers, 'ms'),
      restore: alone(restores, 'ms'),
      'idle computer': alone(idle, '% of a CPU'),
      [`reset in place, ${WRITTEN_MIB} MiB written: for each 4 MiB`]: alone(resets, 'ms'),
      [`memory of each of ${LIVE_FORKS} idle forks`]: alone([each('ownMb')], 'MB'),
      'and as its processes count what they share, too': alone([each('residentMb')], 'MB'),
    };
  },
};

/** Forks, types a character, and waits for its echo. @returns both times, from the beginning */
async function forkAndAsk(guest: Guest): Promise<readonly [fork: number, answer: number]> {
  const startMs = performance.now();
  await using fork = await guest.fork();
  const forkMs = performance.now() - startMs;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = fork.console.on(() => resolve());
  fork.console.write(Buffer.from('x'));
  await promise;
  end();
  return [forkMs, performance.now() - startMs];
}

/** Has the guest write to its memory, and takes it back. @returns milliseconds of the latter */
async function writeAndReset(guest: Guest): Promise<number> {
  const { exitCode } = await guest.shell.run([
    'sh',
    '-c',
    `yes polyvisor | head -c ${WRITTEN_MIB}m >/dev/written`,
  ]);
  assert(exitCode === 0, 'the guest has room for what it writes');
  const startMs = performance.now();
  await guest.restore('booted');
  return performance.now() - startMs;
}

/**
 * Megabytes of this process: proportional set size, in which each of n mappings of a page counts as 1/n of it, and
 * resident set size, in which it counts as a page.
 * @see Linux, Documentation/filesystems/proc.rst, /proc/PID/smaps_rollup
 */
function memoryInUse(): { ownMb: number; residentMb: number } {
  const text = readFileSync('/proc/self/smaps_rollup', 'utf8');
  const kibibytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text)![1]);
  return { ownMb: kibibytes('Pss') * 1.024e-3, residentMb: kibibytes('Rss') * 1.024e-3 };
}

async function idleShare(): Promise<number> {
  const before = process.cpuUsage();
  await pause(IDLE_MS);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / 1000 / IDLE_MS) * 100;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
