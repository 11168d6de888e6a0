import { parseArgs } from 'node:util';

/** `npm run fuzz -- <name> --seed S --n N`: prints its seed, and fails on the first difference. */
export interface Fuzz {
  readonly summary: string;
  /** Whom it compares with, if that is somebody else's program or package. */
  readonly peer?: string;
  /** @returns counts to print. @throws on a difference, with what is needed to see it again */
  run(options: FuzzOptions): Promise<Readonly<Record<string, number>>>;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly n: number;
}

const fuzzers: Readonly<Record<string, () => Promise<{ fuzz: Fuzz }>>> = {
  evm: () => import('./fuzz-evm.ts'),
  riscv: () => import('./fuzz-riscv.ts'),
  'evm-tiers': () => import('./fuzz-evm-tiers.ts'),
  rpc: () => import('./fuzz-rpc.ts'),
  board: () => import('./fuzz-board.ts'),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    n: { type: 'string', default: '10000' },
    peer: { type: 'string' },
  },
});
const [name] = positionals;
const load = Object.hasOwn(fuzzers, name ?? '') ? fuzzers[name!] : undefined;
if (load === undefined) {
  console.error(
    `usage: npm run fuzz -- <name> [--seed S] [--n N] [--peer P]; names: ${Object.keys(fuzzers).join(', ')}`,
  );
  process.exit(2);
}
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const n = Number(values.n);
const { fuzz } = await load();
if (values.peer !== undefined && values.peer !== fuzz.peer) {
  console.error(`${name}: its peer is ${fuzz.peer ?? 'another form of ours'}, not ${values.peer}`);
  process.exit(2);
}
console.log(`${name}: ${fuzz.summary}\nseed ${seed}, ${n} cases`);
const startMs = performance.now();
const counts = await fuzz.run({ seed, n });
for (const [what, count] of Object.entries(counts)) console.log(`${what}: ${count}`);
console.log(`${n} cases in ${((performance.now() - startMs) / 1000).toFixed(1)} s, no difference`);
process.exit(0);
