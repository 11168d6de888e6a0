import { type EvmOptions, createEvm } from './engine.ts';
import type { Evm } from './world.ts';

/** Engines of equal options are one: it holds nothing of anybody's between executions. */
const engines = new Map<string, Evm>();

export function sharedEvm(options: Pick<EvmOptions, 'hardfork' | 'memoryBytesMax'>): Evm {
  const key = `${options.hardfork} ${options.memoryBytesMax}`;
  let evm = engines.get(key);
  if (!evm) engines.set(key, (evm = createEvm(options)));
  return evm;
}
