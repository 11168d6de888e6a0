export { chains } from '@polyvisor/vitest/chains';
export type { Chains, ChainsContext, ChainsOptions } from '@polyvisor/vitest/chains';
export { evm } from './evm.ts';
