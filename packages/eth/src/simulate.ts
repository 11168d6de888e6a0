import { bigIntToBytes } from '@polyvisor/bytes/bytes';
import { hexToBytes } from '@polyvisor/bytes/hex';
import { keccak256 } from '@polyvisor/crypto/keccak';
import { intrinsicGas, transactionGasMax } from '@polyvisor/evm/intrinsic';
import type {
  BlockEnvironment,
  Evm,
  FrameEnd,
  FrameStart,
  Log,
  Tracer,
  TransactionError,
  TransactionMessage,
} from '@polyvisor/evm/world';
import type { Slice, Steps } from '@polyvisor/machine/steps';
import { BlockAssembly, type BlockPlan, environmentOf } from './assembly.ts';
import type { Block } from './block.ts';
import { type AccountOverride, type CallRequest, applyOverrides, typeOf } from './call-request.ts';
import { checksumAddress } from './checksum-address.ts';
import type { Executed } from './calls.ts';
import { EthError } from './errors.ts';
import { feeBehind } from './fee-history.ts';
import { nextExcessBlobGas } from './fees.ts';
import { type RefusedMessage, costMax, refusalError } from './refusals.ts';
import { type BlockId, type EthState, blockHashes, worldAt } from './state.ts';
import { type Transaction, encodeTransaction, messageOf } from './transaction.ts';

/** What shall happen in blocks that follow one of the chain. @see execution-apis, eth_simulateV1 */
export interface Simulation {
  readonly blocks: readonly SimulationBlock[];
  /** Whether transfers of ether show up as logs. */
  readonly tracesTransfers: boolean;
  /** Whether nonces, fees and balances are checked as those of transactions. */
  readonly validates: boolean;
}

export interface SimulationBlock {
  readonly block: Partial<BlockEnvironment>;
  readonly accounts: readonly AccountOverride[];
  readonly calls: readonly CallRequest[];
}

export interface SimulatedBlock {
  readonly block: Block;
  /** One for each transaction of the block. */
  readonly calls: readonly SimulatedCall[];
}

export interface SimulatedCall {
  readonly outcome: Executed;
  readonly logs: readonly Log[];
}

export interface SimulationContext {
  readonly evm: Evm;
  readonly state: EthState;
  /** Gas that all calls together may spend. */
  readonly gasMax: bigint;
}

/**
 * Blocks of one simulation, those between given numbers counted.
 * @see go-ethereum, internal/ethapi/simulate.go
 */
export const SIMULATED_BLOCKS_MAX = 256n;
/** Seconds between blocks where nothing else is said. */
const BLOCK_SECONDS = 12n;

/** @see execution-apis, src/eth/execute.yaml, errors of eth_simulateV1 */
const codes = {
  intrinsicGas: -38013,
  insufficientFunds: -38014,
  blockGasLimit: -38015,
  blockNumberOrder: -38020,
  timestampOrder: -38021,
  tooManyBlocks: -38026,
} as const;

const refusalCodes: Partial<Record<TransactionError, number>> = {
  'nonce-too-low': -38010,
  'nonce-too-high': -38011,
  'fee-cap-below-base-fee': -38012,
  'intrinsic-gas-too-low': codes.intrinsicGas,
  'insufficient-funds': codes.insufficientFunds,
};

const INTERNAL_ERROR = -32603;

/**
 * Refusals that execution words otherwise than the pool does.
 * @see go-ethereum, core/state_transition.go, preCheck
 */
const refusalTexts: Partial<Record<TransactionError, (refused: RefusedMessage) => string>> = {
  'nonce-too-low': ({ message, sender }) =>
    `nonce too low: ${named(message)}, tx: ${message.nonce} state: ${sender.nonce}`,
  'nonce-too-high': ({ message, sender }) =>
    `nonce too high: ${named(message)}, tx: ${message.nonce} state: ${sender.nonce}`,
  'nonce-at-maximum': ({ message }) =>
    `nonce has max value: ${named(message)}, nonce: ${message.nonce}`,
  'fee-cap-below-base-fee': ({ message, block }) =>
    `max fee per gas less than block base fee: ${named(message)}, ` +
    `maxFeePerGas: ${message.maxFeePerGas}, baseFee: ${block.baseFee}`,
  'intrinsic-gas-too-low': ({ message, fork }) =>
    `intrinsic gas too low: have ${message.gasLimit}, want ${intrinsicGas(message, fork).gas}`,
  'insufficient-funds': ({ message, sender }) =>
    `insufficient funds for gas * price + value: ${named(message)} ` +
    `have ${sender.balance} want ${costMax(message)}`,
};

function named({ sender }: TransactionMessage): string {
  return `address ${checksumAddress(sender)}`;
}

/**
 * Executes blocks behind the one that `id` names. @throws EthError when an order or a call is not
 * valid
 */
export function* simulate(
  context: SimulationContext,
  simulation: Simulation,
  id: BlockId,
  slice: Slice,
): Steps<SimulatedBlock[]> {
  const base = worldAt(context.state, id);
  let { block: parent, world } = base;
  let gasLeft = context.gasMax;
  const simulated: SimulatedBlock[] = [];
  const known = blockHashes(context.state);
  const first = parent.header.number + 1n;
  const hashes = (number: bigint): Uint8Array =>
    number < first ? known(number) : simulated[Number(number - first)]!.block.hash;
  for (const wanted of withoutGaps(simulation.blocks, parent)) {
    const plan = planBehind(parent, wanted.block, context, simulation.validates);
    const { blobBaseFee } = wanted.block;
    const environment = {
      ...environmentOf(plan, context.evm),
      ...(blobBaseFee === undefined ? {} : { blobBaseFee }),
    };
    const assembly = new BlockAssembly(context.evm, world, plan, hashes, slice, environment);
    applyOverrides(assembly.state, wanted.accounts);
    yield* assembly.start();
    const calls: SimulatedCall[] = [];
    for (const request of wanted.calls) {
      const call = yield* callIn(assembly, context.evm, request, simulation, gasLeft);
      gasLeft -= call.outcome.gasUsed;
      calls.push(call);
    }
    const assembled = yield* assembly.finish();
    ({ block: parent, world } = assembled);
    simulated.push({ block: assembled.block, calls });
    while (slice.left <= 0) yield;
  }
  return simulated;
}

/**
 * The wanted blocks with numbers and timestamps, and empty ones between where numbers are left out.
 */
function withoutGaps(blocks: readonly SimulationBlock[], base: Block): SimulationBlock[] {
  const all: SimulationBlock[] = [];
  let { number, timestamp } = base.header;
  const add = (wanted: SimulationBlock): void => {
    number += 1n;
    if (number - base.header.number > SIMULATED_BLOCKS_MAX) {
      throw new EthError('too many blocks', codes.tooManyBlocks);
    }
    const time = wanted.block.timestamp ?? timestamp + BLOCK_SECONDS;
    if (time <= timestamp) {
      const message = `block timestamps must be in order: ${time} <= ${timestamp}`;
      throw new EthError(message, codes.timestampOrder);
    }
    timestamp = time;
    all.push({ ...wanted, block: { ...wanted.block, number, timestamp } });
  };
  for (const wanted of blocks) {
    const next = wanted.block.number ?? number + 1n;
    if (next <= number) {
      const message = `block numbers must be in order: ${next} <= ${number}`;
      throw new EthError(message, codes.blockNumberOrder);
    }
    for (let gap = number + 1n; gap < next; gap++) add({ block: {}, accounts: [], calls: [] });
    add(wanted);
  }
  return all;
}

function planBehind(
  parent: Block,
  wanted: Partial<BlockEnvironment>,
  { evm, state }: SimulationContext,
  validates: boolean,
): BlockPlan {
  const { header } = parent;
  const { excessBlobGas = 0n, blobGasUsed = 0n, baseFee = 0n } = header;
  return {
    chainId: state.settings.chainId,
    parentHash: parent.hash,
    number: wanted.number!,
    timestamp: wanted.timestamp!,
    coinbase: wanted.coinbase ?? header.coinbase,
    gasLimit: wanted.gasLimit ?? header.gasLimit,
    baseFee: wanted.baseFee ?? (validates ? feeBehind(parent, evm.hardfork) : 0n),
    prevRandao: wanted.prevRandao ?? ZERO_HASH,
    difficulty: 0n,
    extraData: NOTHING,
    excessBlobGas: nextExcessBlobGas({ excessBlobGas, blobGasUsed, baseFee }, evm.hardfork),
    parentBeaconBlockRoot: ZERO_HASH,
    withdrawals: [],
  };
}

function* callIn(
  assembly: BlockAssembly,
  evm: Evm,
  request: CallRequest,
  { validates, tracesTransfers }: Simulation,
  gasMax: bigint,
): Steps<SimulatedCall> {
  const forkGasMax = validates ? transactionGasMax(evm.hardfork) : undefined;
  const gasCap = forkGasMax !== undefined && forkGasMax < gasMax ? forkGasMax : gasMax;
  const tx = transactionOfCall(assembly, request, gasCap);
  const sender = assembly.state.account(tx.sender) ?? { nonce: 0n, balance: 0n };
  const refused = (error: TransactionError): EthError => {
    const message = messageOf(tx, tx.sender);
    const told = { message, block: assembly.environment, fork: evm.hardfork, sender };
    const text = refusalTexts[error]?.(told) ?? refusalError(error, told).message;
    const code = refusalCodes[error] ?? INTERNAL_ERROR;
    return new EthError(`err: ${text} (supplied gas ${tx.gasLimit})`, code);
  };
  if (!validates && tx.value > sender.balance) throw refused('insufficient-funds');
  const tracer = tracesTransfers ? new TransferTracer() : undefined;
  const outcome = yield* assembly.simulate(tx, validates ? 'transaction' : 'call', tracer);
  if (outcome.kind === 'rejected') throw refused(outcome.error);
  return { outcome, logs: tracer ? tracer.logs : outcome.logs };
}

/** A call as a transaction without a signature; what it leaves out has the values that fit. */
function transactionOfCall(
  assembly: BlockAssembly,
  request: CallRequest,
  gasMax: bigint,
): Transaction {
  const sender = request.from ?? new Uint8Array(20);
  const { gasLeft } = assembly;
  if (request.gas !== undefined && request.gas > gasLeft) {
    const { gasLimit } = assembly.plan;
    const used = gasLimit - gasLeft + request.gas;
    throw new EthError(`block gas limit reached: ${used} >= ${gasLimit}`, codes.blockGasLimit);
  }
  const gas = request.gas ?? gasLeft;
  const fields = {
    type: typeOf(request),
    chainId: assembly.plan.chainId,
    nonce: request.nonce ?? assembly.state.account(sender)?.nonce ?? 0n,
    maxFeePerGas: request.gasPrice ?? request.maxFeePerGas ?? 0n,
    maxPriorityFeePerGas: request.gasPrice ?? request.maxPriorityFeePerGas ?? 0n,
    gasLimit: gas < gasMax ? gas : gasMax,
    to: request.to,
    value: request.value ?? 0n,
    data: request.data ?? NOTHING,
    accessList: request.accessList ?? [],
    maxFeePerBlobGas: request.maxFeePerBlobGas ?? 0n,
    blobVersionedHashes: request.blobVersionedHashes ?? [],
    authorizationList: request.authorizationList ?? [],
  };
  const raw = encodeTransaction(fields, 0, 0n, 0n);
  return { ...fields, yParity: 0, r: 0n, s: 0n, raw, sender, hash: keccak256(raw) };
}

/** Who logs transfers of ether. @see ERC-7528 */
const ETHER_ADDRESS = hexToBytes('0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee');
/** Keccak-256 of Transfer(address,address,uint256). @see ERC-20 */
const TRANSFER_TOPIC = hexToBytes(
  '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef',
);

/**
 * Collects logs and, as logs among them, transfers of ether. What a failed frame logged did not
 * happen.
 */
class TransferTracer implements Tracer {
  readonly #open: Log[][] = [];
  logs: Log[] = [];

  enter({ type, from, to, value }: FrameStart): void {
    this.#open.push([]);
    if (value === 0n || type === 'DELEGATECALL') return;
    const topics = [TRANSFER_TOPIC, padded(from), padded(to)];
    this.log({ address: ETHER_ADDRESS, topics, data: bigIntToBytes(value, 32) });
  }

  exit({ status }: FrameEnd): void {
    const logs = this.#open.pop()!;
    if (status !== 'success') return;
    (this.#open.at(-1) ?? this.logs).push(...logs);
  }

  log({ address, topics, data }: Log): void {
    this.#open.at(-1)!.push({
      address: address.slice(),
      topics: topics.map((topic) => topic.slice()),
      data: data.slice(),
    });
  }
}

function padded(address: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes.set(address, 12);
  return bytes;
}

const NOTHING = new Uint8Array(0);
const ZERO_HASH = new Uint8Array(32);
