import { evmBench } from './evm-peers.ts';

export const bench = evmBench('mixed');
