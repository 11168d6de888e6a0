import { equalBytes } from '@polyvisor/bytes/bytes';
import { encodeRlp } from '@polyvisor/codec/rlp';
import { KECCAK_EMPTY } from '@polyvisor/crypto/keccak';
import { assert } from '@polyvisor/errors/assert';
import { BLOB_GAS, blobSchedule } from '@polyvisor/evm/blob-schedule';
import { createAddress } from '@polyvisor/evm/addresses';
import { SYSTEM_CALL_GAS } from '@polyvisor/evm/gas';
import { type Hardfork, isAtLeast } from '@polyvisor/evm/hardfork';
import type {
  BlockEnvironment,
  Evm,
  ExecuteInput,
  Outcome,
  Tracer,
  TransactionError,
  TransactionMessage,
} from '@polyvisor/evm/world';
import { orderedTrieRoot } from '@polyvisor/store/ordered-root';
import { type Block, type Withdrawal, withdrawalFields } from './block.ts';
import { bloomOf, mergeBlooms } from './bloom.ts';
import { blobBaseFee } from './fees.ts';
import { EMPTY_OMMERS_HASH, type Header, fieldsOf, headerHash } from './header.ts';
import { type BlockHashes, Overlay } from './overlay.ts';
import { type Predeploy, SYSTEM_ADDRESS, predeployAddress } from './predeploys.ts';
import { type Receipt, encodeReceipt } from './receipt.ts';
import { depositsOf, requestsHash } from './requests.ts';
import type { Slice, Steps } from '@polyvisor/machine/steps';
import { execute, executeOrFault } from './slices.ts';
import { callNatively } from './system-contracts.ts';
import { type Transaction, messageOf } from './transaction.ts';
import type { World } from './world.ts';

/** What of a block is decided before its transactions are. */
export interface BlockPlan {
  readonly chainId: bigint;
  readonly parentHash: Uint8Array;
  readonly number: bigint;
  readonly timestamp: bigint;
  readonly coinbase: Uint8Array;
  readonly gasLimit: bigint;
  /** Zero before London. */
  readonly baseFee: bigint;
  readonly prevRandao: Uint8Array;
  /** Zero since Paris. */
  readonly difficulty: bigint;
  readonly extraData: Uint8Array;
  readonly excessBlobGas: bigint;
  readonly parentBeaconBlockRoot: Uint8Array;
  readonly withdrawals: readonly Withdrawal[];
}

export interface AssembledBlock {
  readonly block: Block;
  /** The state behind the block. */
  readonly world: World;
}

/** Why a transaction is not in a block although it is valid by itself, or is not valid. */
export type Refusal = TransactionError | 'block-full' | 'deposit-malformed' | 'engine-limit';

type Ended = Exclude<Outcome, { kind: 'fault' }>;

/**
 * The most bytes of RLP a block may have since Osaka.
 * @see EIP-7934: 10 MiB less 2 MiB for the beacon block around it
 */
export const BLOCK_BYTES_MAX = 8 * 1024 * 1024;
/** What a block's header and lists take at most beside transactions and withdrawals. */
const BLOCK_BYTES_RESERVED = 4096;

const GWEI = 1_000_000_000n;
const ETHER = 1_000_000_000n * GWEI;

/**
 * Puts a block together: `start`, `add` for each transaction, `finish`. Each runs in slices.
 * @see execution-specs, src/ethereum/forks/osaka/fork.py, apply_body
 */
export class BlockAssembly {
  readonly plan: BlockPlan;
  readonly environment: BlockEnvironment;
  readonly #evm: Evm;
  readonly #slice: Slice;
  readonly #overlay: Overlay;
  readonly #transactions: Transaction[] = [];
  readonly #receipts: Receipt[] = [];
  readonly #failedSystemCalls: Predeploy['name'][] = [];
  #gasUsed = 0n;
  #blobGasUsed = 0n;
  #bytes = BLOCK_BYTES_RESERVED;

  /** `environment`: the block as code in it sees it, where that is not what follows from the plan. */
  constructor(
    evm: Evm,
    world: World,
    plan: BlockPlan,
    hashes: BlockHashes,
    slice: Slice,
    environment: BlockEnvironment = environmentOf(plan, evm),
  ) {
    this.plan = plan;
    this.#evm = evm;
    this.#slice = slice;
    this.#overlay = new Overlay(world, hashes);
    this.environment = environment;
  }

  /** The state behind what was added so far. */
  get state(): Overlay {
    return this.#overlay;
  }

  get gasLeft(): bigint {
    return this.plan.gasLimit - this.#gasUsed;
  }

  /** System contracts that are missing or did not return. What a block may not lack is the importer's business. */
  get failedSystemCalls(): readonly Predeploy['name'][] {
    return this.#failedSystemCalls;
  }

  /** The calls that come before all transactions. */
  *start(): Steps<void> {
    yield* this.#callSystem('beaconRoots', this.plan.parentBeaconBlockRoot);
    yield* this.#callSystem('blockHashes', this.plan.parentHash);
  }

  /** Executes a transaction behind those added before. What refuses it; undefined when it is in the block. */
  *add(tx: Transaction): Steps<Refusal | undefined> {
    const blobGas = BLOB_GAS * BigInt(tx.blobVersionedHashes.length);
    if (tx.gasLimit > this.gasLeft || !this.#hasRoomFor(tx, blobGas)) {
      return tx.gasLimit > this.plan.gasLimit ? 'gas-limit-over-block' : 'block-full';
    }
    const input = this.#inputOf(tx, 'transaction');
    const outcome = yield* executeOrFault(this.#evm, input, this.#slice);
    // A transaction that the engine can't hold must not keep others from being mined.
    if (outcome.kind === 'fault') return 'engine-limit';
    if (outcome.kind === 'rejected') return outcome.error;
    if (this.#hasRequests && depositsOf(outcome.logs) === undefined) return 'deposit-malformed';
    this.#include(tx, outcome);
    return undefined;
  }

  /** Executes a message that nobody signed and, unless it is rejected, takes it in. The caller minds the gas limit. */
  *simulate(tx: Transaction, rules: 'transaction' | 'call', tracer?: Tracer): Steps<Ended> {
    const outcome = yield* this.#execute(tx, rules, tracer);
    if (outcome.kind === 'executed') this.#include(tx, outcome);
    return outcome;
  }

  /** Executes a transaction behind those added before with a tracer watching, and leaves it out of the block. */
  *trace(tx: Transaction, tracer: Tracer): Steps<Extract<Outcome, { kind: 'executed' }>> {
    const outcome = yield* this.#execute(tx, 'transaction', tracer);
    assert(outcome.kind === 'executed', 'a mined transaction is valid in its block');
    return outcome;
  }

  /** The world behind what was added so far. */
  world(): World {
    return this.#overlay.commit();
  }

  /** Withdrawals, requests, roots and the header. */
  *finish(): Steps<AssembledBlock> {
    this.#overlay.addBalance(this.plan.coinbase, blockReward(this.#evm.hardfork));
    for (const { address, amount } of this.plan.withdrawals) {
      this.#overlay.addBalance(address, amount * GWEI);
    }
    const requests = this.#hasRequests
      ? [
          { type: 0, data: depositsOf(this.#receipts.flatMap((receipt) => receipt.logs))! },
          { type: 1, data: yield* this.#callSystem('withdrawalRequests', NOTHING) },
          { type: 2, data: yield* this.#callSystem('consolidationRequests', NOTHING) },
        ]
      : [];
    const world = this.#overlay.commit();
    const { plan } = this;
    const withdrawals = plan.withdrawals.map((entry) => encodeRlp(withdrawalFields(entry)));
    const header: Header = fieldsOf(this.#evm.hardfork, {
      parentHash: plan.parentHash,
      ommersHash: EMPTY_OMMERS_HASH,
      coinbase: plan.coinbase,
      stateRoot: world.root(),
      transactionsRoot: orderedTrieRoot(this.#transactions.map((tx) => tx.raw)),
      receiptsRoot: orderedTrieRoot(this.#receipts.map(encodeReceipt)),
      logsBloom: mergeBlooms(this.#receipts.map((receipt) => receipt.logsBloom)),
      difficulty: plan.difficulty,
      number: plan.number,
      gasLimit: plan.gasLimit,
      gasUsed: this.#gasUsed,
      timestamp: plan.timestamp,
      extraData: plan.extraData,
      prevRandao: plan.prevRandao,
      nonce: new Uint8Array(8),
      baseFee: plan.baseFee,
      withdrawalsRoot: orderedTrieRoot(withdrawals),
      blobGasUsed: this.#blobGasUsed,
      excessBlobGas: plan.excessBlobGas,
      parentBeaconBlockRoot: plan.parentBeaconBlockRoot,
      requestsHash: requestsHash(requests),
    });
    const block: Block = {
      header,
      hash: headerHash(header),
      transactions: this.#transactions,
      receipts: this.#receipts,
      withdrawals: plan.withdrawals,
    };
    return { block, world };
  }

  *#execute(tx: Transaction, rules: 'transaction' | 'call', tracer?: Tracer): Steps<Ended> {
    return yield* execute(this.#evm, this.#inputOf(tx, rules, tracer), this.#slice);
  }

  #inputOf(tx: Transaction, rules: 'transaction' | 'call', tracer?: Tracer): ExecuteInput {
    return {
      message: messageOf(tx, tx.sender),
      block: this.environment,
      state: this.#overlay,
      rules,
      keepsEffects: true,
      ...(tracer ? { tracer } : {}),
    };
  }

  #include(tx: Transaction, outcome: Extract<Outcome, { kind: 'executed' }>): void {
    const blobGas = BLOB_GAS * BigInt(tx.blobVersionedHashes.length);
    this.#overlay.apply(outcome.effects);
    this.#gasUsed += outcome.gasUsed;
    this.#blobGasUsed += blobGas;
    this.#bytes += tx.raw.length + 9;
    this.#transactions.push(tx);
    this.#receipts.push({
      type: tx.type,
      isSuccess: outcome.status === 'success',
      cumulativeGasUsed: this.#gasUsed,
      gasUsed: outcome.gasUsed,
      effectiveGasPrice: effectiveGasPrice(tx, this.plan.baseFee),
      logsBloom: bloomOf(outcome.logs),
      logs: outcome.logs,
      contractAddress: tx.to ? undefined : createAddress(tx.sender, tx.nonce),
      blobGasUsed: blobGas,
      blobGasPrice: blobGas === 0n ? 0n : this.environment.blobBaseFee,
      stateRoot: isAtLeast(this.#evm.hardfork, 'byzantium') ? undefined : this.#interimRoot(),
    });
  }

  get #hasRequests(): boolean {
    return isAtLeast(this.#evm.hardfork, 'prague');
  }

  #hasRoomFor(tx: Transaction, blobGas: bigint): boolean {
    const fork = this.#evm.hardfork;
    const blobsMax = BigInt(blobSchedule(fork)?.max ?? 0) * BLOB_GAS;
    if (this.#blobGasUsed > 0n && this.#blobGasUsed + blobGas > blobsMax) return false;
    return !isAtLeast(fork, 'osaka') || this.#bytes + tx.raw.length + 9 <= BLOCK_BYTES_MAX;
  }

  /** A call of a contract that the fork brought; nothing where the chain lacks it. @returns its output */
  *#callSystem(name: Predeploy['name'], data: Uint8Array): Steps<Uint8Array> {
    const to = predeployAddress(name);
    const account = this.#overlay.account(to);
    const since = name === 'beaconRoots' ? 'cancun' : 'prague';
    if (!isAtLeast(this.#evm.hardfork, since)) return NOTHING;
    if (!account || equalBytes(account.codeHash, KECCAK_EMPTY)) {
      this.#failedSystemCalls.push(name);
      return NOTHING;
    }
    if (callNatively(name, this.#overlay, this.environment, data)) return NOTHING;
    const outcome = yield* execute(
      this.#evm,
      {
        message: { ...SYSTEM_MESSAGE, to, data },
        block: this.environment,
        state: this.#overlay,
        rules: 'system',
      },
      this.#slice,
    );
    const isOk = outcome.kind === 'executed' && outcome.status === 'success';
    if (!isOk) this.#failedSystemCalls.push(name);
    if (outcome.kind !== 'executed') return NOTHING;
    this.#overlay.apply(outcome.effects);
    return isOk ? outcome.output : NOTHING;
  }

  /** Before Byzantium a receipt holds the state root behind its transaction. @see EIP-658 */
  #interimRoot(): Uint8Array {
    return this.#overlay.commit().root();
  }
}

/**
 * New money for a block's beneficiary, in wei; none since Paris.
 * @see Yellow Paper, section 11.3; EIP-649, EIP-1234, EIP-3675
 */
function blockReward(fork: Hardfork): bigint {
  if (isAtLeast(fork, 'paris')) return 0n;
  return ETHER * (isAtLeast(fork, 'constantinople') ? 2n : isAtLeast(fork, 'byzantium') ? 3n : 5n);
}

/** What a transaction pays for a unit of gas. @see EIP-1559 */
export function effectiveGasPrice(
  tx: Pick<Transaction, 'maxFeePerGas' | 'maxPriorityFeePerGas'>,
  baseFee: bigint,
): bigint {
  const offered = baseFee + tx.maxPriorityFeePerGas;
  return offered < tx.maxFeePerGas ? offered : tx.maxFeePerGas;
}

/** A block as the engine sees it. */
export function environmentOf(plan: BlockPlan, evm: Evm): BlockEnvironment {
  return {
    chainId: plan.chainId,
    number: plan.number,
    timestamp: plan.timestamp,
    coinbase: plan.coinbase,
    gasLimit: plan.gasLimit,
    baseFee: plan.baseFee,
    prevRandao: plan.prevRandao,
    blobBaseFee: blobBaseFee(plan.excessBlobGas, evm.hardfork),
  };
}

const NOTHING = new Uint8Array(0);

const SYSTEM_MESSAGE: TransactionMessage = {
  type: 0,
  sender: SYSTEM_ADDRESS,
  to: undefined,
  nonce: 0n,
  gasLimit: SYSTEM_CALL_GAS,
  maxFeePerGas: 0n,
  maxPriorityFeePerGas: 0n,
  value: 0n,
  data: NOTHING,
  accessList: [],
  blobVersionedHashes: [],
  maxFeePerBlobGas: 0n,
  authorizationList: [],
};
