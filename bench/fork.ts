import { createHost } from '@polyvisor/host/host';
import { type Bench, alone, median, timeEach } from './harness.ts';
import { megabytesOf } from './spawned.ts';
import { Filler } from './storage-filler.ts';

const SLOTS = 100_000;
const FORKS = 200;
const LIVE_FORKS = 1_000;
const SNAPSHOTS = 500;
const MEMORY_FORKS = 50;
const MEMORY_BYTES = 256 * 2 ** 20;

/** Forks, snapshots, and copy-on-write memory. There is no peer: these are limits that we promise. */
export const bench: Bench = {
  summary: `forks of a guest with ${SLOTS} slots, snapshot + revert, ${LIVE_FORKS} live forks, 256 MiB of memory`,
  run: async ({ rounds }) => {
    const forks: number[] = [];
    const reverts: number[] = [];
    const memories: number[] = [];
    await using host = await createHost();
    const origin = await host.create({ kind: 'evm', options: {} });
    const request = (method: string, params: readonly unknown[] = []): Promise<unknown> =>
      origin.provider.request({ method, params });
    await (await Filler.deploy(request)).fillTo(SLOTS);
    for (let round = 0; round < rounds; round++) {
      forks.push(await forkTime(origin));
      reverts.push(
        median(
          await timeEach(SNAPSHOTS, async () => {
            const id = await request('evm_snapshot');
            if ((await request('evm_revert', [id])) !== true) throw new Error('no such snapshot');
          }),
        ),
      );
      memories.push(await memoryForkTime());
    }
    return {
      'fork of a guest': alone(
        forks.map((us) => us / 1000),
        'ms',
      ),
      'snapshot + revert': alone(reverts, 'µs'),
      'copy-on-write fork of 256 MiB': alone(
        memories.map((us) => us / 1000),
        'ms',
      ),
      [`resident memory with ${LIVE_FORKS} live forks`]: alone(
        [megabytesOf(new URL('./live-forks.ts', import.meta.url), LIVE_FORKS)],
        'MB',
      ),
    };
  },
};

async function forkTime(origin: { fork(): Promise<AsyncDisposable> }): Promise<number> {
  const made: AsyncDisposable[] = [];
  const times = await timeEach(FORKS, async () => made.push(await origin.fork()));
  for (const fork of made) await fork[Symbol.asyncDispose]();
  return median(times);
}

async function memoryForkTime(): Promise<number> {
  const { forkTimes } = await import('./memory-forks.ts');
  return median(await forkTimes(MEMORY_BYTES, MEMORY_FORKS));
}
