import { createHost } from '@polyvisor/host/host';
import { Anvil } from './anvil.ts';
import { type Bench, type Figure, alone, compare, median, timeEach } from './harness.ts';
import { peerVersion } from './peers.ts';
import { megabytesOf, residentMegabytes } from './spawned.ts';
import { Filler } from './storage-filler.ts';

const SIZES = [0, 50_000, 100_000, 200_000] as const;
/** anvil takes minutes to get further. */
const PEER_SIZES = [0, 10_000, 50_000] as const;
const TRANSACTIONS = 200;
const PEER_TRANSACTIONS = 20;

/** Send and receipt of one transaction on chains whose contract has ever more storage. */
export const bench: Bench = {
  summary: `send + receipt in process as state grows; ${peerVersion('@foundry-rs/anvil')} over HTTP for comparison`,
  run: async ({ rounds }) => {
    await using host = await createHost();
    const origin = await host.create({ kind: 'evm', options: {} });
    const filler = await Filler.deploy((method, params) =>
      origin.provider.request({ method, params }),
    );
    const sized: Filler[] = [];
    for (const slots of SIZES) {
      await filler.fillTo(slots);
      const fork = await origin.fork();
      sized.push(filler.on((method, params) => fork.provider.request({ method, params })));
    }
    for (const one of sized) await timeEach(TRANSACTIONS, () => one.sendOne());
    const times = SIZES.map((): number[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [i, one] of sized.entries()) {
        times[i]!.push(median(await timeEach(TRANSACTIONS, () => one.sendOne())));
      }
    }
    const figures: Record<string, Figure> = {
      [`${SIZES.at(-1)} slots against none`]: compare(times.at(-1)!, times[0]!, 'µs'),
      'resident memory': alone(
        [megabytesOf(new URL('./grown-chain.ts', import.meta.url), SIZES.at(-1)!)],
        'MB',
      ),
    };
    for (const [i, slots] of SIZES.entries()) figures[`${slots} slots`] = alone(times[i]!, 'µs');
    return { ...figures, ...(await anvilFigures(rounds)) };
  },
};

async function anvilFigures(rounds: number): Promise<Record<string, Figure>> {
  await using anvil = await Anvil.start();
  const filler = await Filler.deploy((method, params) => anvil.request(method, params));
  const figures: Record<string, Figure> = {};
  for (const slots of PEER_SIZES) {
    await filler.fillTo(slots);
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      times.push(median(await timeEach(PEER_TRANSACTIONS, () => filler.sendOne())));
    }
    figures[`anvil, ${slots} slots`] = alone(times, 'µs');
  }
  figures['anvil, resident memory'] = alone([residentMegabytes(anvil.pid)], 'MB');
  return figures;
}
