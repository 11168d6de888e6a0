import { bytesToBigInt } from '@polyvisor/bytes/bytes';
import { RlpError, type RlpItem, decodeRlp, encodeRlp, rlpInteger } from '@polyvisor/codec/rlp';
import { type Hardfork, isAtLeast } from '@polyvisor/evm/hardfork';
import { type Header, decodeHeader, headerFields } from './header.ts';
import type { Receipt } from './receipt.ts';
import { type Transaction, decodeTransaction } from './transaction.ts';

/** Money that the consensus layer gives to an account. @see EIP-4895 */
export interface Withdrawal {
  readonly index: bigint;
  readonly validatorIndex: bigint;
  readonly address: Uint8Array;
  /** In gwei. */
  readonly amount: bigint;
}

/** A block with what its execution gave. */
export interface Block {
  readonly header: Header;
  readonly hash: Uint8Array;
  readonly transactions: readonly Transaction[];
  readonly receipts: readonly Receipt[];
  /** Empty before Shanghai. */
  readonly withdrawals: readonly Withdrawal[];
}

/** RLP of a block as peers send it. @see Yellow Paper, section 4.3; EIP-2718, EIP-4895 */
export function encodeBlock(block: Block): Uint8Array {
  const transactions = block.transactions.map((tx) => (tx.type === 0 ? decodeRlp(tx.raw) : tx.raw));
  const body: RlpItem[] = [headerFields(block.header), transactions, []];
  if (block.header.withdrawalsRoot) body.push(block.withdrawals.map(withdrawalFields));
  return encodeRlp(body);
}

/** A block before its execution. */
export interface BlockBody {
  readonly header: Header;
  readonly transactions: readonly Transaction[];
  /** How many blocks beside its ancestors it names: only before Paris. */
  readonly ommerCount: number;
  readonly withdrawals: readonly Withdrawal[];
}

/**
 * Reads what `encodeBlock` gives, of anybody's making.
 * @throws RlpError, or EthError for a transaction of the wrong form or with a bad signature
 */
export function decodeBlock(bytes: Uint8Array, fork: Hardfork): BlockBody {
  const items = decodeRlp(bytes);
  const count = isAtLeast(fork, 'shanghai') ? 4 : 3;
  if (items instanceof Uint8Array || items.length !== count) {
    throw new RlpError('a block has another number of parts');
  }
  const [header, transactions, ommers, withdrawals = []] = items;
  return {
    header: decodeHeader(header!, fork),
    transactions: listOf(transactions!).map(decodeBlockTransaction),
    ommerCount: listOf(ommers!).length,
    withdrawals: listOf(withdrawals).map(decodeWithdrawal),
  };
}

/** In a block a legacy transaction is a list and one of another type a string. @see EIP-2718 */
function decodeBlockTransaction(item: RlpItem): Transaction {
  if (!(item instanceof Uint8Array)) return decodeTransaction(encodeRlp(item));
  if (item[0] !== undefined && item[0] >= 0xc0) throw new RlpError('a legacy transaction as text');
  return decodeTransaction(item);
}

function decodeWithdrawal(item: RlpItem): Withdrawal {
  const fields = listOf(item);
  const [index, validatorIndex, address, amount] = fields;
  if (fields.length !== 4 || !(address instanceof Uint8Array) || address.length !== 20) {
    throw new RlpError('a withdrawal has another form');
  }
  const number = (field: RlpItem | undefined): bigint => {
    if (!(field instanceof Uint8Array) || field[0] === 0 || field.length > 8) {
      throw new RlpError('a withdrawal has another form');
    }
    return bytesToBigInt(field);
  };
  return {
    index: number(index),
    validatorIndex: number(validatorIndex),
    address,
    amount: number(amount),
  };
}

function listOf(item: RlpItem): readonly RlpItem[] {
  if (item instanceof Uint8Array) throw new RlpError('bytes where a list is expected');
  return item;
}

export function withdrawalFields(withdrawal: Withdrawal): RlpItem {
  const { index, validatorIndex, address, amount } = withdrawal;
  return [rlpInteger(index), rlpInteger(validatorIndex), address, rlpInteger(amount)];
}
