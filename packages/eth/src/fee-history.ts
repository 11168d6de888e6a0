import { BLOB_GAS, blobSchedule } from '@polyvisor/evm/blob-schedule';
import { type Hardfork, isAtLeast } from '@polyvisor/evm/hardfork';
import { effectiveGasPrice } from './assembly.ts';
import type { Block } from './block.ts';
import { blobBaseFee, nextBaseFee, nextExcessBlobGas } from './fees.ts';
import { type BlockId, type EthState, blockNumber, blockOf } from './state.ts';

export interface FeeHistory {
  readonly oldestBlock: bigint;
  /** One more than blocks: the last is the next block's. */
  readonly baseFeePerGas: readonly bigint[];
  readonly gasUsedRatio: readonly number[];
  readonly baseFeePerBlobGas: readonly bigint[];
  readonly blobGasUsedRatio: readonly number[];
  /** Tips at the asked percentiles of each block's gas, in the percentiles' order. */
  readonly reward: readonly (readonly bigint[])[] | undefined;
}

/** Most blocks that one answer covers. @see go-ethereum, eth/gasprice/feehistory.go */
const BLOCKS_MAX = 1024;

/** @see execution-apis, eth_feeHistory */
export function feeHistory(
  state: EthState,
  fork: Hardfork,
  count: number,
  newest: BlockId,
  percentiles: readonly number[] | undefined,
): FeeHistory | undefined {
  const last = blockNumber(state, newest);
  if (last === undefined) return undefined;
  const available = Number(last) + 1;
  const size = Math.min(count, BLOCKS_MAX, available);
  const oldestBlock = last + 1n - BigInt(size);
  const blocks = Array.from({ length: size }, (_, i) => blockOf(state, oldestBlock + BigInt(i))!);
  const blobMax = Number(BigInt(blobSchedule(fork)?.max ?? 0) * BLOB_GAS);
  const next = blocks.at(-1);
  return {
    oldestBlock: size === 0 ? 0n : oldestBlock,
    baseFeePerGas: [
      ...blocks.map(({ header }) => header.baseFee ?? 0n),
      ...(next ? [feeBehind(next, fork)] : []),
    ],
    gasUsedRatio: blocks.map(({ header }) => Number(header.gasUsed) / Number(header.gasLimit)),
    baseFeePerBlobGas: [
      ...blocks.map(({ header }) => blobBaseFee(header.excessBlobGas ?? 0n, fork)),
      ...(next ? [blobFeeBehind(next, fork)] : []),
    ],
    blobGasUsedRatio: blocks.map(({ header }) =>
      blobMax === 0 ? 0 : Number(header.blobGasUsed ?? 0n) / blobMax,
    ),
    reward: percentiles && blocks.map((block) => rewards(block, percentiles)),
  };
}

/** Base fee of the block behind one. */
export function feeBehind({ header }: Block, fork: Hardfork): bigint {
  if (!isAtLeast(fork, 'london')) return 0n;
  return nextBaseFee(header.baseFee ?? 0n, header.gasUsed, header.gasLimit);
}

/** Blob base fee of the block behind one. */
export function blobFeeBehind({ header }: Block, fork: Hardfork): bigint {
  const { excessBlobGas = 0n, blobGasUsed = 0n, baseFee = 0n } = header;
  return blobBaseFee(nextExcessBlobGas({ excessBlobGas, blobGasUsed, baseFee }, fork), fork);
}

function rewards(
  { header, transactions, receipts }: Block,
  percentiles: readonly number[],
): bigint[] {
  const baseFee = header.baseFee ?? 0n;
  const paid = transactions
    .map((tx, i) => ({ tip: effectiveGasPrice(tx, baseFee) - baseFee, gas: receipts[i]!.gasUsed }))
    .toSorted((a, b) => (a.tip < b.tip ? -1 : a.tip > b.tip ? 1 : 0));
  return percentiles.map((percentile) => {
    const threshold = (Number(header.gasUsed) * percentile) / 100;
    let gas = 0;
    for (const entry of paid) {
      gas += Number(entry.gas);
      if (gas >= threshold) return entry.tip;
    }
    return paid.at(-1)?.tip ?? 0n;
  });
}
