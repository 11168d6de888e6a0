import { createEvm } from '@polyvisor/evm/engine';
import { type Hardfork, hardforks } from '@polyvisor/evm/hardfork';
import type { Evm } from '@polyvisor/evm/world';

/** Our names of forks by the fixtures'. */
export const forkNames: Readonly<Record<string, Hardfork>> = {
  ...Object.fromEntries(hardforks.map((fork) => [fork.toLowerCase(), fork])),
  eip150: 'tangerineWhistle',
  eip158: 'spuriousDragon',
  constantinoplefix: 'petersburg',
  merge: 'paris',
};

const engines = new Map<Hardfork, Evm>();

/** The engine of a fork; one for all cases. */
export function engineOf(fork: Hardfork): Evm {
  let engine = engines.get(fork);
  if (!engine) {
    engine = createEvm({ hardfork: fork });
    engines.set(fork, engine);
  }
  return engine;
}
