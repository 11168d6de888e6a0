import { concatBytes } from '@polyvisor/bytes/bytes';
import { keccak256 } from '@polyvisor/crypto/keccak';
import { type Hardfork, isAtLeast } from '@polyvisor/evm/hardfork';
import type { Evm } from '@polyvisor/evm/world';
import {
  type AssembledBlock,
  BlockAssembly,
  type BlockPlan,
  type Refusal,
  effectiveGasPrice,
} from './assembly.ts';
import { nextBaseFee, nextExcessBlobGas } from './fees.ts';
import type { PooledTransaction } from './pool.ts';
import type { Slice, Steps } from '@polyvisor/machine/steps';
import { type EthState, blockHashes } from './state.ts';
import type { Transaction } from './transaction.ts';

export interface MinedBlock extends AssembledBlock {
  /** Transactions that can never be in a block any more. */
  readonly dropped: readonly Transaction[];
}

/** The next block as settings and clock have it. `now`: the host's clock in whole seconds. */
export function planNextBlock(state: EthState, fork: Hardfork, now: number): BlockPlan {
  const { settings, head } = state;
  const parent = head.header;
  const isLondon = isAtLeast(fork, 'london');
  const baseFee = isLondon
    ? nextBaseFee(parent.baseFee ?? 0n, parent.gasUsed, parent.gasLimit)
    : 0n;
  return {
    chainId: settings.chainId,
    parentHash: head.hash,
    number: parent.number + 1n,
    timestamp: nextTimestamp(state, now),
    coinbase: settings.coinbase,
    gasLimit: settings.gasLimit,
    baseFee: settings.nextBaseFee ?? baseFee,
    // Unpredictable on mainnet; here it follows from the parent, so that a run can be repeated.
    prevRandao: settings.nextPrevRandao ?? keccak256(concatBytes(parent.prevRandao, head.hash)),
    difficulty: 0n,
    extraData: NOTHING,
    excessBlobGas: nextExcessBlobGas(
      {
        excessBlobGas: parent.excessBlobGas ?? 0n,
        blobGasUsed: parent.blobGasUsed ?? 0n,
        baseFee: parent.baseFee ?? 0n,
      },
      fork,
    ),
    parentBeaconBlockRoot: settings.nextBeaconRoot ?? ZERO_HASH,
    withdrawals: [],
  };
}

/** Fills a block from the pool: best tip first, each sender's transactions in the order of their nonces. */
export function* assemble(
  evm: Evm,
  state: EthState,
  plan: BlockPlan,
  slice: Slice,
): Steps<MinedBlock> {
  const assembly = new BlockAssembly(evm, state.world, plan, blockHashes(state), slice);
  yield* assembly.start();
  const dropped: Transaction[] = [];
  const queues = Array.from(state.pool.senders(), (entries) => [...entries]);
  for (;;) {
    const queue = best(queues, plan.baseFee);
    if (!queue) break;
    const { tx } = queue[0]!;
    const refusal = yield* assembly.add(tx);
    const verdict = refusal === undefined ? 'next' : (verdicts[refusal] ?? 'drop');
    if (verdict === 'drop') dropped.push(tx);
    if (verdict === 'wait') queue.length = 0;
    else queue.shift();
  }
  return { ...(yield* assembly.finish()), dropped };
}

/** What becomes of refused transactions that are not dropped: they and those behind them wait for a later block. */
const verdicts: Partial<Record<Refusal, 'wait'>> = {
  'nonce-too-high': 'wait',
  'block-full': 'wait',
  'fee-cap-below-base-fee': 'wait',
  'blob-fee-cap-below-blob-base-fee': 'wait',
};

/** The queue whose first transaction pays most; of equals the one that came first. */
function best(queues: PooledTransaction[][], baseFee: bigint): PooledTransaction[] | undefined {
  let found: PooledTransaction[] | undefined;
  let foundTip = 0n;
  for (const queue of queues) {
    const first = queue[0];
    if (!first) continue;
    const tip = effectiveGasPrice(first.tx, baseFee) - baseFee;
    const isBetter =
      !found || tip > foundTip || (tip === foundTip && first.arrival < found[0]!.arrival);
    if (!isBetter) continue;
    found = queue;
    foundTip = tip;
  }
  return found;
}

function nextTimestamp({ settings, head }: EthState, now: number): bigint {
  const earliest = head.header.timestamp + 1n;
  if (settings.nextTimestamp !== undefined) return BigInt(settings.nextTimestamp);
  if (settings.timestampInterval !== undefined) {
    return head.header.timestamp + BigInt(settings.timestampInterval);
  }
  const clock = BigInt(now + settings.clockOffset);
  return clock > earliest ? clock : earliest;
}

const NOTHING = new Uint8Array(0);
const ZERO_HASH = new Uint8Array(32);
