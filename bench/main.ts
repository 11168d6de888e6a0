import { parseArgs } from 'node:util';
import { type Bench, report } from './harness.ts';

/** `npm run bench -- <name>`: a table, and as the last line one JSON object of it. */
const benches: Readonly<Record<string, () => Promise<{ bench: Bench }>>> = {
  evm: () => import('./evm.ts'),
  'evm-interp': () => import('./evm-interp.ts'),
  ready: () => import('./ready.ts'),
  rpc: () => import('./rpc.ts'),
  growth: () => import('./growth.ts'),
  fork: () => import('./fork.ts'),
  sched: () => import('./sched.ts'),
  computer: () => import('./computer.ts'),
  'computer-disk': () => import('./computer-disk.ts'),
  'computer-fork': () => import('./computer-fork.ts'),
  'computer-installer': () => import('./computer-installer.ts'),
  'computer-net': () => import('./computer-net.ts'),
  'computer-v86': () => import('./computer-v86.ts'),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' } },
});
const [name] = positionals;
const load = Object.hasOwn(benches, name ?? '') ? benches[name!] : undefined;
if (name === undefined || load === undefined) {
  console.error(
    `usage: npm run bench -- <name> [--rounds N]; names: ${Object.keys(benches).join(', ')}`,
  );
  process.exit(2);
}
const rounds = Math.max(5, Number(values.rounds));
const { bench } = await load();
console.log(`${name}: ${bench.summary}`);
report(name, rounds, await bench.run({ rounds }));
process.exit(0);
