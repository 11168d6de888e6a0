import { concatBytes } from '@polyvisor/bytes/bytes';
import { encodeRlp, rlpInteger, type RlpItem } from '@polyvisor/codec/rlp';
import type { Log } from '@polyvisor/evm/world';
import type { TransactionType } from './transaction.ts';

export interface Receipt {
  readonly type: TransactionType;
  readonly isSuccess: boolean;
  /** Gas of the block up to and with this transaction. */
  readonly cumulativeGasUsed: bigint;
  readonly gasUsed: bigint;
  readonly effectiveGasPrice: bigint;
  readonly logsBloom: Uint8Array;
  readonly logs: readonly Log[];
  readonly contractAddress: Uint8Array | undefined;
  readonly blobGasUsed: bigint;
  readonly blobGasPrice: bigint;
  /** State root after the transaction; receipts have it before Byzantium instead of a status. */
  readonly stateRoot: Uint8Array | undefined;
}

/** As a block's receipts root commits to it. @see EIP-2718, EIP-658 */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  const logs = receipt.logs.map((log): RlpItem => [log.address, [...log.topics], log.data]);
  const body = encodeRlp([
    receipt.stateRoot ?? rlpInteger(receipt.isSuccess ? 1 : 0),
    rlpInteger(receipt.cumulativeGasUsed),
    receipt.logsBloom,
    logs,
  ]);
  return receipt.type === 0 ? body : concatBytes(Uint8Array.of(receipt.type), body);
}
