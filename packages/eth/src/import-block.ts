import { equalBytes } from '@polyvisor/bytes/bytes';
import { RlpError } from '@polyvisor/codec/rlp';
import { isAtLeast } from '@polyvisor/evm/hardfork';
import type { Evm } from '@polyvisor/evm/world';
import type { Slice, Steps } from '@polyvisor/machine/steps';
import { type AssembledBlock, BLOCK_BYTES_MAX, BlockAssembly, type BlockPlan } from './assembly.ts';
import { type Block, type BlockBody, decodeBlock } from './block.ts';
import { differingField, headerError } from './block-validity.ts';
import { EthError } from './errors.ts';
import { type Header, headerHash } from './header.ts';
import type { BlockHashes } from './overlay.ts';
import type { World } from './world.ts';

/** What a block is imported behind. */
export interface ImportParent {
  readonly header: Header;
  readonly hash: Uint8Array;
  readonly world: World;
}

export type ImportResult =
  | ({ readonly kind: 'imported' } & AssembledBlock)
  /** Which rule the block breaks, in a few words. */
  | { readonly kind: 'invalid'; readonly reason: string };

/**
 * Executes a block that somebody else made and checks that it is what it says.
 * @see execution-specs, src/ethereum/forks/osaka/fork.py, state_transition
 */
export function* importBlock(
  evm: Evm,
  parent: ImportParent,
  bytes: Uint8Array,
  chainId: bigint,
  hashes: BlockHashes,
  slice: Slice,
): Steps<ImportResult> {
  const fork = evm.hardfork;
  if (isAtLeast(fork, 'osaka') && bytes.length > BLOCK_BYTES_MAX) return invalid('size');
  const body = readBody(bytes, evm);
  if (typeof body === 'string') return invalid(body);
  const { header, transactions, withdrawals } = body;
  if (!equalBytes(header.parentHash, parent.hash)) return invalid('parent hash');
  const error = headerError(header, parent.header, fork);
  if (error !== undefined) return invalid(error);
  if (body.ommerCount > 0) return invalid('ommers');

  const plan = { ...planOfHeader(header, chainId), withdrawals };
  const assembly = new BlockAssembly(evm, parent.world, plan, hashes, slice);
  yield* assembly.start();
  for (const tx of transactions) {
    if (tx.chainId !== undefined && tx.chainId !== chainId) return invalid('chain id');
    const refusal = yield* assembly.add(tx);
    if (refusal !== undefined) return invalid(refusal);
  }
  const executed = yield* assembly.finish();
  const failed = assembly.failedSystemCalls.find((name) => name.endsWith('Requests'));
  if (failed !== undefined) return invalid(`system contract ${failed}`);
  const differing = differingField(header, executed.block.header);
  if (differing !== undefined) return invalid(differing);
  const block: Block = { ...executed.block, header, hash: headerHash(header) };
  return { kind: 'imported', block, world: executed.world };
}

/** The plan that a block was made by; its withdrawals are not in the header. */
export function planOfHeader(header: Header, chainId: bigint): BlockPlan {
  return {
    ...header,
    chainId,
    baseFee: header.baseFee ?? 0n,
    excessBlobGas: header.excessBlobGas ?? 0n,
    parentBeaconBlockRoot: header.parentBeaconBlockRoot ?? new Uint8Array(32),
    withdrawals: [],
  };
}

function readBody(bytes: Uint8Array, evm: Evm): BlockBody | string {
  try {
    return decodeBlock(bytes, evm.hardfork);
  } catch (error) {
    if (error instanceof RlpError || error instanceof EthError) return error.message;
    throw error;
  }
}

function invalid(reason: string): ImportResult {
  return { kind: 'invalid', reason };
}
