import { join } from 'node:path';
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
      await pause(1000);
      idle.push(await idleShare());
    }
    const before = process.memoryUsage.rss();
    const live = await guest.forkMany(LIVE_FORKS);
    await pause(1000);
    const megabytes = (process.memoryUsage.rss() - before) / 1e6 / LIVE_FORKS;
    for (const fork of live) await fork.remove();
    return {
      fork: alone(forks, 'ms'),
      'fork to its first answer': alone(answers, 'ms'),
      restore: alone(restores, 'ms'),
      'idle computer': alone(idle, '% of a CPU'),
      [`resident memory of each of ${LIVE_FORKS} idle forks`]: alone([megabytes], 'MB'),
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

async function idleShare(): Promise<number> {
  const before = process.cpuUsage();
  await pause(IDLE_MS);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / 1000 / IDLE_MS) * 100;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
