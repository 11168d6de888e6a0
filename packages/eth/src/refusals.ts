import { bytesToHex } from '@polyvisor/bytes/hex';
import { BLOB_GAS } from '@polyvisor/evm/blob-schedule';
import type { Hardfork } from '@polyvisor/evm/hardfork';
import { initcodeSizeMax, intrinsicGas, transactionGasMax } from '@polyvisor/evm/intrinsic';
import type { BlockEnvironment, TransactionMessage } from '@polyvisor/evm/world';
import type { Refusal } from './assembly.ts';
import { EthError } from './errors.ts';

/** What a refusal is told with. */
export interface RefusedMessage {
  readonly message: TransactionMessage;
  readonly block: BlockEnvironment;
  readonly fork: Hardfork;
  readonly sender: { readonly nonce: bigint; readonly balance: bigint };
}

/** A refusal in the words that clients match on. @see go-ethereum, core/error.go, core/state_transition.go */
export function refusalError(refusal: Refusal, refused: RefusedMessage): EthError {
  return new EthError(texts[refusal](refused));
}

/** The most a transaction can cost its sender: gas, value and blobs. */
export function costMax(message: TransactionMessage): bigint {
  const blobGas = BLOB_GAS * BigInt(message.blobVersionedHashes.length);
  return (
    message.gasLimit * message.maxFeePerGas + message.value + blobGas * message.maxFeePerBlobGas
  );
}

const texts: Readonly<Record<Refusal, (refused: RefusedMessage) => string>> = {
  'type-not-supported': () => 'transaction type not supported',
  'nonce-too-low': ({ message, sender }) =>
    `nonce too low: next nonce ${sender.nonce}, tx nonce ${message.nonce}`,
  'nonce-too-high': ({ message, sender }) =>
    `nonce too high: next nonce ${sender.nonce}, tx nonce ${message.nonce}`,
  'nonce-at-maximum': () => 'nonce has max value',
  'sender-has-code': ({ message }) => `sender not an eoa: address ${bytesToHex(message.sender)}`,
  'insufficient-funds': ({ message, sender }) => {
    const cost = costMax(message);
    return (
      `insufficient funds for gas * price + value: balance ${sender.balance}, ` +
      `tx cost ${cost}, overshot ${cost - sender.balance}`
    );
  },
  'intrinsic-gas-too-low': ({ message, fork }) => {
    const { gas, floor } = intrinsicGas(message, fork);
    return message.gasLimit < gas
      ? `intrinsic gas too low: gas ${message.gasLimit}, minimum needed ${gas}`
      : `insufficient gas for floor data gas cost: gas ${message.gasLimit}, minimum needed ${floor}`;
  },
  'gas-limit-over-block': () => 'exceeds block gas limit',
  'gas-limit-over-cap': ({ message, fork }) =>
    `transaction gas limit too high (cap: ${transactionGasMax(fork)}, tx: ${message.gasLimit})`,
  'initcode-too-large': ({ message, fork }) =>
    `max initcode size exceeded: code size ${message.data.length}, limit ${initcodeSizeMax(fork)}`,
  'fee-cap-below-base-fee': ({ message, block }) =>
    `max fee per gas less than block base fee: address ${bytesToHex(message.sender)}, ` +
    `maxFeePerGas: ${message.maxFeePerGas}, baseFee: ${block.baseFee}`,
  'priority-fee-over-fee-cap': ({ message }) =>
    `max priority fee per gas higher than max fee per gas: address ${bytesToHex(message.sender)}, ` +
    `maxPriorityFeePerGas: ${message.maxPriorityFeePerGas}, maxFeePerGas: ${message.maxFeePerGas}`,
  'fee-overflow': () => 'max fee per gas higher than 2^256-1',
  'blob-fee-cap-below-blob-base-fee': ({ message, block }) =>
    `max fee per blob gas less than block blob gas fee: address ${bytesToHex(message.sender)}, ` +
    `blobGasFeeCap: ${message.maxFeePerBlobGas}, blobBaseFee: ${block.blobBaseFee}`,
  'blob-count-zero': () => 'blob transaction missing blob hashes',
  'blob-count-over-limit': ({ message }) =>
    `blob transaction has too many blobs: ${message.blobVersionedHashes.length}`,
  'blob-version-unknown': () => 'blob has invalid hash version',
  'blob-create': () => 'blob transaction of type create',
  'set-code-create': () => 'EIP-7702 transaction cannot be used to create contract',
  'authorization-list-empty': () => 'EIP-7702 transaction with empty auth list',
  'block-full': () => 'gas limit reached',
  'deposit-malformed': () => 'unable to parse deposit data',
  'engine-limit': () => 'out of memory: the limit of an execution is reached',
};
