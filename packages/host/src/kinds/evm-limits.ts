import type { Range } from '../guest-spec.ts';

/** What the numbers of `EvmOptions` may be, both ends allowed. */
export const evmRanges = {
  chainId: { min: 1, max: Number.MAX_SAFE_INTEGER },
  accounts: { min: 0, max: 1000 },
  /** Ether; a quadrillion is a million times all there is. */
  balance: { min: 0, max: 1e15 },
  blockTime: { min: 0, max: 31_536_000 },
  /** The least that any block may have. @see Yellow Paper, 4.4.4, "Gas limit" */
  gasLimit: { min: 5000, max: Number.MAX_SAFE_INTEGER },
  baseFee: { min: 0, max: Number.MAX_SAFE_INTEGER },
  timestamp: { min: 0, max: 2 ** 40 },
  historyBlocks: { min: 1, max: 1e9 },
  port: { min: 0, max: 65_535 },
} as const satisfies Record<string, Range>;
