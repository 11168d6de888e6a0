import { BLOB_GAS, blobSchedule } from './blob-schedule.ts';
import { type Hardfork, isAtLeast } from './hardfork.ts';
import { initcodeSizeMax, intrinsicGas, transactionGasMax } from './intrinsic.ts';
import type { BlockEnvironment, TransactionError, TransactionMessage } from './world.ts';

const NONCE_MAX = 2n ** 64n - 1n;
const WORD_MAX = 2n ** 256n - 1n;

/** The first fork that knows a transaction type, by type. */
const typeSince: readonly Hardfork[] = ['frontier', 'berlin', 'london', 'cancun', 'prague'];

/** The sender's account as far as validity depends on it. */
export interface Sender {
  readonly nonce: bigint;
  readonly balance: bigint;
  /** Has code that is no delegation designator. */
  readonly isContract: boolean;
}

/**
 * Why a transaction can't be in a block over this state; undefined when it can.
 * @see execution-specs, src/ethereum/forks/osaka/fork.py, check_transaction and validate_transaction
 */
export function transactionError(
  message: TransactionMessage,
  block: BlockEnvironment,
  fork: Hardfork,
  sender: Sender,
): TransactionError | undefined {
  return (
    formError(message, block, fork) ??
    feeError(message, block, fork) ??
    blobError(message, block, fork) ??
    senderError(message, sender)
  );
}

function formError(
  message: TransactionMessage,
  block: BlockEnvironment,
  fork: Hardfork,
): TransactionError | undefined {
  const since = typeSince[message.type];
  if (!since || !isAtLeast(fork, since)) return 'type-not-supported';
  const { gas, floor } = intrinsicGas(message, fork);
  if (message.gasLimit < gas || message.gasLimit < floor) return 'intrinsic-gas-too-low';
  const initcodeMax = initcodeSizeMax(fork);
  if (!message.to && initcodeMax !== undefined && message.data.length > initcodeMax) {
    return 'initcode-too-large';
  }
  const gasMax = transactionGasMax(fork);
  if (gasMax !== undefined && message.gasLimit > gasMax) return 'gas-limit-over-cap';
  if (message.gasLimit > block.gasLimit) return 'gas-limit-over-block';
  if (message.type === 4 && !message.to) return 'set-code-create';
  if (message.type === 4 && message.authorizationList.length === 0) {
    return 'authorization-list-empty';
  }
  if (message.nonce >= NONCE_MAX) return 'nonce-at-maximum';
  return undefined;
}

function feeError(
  message: TransactionMessage,
  block: BlockEnvironment,
  fork: Hardfork,
): TransactionError | undefined {
  if (message.maxFeePerGas > WORD_MAX || message.maxPriorityFeePerGas > WORD_MAX) {
    return 'fee-overflow';
  }
  if (!isAtLeast(fork, 'london')) return undefined;
  if (message.maxPriorityFeePerGas > message.maxFeePerGas) return 'priority-fee-over-fee-cap';
  if (message.maxFeePerGas < block.baseFee) return 'fee-cap-below-base-fee';
  return undefined;
}

function blobError(
  message: TransactionMessage,
  block: BlockEnvironment,
  fork: Hardfork,
): TransactionError | undefined {
  if (message.type !== 3) return undefined;
  const schedule = blobSchedule(fork)!;
  if (!message.to) return 'blob-create';
  if (message.blobVersionedHashes.length === 0) return 'blob-count-zero';
  if (message.blobVersionedHashes.length > schedule.maxPerTransaction) {
    return 'blob-count-over-limit';
  }
  if (message.blobVersionedHashes.some((hash) => hash[0] !== 0x01)) return 'blob-version-unknown';
  if (message.maxFeePerBlobGas < block.blobBaseFee) return 'blob-fee-cap-below-blob-base-fee';
  return undefined;
}

function senderError(message: TransactionMessage, sender: Sender): TransactionError | undefined {
  if (message.nonce < sender.nonce) return 'nonce-too-low';
  if (message.nonce > sender.nonce) return 'nonce-too-high';
  const blobGas = BLOB_GAS * BigInt(message.blobVersionedHashes.length);
  const most =
    message.gasLimit * message.maxFeePerGas + message.value + blobGas * message.maxFeePerBlobGas;
  if (most > sender.balance) return 'insufficient-funds';
  // EIP-3607, whose clients apply it to all forks.
  if (sender.isContract) return 'sender-has-code';

  return undefined;
}
