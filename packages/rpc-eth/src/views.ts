import { bytesToHex } from '@polyvisor/bytes/hex';
import { effectiveGasPrice } from '@polyvisor/eth/assembly';
import { type Block, type Withdrawal, encodeBlock } from '@polyvisor/eth/block';
import type { Header } from '@polyvisor/eth/header';
import type { LogEntry } from '@polyvisor/eth/log-query';
import type { MinedTransaction } from '@polyvisor/eth/state';
import type { SignedAuthorization, Transaction } from '@polyvisor/eth/transaction';
import type { AccessListEntry, Log } from '@polyvisor/evm/world';

/** A value as an answer has it. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/** A number as hexadecimal text without leading zeros. */
export function quantityView(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

/** A number as 32 bytes. */
export function wordView(value: bigint): string {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

/** @see execution-apis, src/schemas/block.yaml; fields that a block's fork lacks are left out */
export function headerView(header: Header, hash: Uint8Array): JsonObject {
  const { baseFee, withdrawalsRoot, blobGasUsed, excessBlobGas, parentBeaconBlockRoot } = header;
  return {
    number: quantityView(header.number),
    hash: bytesToHex(hash),
    parentHash: bytesToHex(header.parentHash),
    nonce: bytesToHex(header.nonce),
    mixHash: bytesToHex(header.prevRandao),
    sha3Uncles: bytesToHex(header.ommersHash),
    logsBloom: bytesToHex(header.logsBloom),
    stateRoot: bytesToHex(header.stateRoot),
    miner: bytesToHex(header.coinbase),
    difficulty: quantityView(header.difficulty),
    extraData: bytesToHex(header.extraData),
    gasLimit: quantityView(header.gasLimit),
    gasUsed: quantityView(header.gasUsed),
    timestamp: quantityView(header.timestamp),
    transactionsRoot: bytesToHex(header.transactionsRoot),
    receiptsRoot: bytesToHex(header.receiptsRoot),
    ...(baseFee === undefined ? {} : { baseFeePerGas: quantityView(baseFee) }),
    ...(withdrawalsRoot ? { withdrawalsRoot: bytesToHex(withdrawalsRoot) } : {}),
    ...(blobGasUsed === undefined ? {} : { blobGasUsed: quantityView(blobGasUsed) }),
    ...(excessBlobGas === undefined ? {} : { excessBlobGas: quantityView(excessBlobGas) }),
    ...(parentBeaconBlockRoot ? { parentBeaconBlockRoot: bytesToHex(parentBeaconBlockRoot) } : {}),
    ...(header.requestsHash ? { requestsHash: bytesToHex(header.requestsHash) } : {}),
  };
}

/** A block with its transactions whole, or as hashes only. */
export function blockView(block: Block, isFull: boolean): JsonObject {
  const { header, transactions } = block;
  return {
    ...headerView(header, block.hash),
    size: quantityView(encodeBlock(block).length),
    uncles: [],
    transactions: isFull
      ? transactions.map((tx, index) => transactionView({ tx, block, index }))
      : transactions.map((tx) => bytesToHex(tx.hash)),
    ...(header.withdrawalsRoot ? { withdrawals: block.withdrawals.map(withdrawalView) } : {}),
  };
}

/** The block that would be mined now: what is not known before it is mined is null. */
export function pendingBlockView(block: Block, isFull: boolean): JsonObject {
  const view = blockView(block, false);
  const transactions = isFull ? block.transactions.map(pendingTransactionView) : view.transactions!;
  return { ...view, transactions, hash: null, nonce: null, miner: null };
}

/** @see execution-apis, src/schemas/transaction.yaml */
export function transactionView({
  tx,
  block,
  index,
}: Pick<MinedTransaction, 'tx' | 'block' | 'index'>): JsonObject {
  const { number, timestamp, baseFee } = block.header;
  return {
    blockHash: bytesToHex(block.hash),
    blockNumber: quantityView(number),
    blockTimestamp: quantityView(timestamp),
    transactionIndex: quantityView(index),
    ...fieldsView(tx, effectiveGasPrice(tx, baseFee ?? 0n)),
  };
}

/** A transaction that is in no block yet. */
export function pendingTransactionView(tx: Transaction): JsonObject {
  return {
    blockHash: null,
    blockNumber: null,
    blockTimestamp: null,
    transactionIndex: null,
    ...fieldsView(tx, tx.maxFeePerGas),
  };
}

function fieldsView(tx: Transaction, gasPrice: bigint): JsonObject {
  const { type, chainId } = tx;
  const hasFees = type >= 2;
  const parity = quantityView(tx.yParity);
  return {
    hash: bytesToHex(tx.hash),
    type: quantityView(type),
    from: bytesToHex(tx.sender),
    to: tx.to ? bytesToHex(tx.to) : null,
    nonce: quantityView(tx.nonce),
    gas: quantityView(tx.gasLimit),
    value: quantityView(tx.value),
    input: bytesToHex(tx.data),
    gasPrice: quantityView(hasFees ? gasPrice : tx.maxFeePerGas),
    ...(chainId === undefined ? {} : { chainId: quantityView(chainId) }),
    ...(hasFees
      ? {
          maxFeePerGas: quantityView(tx.maxFeePerGas),
          maxPriorityFeePerGas: quantityView(tx.maxPriorityFeePerGas),
        }
      : {}),
    ...(type === 0 ? {} : { accessList: accessListView(tx.accessList), yParity: parity }),
    ...(type === 3
      ? {
          maxFeePerBlobGas: quantityView(tx.maxFeePerBlobGas),
          blobVersionedHashes: tx.blobVersionedHashes.map(bytesToHex),
        }
      : {}),
    ...(type === 4 ? { authorizationList: tx.authorizationList.map(authorizationView) } : {}),
    v: type === 0 ? quantityView(legacyV(tx)) : parity,
    r: quantityView(tx.r),
    s: quantityView(tx.s),
  };
}

/** @see EIP-155 */
function legacyV({ chainId, yParity }: Transaction): bigint {
  return BigInt(yParity) + (chainId === undefined ? 27n : 35n + 2n * chainId);
}

export function accessListView(accessList: readonly AccessListEntry[]): JsonObject[] {
  return accessList.map((entry) => ({
    address: bytesToHex(entry.address),
    storageKeys: entry.storageKeys.map(bytesToHex),
  }));
}

function authorizationView(entry: SignedAuthorization): JsonObject {
  return {
    chainId: quantityView(entry.chainId),
    address: bytesToHex(entry.address),
    nonce: quantityView(entry.nonce),
    yParity: quantityView(entry.yParity),
    r: quantityView(entry.r),
    s: quantityView(entry.s),
  };
}

/** @see execution-apis, src/schemas/receipt.yaml */
export function receiptView({ tx, receipt, block, index }: MinedTransaction): JsonObject {
  let logIndex = 0;
  for (const earlier of block.receipts.slice(0, index)) logIndex += earlier.logs.length;
  const place = placeView(block, tx.hash, index);
  const { stateRoot, contractAddress } = receipt;
  return {
    ...place,
    type: quantityView(receipt.type),
    from: bytesToHex(tx.sender),
    to: tx.to ? bytesToHex(tx.to) : null,
    contractAddress: contractAddress ? bytesToHex(contractAddress) : null,
    cumulativeGasUsed: quantityView(receipt.cumulativeGasUsed),
    gasUsed: quantityView(receipt.gasUsed),
    effectiveGasPrice: quantityView(receipt.effectiveGasPrice),
    logs: receipt.logs.map((log, i) => logFieldsView(log, place, block, logIndex + i)),
    logsBloom: bytesToHex(receipt.logsBloom),
    ...(stateRoot
      ? { root: bytesToHex(stateRoot) }
      : { status: receipt.isSuccess ? '0x1' : '0x0' }),
    ...(receipt.type === 3
      ? {
          blobGasUsed: quantityView(receipt.blobGasUsed),
          blobGasPrice: quantityView(receipt.blobGasPrice),
        }
      : {}),
  };
}

export function logView({ log, block, transactionIndex, logIndex }: LogEntry): JsonObject {
  const { hash } = block.transactions[transactionIndex]!;
  return logFieldsView(log, placeView(block, hash, transactionIndex), block, logIndex);
}

/** Where a transaction is. */
export function placeView(block: Block, transactionHash: Uint8Array, index: number): JsonObject {
  return {
    transactionHash: bytesToHex(transactionHash),
    transactionIndex: quantityView(index),
    blockHash: bytesToHex(block.hash),
    blockNumber: quantityView(block.header.number),
  };
}

export function logFieldsView(
  log: Log,
  place: JsonObject,
  block: Block,
  logIndex: number,
): JsonObject {
  return {
    address: bytesToHex(log.address),
    topics: log.topics.map(bytesToHex),
    data: bytesToHex(log.data),
    ...place,
    blockTimestamp: quantityView(block.header.timestamp),
    logIndex: quantityView(logIndex),
    removed: false,
  };
}

function withdrawalView(withdrawal: Withdrawal): JsonObject {
  return {
    index: quantityView(withdrawal.index),
    validatorIndex: quantityView(withdrawal.validatorIndex),
    address: bytesToHex(withdrawal.address),
    amount: quantityView(withdrawal.amount),
  };
}
