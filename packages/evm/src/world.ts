import type { Hardfork } from './hardfork.ts';

/**
 * What the engine reads and what it gives back. Byte arrays handed to a `WorldState` are views that are valid
 * only during the call: copy what you keep. Addresses have 20 bytes; hashes, keys and slot values 32, big-endian.
 */
export interface Account {
  readonly nonce: bigint;
  readonly balance: bigint;
  readonly codeHash: Uint8Array;
  /** Whether its storage trie has an entry: a contract can't be created over it (EIP-7610). */
  readonly hasStorage: boolean;
}

/** The state before a transaction. It must not change while one runs over it. */
export interface WorldState {
  account(address: Uint8Array): Account | undefined;
  code(codeHash: Uint8Array): Uint8Array;
  /** 32 bytes; an unset slot reads as zero. */
  storage(address: Uint8Array, key: Uint8Array): Uint8Array;
  /** Hash of one of the 256 blocks before this one. */
  blockHash(number: bigint): Uint8Array;
}

export interface BlockEnvironment {
  readonly chainId: bigint;
  readonly number: bigint;
  readonly timestamp: bigint;
  readonly coinbase: Uint8Array;
  readonly gasLimit: bigint;
  /** Zero before London. */
  readonly baseFee: bigint;
  /** PREVRANDAO since Paris, the difficulty as 32 big-endian bytes before. */
  readonly prevRandao: Uint8Array;
  /** Price of one unit of blob gas; 1 at least since Cancun. */
  readonly blobBaseFee: bigint;
}

export interface AccessListEntry {
  readonly address: Uint8Array;
  readonly storageKeys: readonly Uint8Array[];
}

/** One EIP-7702 authorization, its signature already recovered; no `authority` if that failed. */
export interface Authorization {
  readonly chainId: bigint;
  readonly address: Uint8Array;
  readonly nonce: bigint;
  readonly authority: Uint8Array | undefined;
}

/** A transaction with its sender recovered. Fields that a type does not have are zero or empty. */
export interface TransactionMessage {
  /** EIP-2718 type: 0 legacy, 1 access list, 2 dynamic fee, 3 blob, 4 set code. */
  readonly type: 0 | 1 | 2 | 3 | 4;
  readonly sender: Uint8Array;
  /** Undefined: create a contract. */
  readonly to: Uint8Array | undefined;
  readonly nonce: bigint;
  readonly gasLimit: bigint;
  /** Types 0 and 1: both are the gas price. */
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly accessList: readonly AccessListEntry[];
  readonly blobVersionedHashes: readonly Uint8Array[];
  readonly maxFeePerBlobGas: bigint;
  readonly authorizationList: readonly Authorization[];
}

/**
 * How strictly a message is judged.
 * - `transaction`: every rule of the protocol.
 * - `call`: as `eth_call` does: nonce, sender's code, balance for gas and fee caps are not checked, no fee is taken.
 * - `system`: a system call of EIP-4788, 2935, 7002 or 7251: no intrinsic gas, no fee, no nonce, no refund.
 */
export type MessageRules = 'transaction' | 'call' | 'system';

export interface Log {
  readonly address: Uint8Array;
  readonly topics: readonly Uint8Array[];
  readonly data: Uint8Array;
}

/** What a transaction did to one account. */
export interface AccountEffect {
  readonly address: Uint8Array;
  /** Undefined: the account is gone (self-destructed, or empty and touched since EIP-158). */
  readonly account:
    | { readonly nonce: bigint; readonly balance: bigint; readonly codeHash: Uint8Array }
    | undefined;
  /** Set when the transaction gave the account this code. */
  readonly code: Uint8Array | undefined;
  /** All old storage is gone before `storage` is applied. */
  readonly storageCleared: boolean;
  /** New slot values by key; zero removes the slot. */
  readonly storage: readonly (readonly [key: Uint8Array, value: Uint8Array])[];
}

/** How the outermost frame ended when neither by success nor by REVERT. All its gas is spent. */
export type HaltReason =
  | 'out-of-gas'
  | 'stack-underflow'
  | 'stack-overflow'
  | 'invalid-jump'
  | 'invalid-opcode'
  | 'static-state-change'
  | 'return-data-out-of-bounds'
  | 'create-collision'
  | 'create-code-too-large'
  | 'create-code-starts-with-ef'
  | 'initcode-too-large'
  | 'nonce-overflow'
  | 'precompile-failure'
  | 'call-depth'
  | 'insufficient-balance';

/** Why a transaction is not valid: nothing was executed and nothing changed. */
export type TransactionError =
  | 'type-not-supported'
  | 'nonce-too-low'
  | 'nonce-too-high'
  | 'nonce-at-maximum'
  | 'sender-has-code'
  | 'insufficient-funds'
  | 'intrinsic-gas-too-low'
  | 'gas-limit-over-block'
  | 'gas-limit-over-cap'
  | 'initcode-too-large'
  | 'fee-cap-below-base-fee'
  | 'priority-fee-over-fee-cap'
  | 'fee-overflow'
  | 'blob-fee-cap-below-blob-base-fee'
  | 'blob-count-zero'
  | 'blob-count-over-limit'
  | 'blob-version-unknown'
  | 'blob-create'
  | 'set-code-create'
  | 'authorization-list-empty';

export type Outcome =
  | { readonly kind: 'rejected'; readonly error: TransactionError }
  | {
      readonly kind: 'executed';
      readonly status: 'success' | 'revert' | HaltReason;
      /** After refunds; what the receipt adds up. */
      readonly gasUsed: bigint;
      readonly gasRefunded: bigint;
      /** Return or revert data; empty when halted, the deployed code when a contract was created. */
      readonly output: Uint8Array;
      readonly logs: readonly Log[];
      readonly createdAddress: Uint8Array | undefined;
      readonly effects: readonly AccountEffect[];
    }
  /** The engine's own limit, not the protocol's: the host's business. */
  | {
      readonly kind: 'fault';
      readonly code: 'memory-limit' | 'engine-limit';
      readonly message: string;
    };

/** A message that executes in slices. */
export interface Execution {
  /** Spends at most about `gas` more and stops at a block boundary. True when ended. */
  run(gas: number): boolean;
  /** Gas spent so far. */
  readonly gasSpent: number;
  /** The outcome; undefined until `run` returned true. */
  readonly outcome: Outcome | undefined;
  /** Drops an execution that has not ended. */
  cancel(): void;
}

/** A frame as a tracer sees it when it starts. */
export interface FrameStart {
  readonly type:
    | 'CALL'
    | 'CALLCODE'
    | 'DELEGATECALL'
    | 'STATICCALL'
    | 'CREATE'
    | 'CREATE2'
    | 'SELFDESTRUCT';
  readonly depth: number;
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly value: bigint;
  readonly gas: bigint;
  readonly input: Uint8Array;
}

export interface FrameEnd {
  readonly status: 'success' | 'revert' | HaltReason;
  readonly gasLeft: bigint;
  readonly output: Uint8Array;
}

export interface Step {
  readonly pc: number;
  readonly opcode: number;
  readonly gas: bigint;
  readonly depth: number;
  /** Bottom first. */
  readonly stack: readonly bigint[];
  readonly memory: Uint8Array;
  readonly refund: bigint;
}

/** Called as a traced message runs. Arrays are views: copy what you keep. */
export interface Tracer {
  enter?(frame: FrameStart): void;
  exit?(end: FrameEnd): void;
  step?(step: Step): void;
  log?(log: Log): void;
}

export interface ExecuteInput {
  readonly message: TransactionMessage;
  readonly block: BlockEnvironment;
  readonly state: WorldState;
  readonly rules: MessageRules;
  /** Computes the effects of a `call` too, which are otherwise left empty. */
  readonly keepsEffects?: boolean;
  readonly tracer?: Tracer;
}

/** An engine of one hardfork. Every live execution has a linear memory of its own: end or cancel what you start. */
export interface Evm {
  readonly hardfork: Hardfork;
  execute(input: ExecuteInput): Execution;
}
