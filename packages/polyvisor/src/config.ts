import type { Config } from '@polyvisor/cli/config';

export type { Config } from '@polyvisor/cli/config';
export { evm } from './evm.ts';
export { linux } from './linux.ts';

/** Types a `polyvisor.config.ts`; gives back what it got. */
export function defineConfig(config: Config): Config {
  return config;
}
