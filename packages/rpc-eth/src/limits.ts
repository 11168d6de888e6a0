/** How much clients may have and ask for. */
export interface EthServiceLimits {
  /** Filters at a time. */
  readonly filters: number;
  /** Milliseconds after which a filter that nobody polls is dropped. */
  readonly filterIdleMs: number;
  /** Transactions that a filter holds between polls; the oldest go first. */
  readonly filterTransactions: number;
  /** Blocks that one poll of a filter covers; the next poll goes on behind them. */
  readonly polledBlocks: number;
  /** Subscriptions of one connection. */
  readonly subscriptions: number;
  /** Logs in one answer. */
  readonly logs: number;
  /** Blocks that one query for logs looks at. */
  readonly logBlocks: number;
  /** Blocks that one call mines. */
  readonly minedBlocks: number;
  /** Snapshots at a time. */
  readonly snapshots: number;
  /** Bytes of JSON that a dump of a state unpacks to. */
  readonly dumpBytes: number;
}

export const defaultEthServiceLimits: EthServiceLimits = {
  filters: 10_000,
  // @see go-ethereum, eth/filters: 5 minutes
  filterIdleMs: 5 * 60_000,
  filterTransactions: 10_000,
  polledBlocks: 10_000,
  subscriptions: 1_000,
  logs: 100_000,
  logBlocks: 1_000_000,
  minedBlocks: 1_000_000,
  snapshots: 100_000,
  dumpBytes: 256 * 1024 * 1024,
};
