import type { GuestLimits, GuestSpec } from '@polyvisor/host/guest-spec';
import type { EvmOptions } from '@polyvisor/host/kinds/evm-types';
import { specOf } from './spec-of.ts';

export type { Hardfork } from '@polyvisor/evm/hardfork';
export type {
  DevelopmentAccount,
  Eip1193Provider,
  EvmAllocation,
  EvmClient,
  EvmFaces,
  EvmOptions,
} from '@polyvisor/host/kinds/evm-types';

/**
 * An Ethereum chain, described: what `host.create`, `defineConfig` and `chains` take. Plain data; nothing runs yet.
 * @example evm({ hardfork: 'osaka', accounts: 20, memory: '256MiB' })
 */
export function evm(settings: EvmSettings = {}): GuestSpec<'evm'> {
  return specOf('evm', settings);
}

/** The chain's own options and the limits of any guest, in one object. */
export interface EvmSettings extends EvmOptions, GuestLimits {
  readonly name?: string;
}
