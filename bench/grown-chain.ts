import { createHost } from '@polyvisor/host/host';
import { Filler } from './storage-filler.ts';

/** Prints the resident megabytes of a process with a chain of so many slots that goes on mining. */
const slots = Number(process.argv[2]);
const TRANSACTIONS = 1000;
await using host = await createHost();
const chain = await host.create({ kind: 'evm', options: {} });
const filler = await Filler.deploy((method, params) => chain.provider.request({ method, params }));
await filler.fillTo(slots);
for (let i = 0; i < TRANSACTIONS; i++) await filler.sendOne();
console.log((process.memoryUsage().rss / 1e6).toFixed(1));
