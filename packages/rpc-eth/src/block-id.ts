import { equalBytes } from '@polyvisor/bytes/bytes';
import type { Block } from '@polyvisor/eth/block';
import { EthError } from '@polyvisor/eth/errors';
import { type BlockId, type BlockTag, type EthState, blockOf } from '@polyvisor/eth/state';
import {
  type Parameter,
  ParameterError,
  hash32,
  jsonKind,
  mismatch,
  parameter,
  quantityProblem,
  record,
} from './parameters.ts';

const tags: ReadonlySet<string> = new Set<BlockTag>([
  'latest',
  'earliest',
  'pending',
  'safe',
  'finalized',
]);

/** A number or a tag. @see go-ethereum, rpc/types.go, BlockNumber.UnmarshalJSON */
export const blockNumberOrTag: Parameter<BlockTag | bigint> = parameter(
  'rpc.BlockNumber',
  (value) => {
    if (typeof value !== 'string') throw mismatch(jsonKind(value), 'rpc.BlockNumber');
    if (tags.has(value)) return value as BlockTag;
    const problem = quantityProblem(value, 16);
    if (problem !== undefined) throw new ParameterError(problem);
    const number = BigInt(value);
    if (number >= 1n << 63n) throw new ParameterError('block number larger than int64');
    return number;
  },
);

/**
 * A number, a tag or a hash; the latter two also as `{ blockNumber }` and `{ blockHash,
 * requireCanonical }`.
 * @see EIP-1898
 */
export const blockId: Parameter<BlockId> = parameter('rpc.BlockNumberOrHash', (value) => {
  if (typeof value === 'string') {
    return value.length === 66 && value.startsWith('0x')
      ? hash32.read(value)
      : blockNumberOrTag.read(value);
  }
  const { blockNumber, blockHash } = record(value, 'rpc.BlockNumberOrHash');
  if (blockNumber !== undefined && blockHash !== undefined) {
    throw new ParameterError(
      'cannot specify both BlockHash and BlockNumber, choose one or the other',
    );
  }
  if (blockHash !== undefined) return hash32.read(blockHash);
  if (blockNumber !== undefined) return blockNumberOrTag.read(blockNumber);
  throw new ParameterError('invalid arguments; neither block nor hash specified');
});

/** The block of an id. @throws EthError where there is none */
export function blockAt(state: EthState, id: BlockId): Block {
  const block = blockOf(state, id);
  if (!block) throw new EthError(id instanceof Uint8Array ? 'unknown block' : 'header not found');
  return block;
}

/** Whether a block is still part of the chain. */
export function isCanonical(state: EthState, block: Block): boolean {
  const found = blockOf(state, block.header.number);
  return found !== undefined && equalBytes(found.hash, block.hash);
}
