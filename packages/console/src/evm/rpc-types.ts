/** What a node's JSON-RPC answers with, as far as it is shown. @see ethereum/execution-apis */
export interface RpcBlock {
  readonly number: string;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestamp: string;
  readonly miner: string;
  readonly gasUsed: string;
  readonly gasLimit: string;
  readonly baseFeePerGas?: string;
  readonly stateRoot: string;
  readonly size: string;
}

/** With its transactions whole. */
export interface RpcFullBlock extends RpcBlock {
  readonly transactions: readonly RpcTransaction[];
}

/** With hashes of its transactions. */
export interface RpcSlimBlock extends RpcBlock {
  readonly transactions: readonly string[];
}

export interface RpcTransaction {
  readonly hash: string;
  readonly blockHash: string | null;
  readonly blockNumber: string | null;
  readonly transactionIndex: string | null;
  readonly type: string;
  readonly from: string;
  /** null: it makes a contract. */
  readonly to: string | null;
  readonly nonce: string;
  readonly value: string;
  readonly input: string;
  readonly gas: string;
  readonly gasPrice?: string;
}

export interface RpcReceipt {
  /** `0x1`, or `0x0` when it failed. */
  readonly status: string;
  readonly gasUsed: string;
  readonly cumulativeGasUsed: string;
  readonly effectiveGasPrice: string;
  readonly contractAddress: string | null;
  readonly transactionHash: string;
  readonly logs: readonly RpcLog[];
}

export interface RpcLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly logIndex: string;
}

export interface RpcAccount {
  readonly balance: bigint;
  readonly nonce: bigint;
  readonly code: string;
}

/** @see go-ethereum, eth/api_debug.go, StorageRangeResult */
export interface StorageRange {
  readonly storage: Readonly<
    Record<string, { readonly key: string | null; readonly value: string }>
  >;
  readonly nextKey: string | null;
}

/** A call and what it called. @see go-ethereum, eth/tracers/native/call.go */
export interface RpcCallFrame {
  readonly type: string;
  readonly from: string;
  /** Not there: a contract that did not come to be. */
  readonly to?: string;
  readonly gas: string;
  readonly gasUsed: string;
  readonly value?: string;
  readonly input: string;
  readonly output?: string;
  readonly error?: string;
  readonly revertReason?: string;
  readonly calls?: readonly RpcCallFrame[];
}
