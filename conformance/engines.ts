import type { Tier } from '@polyvisor/evm/compiler/code-cache';
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

const engines = new Map<string, Evm>();

/** The engine of a fork and tier; one for all cases. */
export function engineOf(fork: Hardfork, tier: Tier): Evm {
  const key = `${fork} ${tier}`;
  let engine = engines.get(key);
  if (!engine) {
    engine = createEvm({ hardfork: fork, tier });
    engines.set(key, engine);
  }
  return engine;
}
