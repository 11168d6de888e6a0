import { bytesToHex } from '@polyvisor/bytes/hex';
import { tiers } from '../compiler/code-cache.ts';
import { createEvm } from '../engine.ts';
import { type Hardfork, hardforks } from '../hardfork.ts';
import type { Evm, Outcome } from '../world.ts';
import { CONTRACT, SENDER, runToOutcome, testBlock } from './run-code.ts';
import { randomLoop } from './random-loop.ts';
import { randomNumbers, randomProgram } from './random-program.ts';

export const OTHER: Uint8Array = new Uint8Array(20).fill(0xd0);
const NOBODY = new Uint8Array(20).fill(0xee);
const identity = new Uint8Array(20);
identity[19] = 4;
const addresses = [CONTRACT, OTHER, SENDER, NOBODY, identity, testBlock.coinbase];

export interface TierResult {
  /** How the program ended in the interpreter. */
  readonly status: string;
  readonly difference:
    | { readonly what: string; readonly code: Uint8Array; readonly other: Uint8Array }
    | undefined;
}

/** Two random contracts that call each other, interpreted and compiled. */
export function differenceOfTiers(seed: number): TierResult {
  const random = randomNumbers(seed);
  const fork = random() < 0.7 ? 'osaka' : hardforks[Math.floor(random() * hardforks.length)]!;
  const length = 10 + Math.floor(random() * 80);
  const isLoop = random() < 0.4;
  // Long enough that the loop becomes hot and is compiled as it runs.
  const isLong = isLoop && random() < 0.05;
  const code = isLoop
    ? randomLoop(random, fork, isLong ? 6000 : 40)
    : randomProgram(random, { fork, length, addresses });
  const other = randomProgram(random, { fork, length: length / 2, addresses });
  // Often just enough to run dry somewhere.
  const gas = 24_000n + BigInt(Math.floor(random() ** 4 * (isLong ? 20_000_000 : 400_000)));
  const data = Uint8Array.from({ length: Math.floor(random() * 80) }, () => random() * 256);
  const options = { fork, gas, data, others: [[OTHER, other]] as const };
  const [interpreter, compiled, mixed] = enginesOf(fork);
  const expected = runToOutcome(code, { ...options, evm: interpreter });
  const slice = random() < 0.5 ? Number.MAX_SAFE_INTEGER : 1 + Math.floor(random() * 3000);
  const actual = runToOutcome(code, { ...options, evm: isLong ? mixed : compiled, slice });
  const [left, right] = [plainOutcome(expected), plainOutcome(actual)];
  const status = expected.kind === 'executed' ? expected.status : expected.kind;
  if (left === right) return { status, difference: undefined };
  const what = `${fork}, gas ${gas}, slice ${slice}\n interpreted ${left}\n compiled    ${right}`;
  return { status, difference: { what, code, other } };
}

/** An outcome as text: all of it, so that two can be compared. */
export function plainOutcome(outcome: Outcome): string {
  return JSON.stringify(outcome, (_, value: unknown) => {
    if (value instanceof Uint8Array) return bytesToHex(value);
    return typeof value === 'bigint' ? value.toString() : value;
  });
}

type Engines = readonly [interpreter: Evm, compiled: Evm, mixed: Evm];
const engines = new Map<Hardfork, Engines>();

function enginesOf(fork: Hardfork): Engines {
  let all = engines.get(fork);
  if (!all) {
    all = tiers.map((tier) => createEvm({ hardfork: fork, tier })) as unknown as Engines;
    engines.set(fork, all);
  }
  return all;
}
