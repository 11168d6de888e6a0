import { bytesToBigInt, equalBytes } from '@polyvisor/bytes/bytes';
import { type RlpItem, decodeRlp, encodeRlp, rlpInteger } from '@polyvisor/codec/rlp';
import { keccak256 } from '@polyvisor/crypto/keccak';
import type { Log } from '@polyvisor/evm/world';
import { type Block, type Withdrawal, withdrawalFields } from './block.ts';
import { bloomOf } from './bloom.ts';
import { headerFields, headerHash, headerOf } from './header.ts';
import type { Receipt } from './receipt.ts';
import { type Transaction, type TransactionType, decodeTransactionOf } from './transaction.ts';

/**
 * A block as one array of bytes: how old ones are kept, and how the durable form has them. Encoded once: the same
 * block gives the same array.
 */
export function encodeStoredBlock(block: Block): Uint8Array {
  let bytes = encoded.get(block);
  if (!bytes) {
    bytes = encodeRlp([
      shortened(headerFields(block.header)),
      block.transactions.map((tx): RlpItem => [tx.raw, tx.sender]),
      block.receipts.map(receiptFields),
      block.withdrawals.map(withdrawalFields),
    ]);
    encoded.set(block, bytes);
  }
  return bytes;
}

const encoded = new WeakMap<Block, Uint8Array>();

/** What a stored block is found by, read without decoding the rest. */
export interface StoredBlockIndex {
  readonly hash: Uint8Array;
  readonly parentHash: Uint8Array;
  readonly transactionHashes: readonly Uint8Array[];
}

export function storedBlockIndex(bytes: Uint8Array): StoredBlockIndex {
  const [fields, txs] = decodeRlp(bytes) as readonly [
    readonly RlpItem[],
    readonly (readonly [Uint8Array, Uint8Array])[],
  ];
  return {
    hash: keccak256(encodeRlp(lengthened(fields))),
    parentHash: fields[0] as Uint8Array,
    transactionHashes: txs.map(([raw]) => keccak256(raw)),
  };
}

export function decodeStoredBlock(bytes: Uint8Array): Block {
  const [fields, txs, receipts, withdrawals] = decodeRlp(bytes) as readonly [
    readonly RlpItem[],
    readonly (readonly [Uint8Array, Uint8Array])[],
    readonly (readonly RlpItem[])[],
    readonly (readonly Uint8Array[])[],
  ];
  const header = headerOf(lengthened(fields));
  const transactions = txs.map(([raw, sender]) => decodeTransactionOf(raw, sender));
  return {
    header,
    hash: headerHash(header),
    transactions,
    receipts: receipts.map((item, i) => receiptOf(item, transactions[i]!)),
    withdrawals: withdrawals.map(withdrawalOf),
  };
}

const NONE = new Uint8Array(0);

/** Where a header has its bloom filter: 256 zeros in most blocks of an idle chain, kept as nothing. */
const BLOOM = 6;
const EMPTY_BLOOM = new Uint8Array(256);

function shortened(fields: readonly RlpItem[]): readonly RlpItem[] {
  return equalBytes(fields[BLOOM] as Uint8Array, EMPTY_BLOOM) ? fields.with(BLOOM, NONE) : fields;
}

function lengthened(fields: readonly RlpItem[]): readonly RlpItem[] {
  return fields[BLOOM]!.length === 0 ? fields.with(BLOOM, EMPTY_BLOOM) : fields;
}

function receiptFields(receipt: Receipt): RlpItem {
  return [
    rlpInteger(receipt.isSuccess ? 1 : 0),
    rlpInteger(receipt.cumulativeGasUsed),
    rlpInteger(receipt.gasUsed),
    rlpInteger(receipt.effectiveGasPrice),
    receipt.contractAddress ?? NONE,
    rlpInteger(receipt.blobGasUsed),
    rlpInteger(receipt.blobGasPrice),
    receipt.stateRoot ?? NONE,
    receipt.logs.map((log): RlpItem => [log.address, [...log.topics], log.data]),
  ];
}

function receiptOf(fields: readonly RlpItem[], tx: Transaction): Receipt {
  const bytes = (i: number): Uint8Array => fields[i] as Uint8Array;
  const optional = (i: number): Uint8Array | undefined =>
    bytes(i).length > 0 ? bytes(i) : undefined;
  const logs = (fields[8] as readonly (readonly [Uint8Array, Uint8Array[], Uint8Array])[]).map(
    ([address, topics, data]): Log => ({ address, topics, data }),
  );
  const type: TransactionType = tx.type;
  return {
    type,
    isSuccess: bytes(0).length > 0,
    cumulativeGasUsed: bytesToBigInt(bytes(1)),
    gasUsed: bytesToBigInt(bytes(2)),
    effectiveGasPrice: bytesToBigInt(bytes(3)),
    contractAddress: optional(4),
    blobGasUsed: bytesToBigInt(bytes(5)),
    blobGasPrice: bytesToBigInt(bytes(6)),
    stateRoot: optional(7),
    logsBloom: bloomOf(logs),
    logs,
  };
}

function withdrawalOf(fields: readonly Uint8Array[]): Withdrawal {
  const [index, validatorIndex, address, amount] = fields as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  return {
    index: bytesToBigInt(index),
    validatorIndex: bytesToBigInt(validatorIndex),
    address,
    amount: bytesToBigInt(amount),
  };
}
