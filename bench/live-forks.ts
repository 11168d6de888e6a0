import { createHost } from '@polyvisor/host/host';
import { Filler } from './storage-filler.ts';

/** Prints the resident megabytes of a process with a chain of 10,000 slots and so many live forks that each mined. */
const count = Number(process.argv[2]);
await using host = await createHost();
const origin = await host.create({ kind: 'evm', options: {} });
const filler = await Filler.deploy((method, params) => origin.provider.request({ method, params }));
await filler.fillTo(10_000);
for (let i = 0; i < count; i++) {
  const fork = await origin.fork();
  await filler.on((method, params) => fork.provider.request({ method, params })).sendOne();
}
console.log((process.memoryUsage.rss() / 1e6).toFixed(1));
