import { type RlpItem, decodeRlp, encodeRlp, rlpInteger } from '@polyvisor/codec/rlp';
import { type Header, headerFields } from './header.ts';
import type { Receipt } from './receipt.ts';
import type { Transaction } from './transaction.ts';

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

export function withdrawalFields(withdrawal: Withdrawal): RlpItem {
  const { index, validatorIndex, address, amount } = withdrawal;
  return [rlpInteger(index), rlpInteger(validatorIndex), address, rlpInteger(amount)];
}
