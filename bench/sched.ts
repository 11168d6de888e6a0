import { createHost } from '@polyvisor/host/host';
import type { Host } from '@polyvisor/host/host';
import { type Bench, type Figure, alone } from './harness.ts';
import { Filler } from './storage-filler.ts';

const SECONDS = 5;
const WARM_UP_MS = 500;
const WEIGHTS = [1, 2, 4] as const;
const CAP = 0.25;
/** Calls that wait at each guest at any time: it is never without work. */
const CLIENTS = 4;
/** JUMPDEST PUSH0 JUMP: as long as there is gas. */
const ENDLESS = '0x5b5f56';
const TARGET = '0x00000000000000000000000000000000000000aa';

type EvmGuest = Awaited<ReturnType<typeof spinner>>;

/** Shares of the CPU among saturated guests, in percent; and guests over a limit that fail alone. */
export const bench: Bench = {
  summary: `weights ${WEIGHTS.join(':')}, a cap of ${100 * CAP} %, and limits that end one guest only`,
  run: async ({ rounds }) => {
    const shares = WEIGHTS.map((): number[] => []);
    const capped: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const spent = await weighted();
      const total = spent.reduce((sum, ms) => sum + ms, 0);
      for (const [i, ms] of spent.entries()) shares[i]!.push((100 * ms) / total);
      capped.push(await cappedShare());
    }
    const all = WEIGHTS.reduce<number>((sum, weight) => sum + weight, 0);
    const figures: Record<string, Figure> = {};
    for (const [i, weight] of WEIGHTS.entries()) {
      const fair = ((100 * weight) / all).toFixed(1);
      figures[`weight ${weight} (fair is ${fair})`] = alone(shares[i]!, '% of CPU');
    }
    figures[`capped at ${100 * CAP} %`] = alone(capped, '% of one CPU');
    figures['guests that failed alone'] = alone([await limitedGuests()], 'of 2');
    return figures;
  },
};

/** CPU milliseconds of each guest over the measured seconds. */
async function weighted(): Promise<number[]> {
  await using host = await createHost();
  const guests: EvmGuest[] = [];
  for (const weight of WEIGHTS) guests.push(await spinner(host, { weight }));
  return await spentBy(guests);
}

async function cappedShare(): Promise<number> {
  await using host = await createHost();
  const guest = await spinner(host, { cap: CAP });
  const [spent] = await spentBy([guest]);
  return (100 * spent!) / (SECONDS * 1000);
}

/** A guest that always has more to do than it gets CPU for. */
async function spinner(host: Host, cpu: { weight?: number; cap?: number }) {
  const guest = await host.create({ kind: 'evm', cpu, options: {} });
  await guest.provider.request({ method: 'hardhat_setCode', params: [TARGET, ENDLESS] });
  return guest;
}

async function spentBy(guests: readonly EvmGuest[]): Promise<number[]> {
  const over = new AbortController();
  const call = { to: TARGET, gas: '0x2faf080' };
  const spin = async ({ provider }: EvmGuest): Promise<void> => {
    while (!over.signal.aborted) {
      // Out of gas is how the endless loop ends.
      await provider.request({ method: 'eth_call', params: [call, 'latest'] }).catch(() => {});
    }
  };
  const spinning = guests.flatMap((guest) => Array.from({ length: CLIENTS }, () => spin(guest)));
  // Until all of them are at work and their engines are compiled.
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  const before = guests.map((guest) => guest.usage().cpuMs);
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
  const spent = guests.map((guest, i) => guest.usage().cpuMs - before[i]!);
  over.abort();
  await Promise.all(spinning);
  return spent;
}

/** A guest over its memory limit and one over its storage quota, beside one that goes on. */
async function limitedGuests(): Promise<number> {
  await using host = await createHost();
  const other = await host.create({ kind: 'evm', name: 'other', options: {} });
  const limits = [
    { name: 'memory', spec: { memory: '4MiB' }, code: 'memory-limit' },
    { name: 'storage', spec: { storage: '256KiB' }, code: 'storage-quota' },
  ] as const;
  let failed = 0;
  for (const { name, spec, code } of limits) {
    const guest = await host.create({ kind: 'evm', name, options: {}, ...spec });
    const filler = await Filler.deploy((method, params) =>
      guest.provider.request({ method, params }),
    );
    await filler.fillTo(100_000).catch(() => {});
    const isAlone = other.state.name === 'running' && (await other.isReady());
    if (guest.state.name === 'failed' && guest.state.reason.code === code && isAlone) failed++;
  }
  return failed;
}
