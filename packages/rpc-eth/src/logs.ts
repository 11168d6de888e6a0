import { EthError } from '@polyvisor/eth/errors';
import { type LogEntry, type LogQuery, matchingLogs } from '@polyvisor/eth/log-query';
import {
  type BlockId,
  type BlockTag,
  type EthState,
  blockNumber,
  blockOf,
} from '@polyvisor/eth/state';
import { RpcError, rpcCodes } from '@polyvisor/rpc/rpc-error';
import { blockNumberOrTag } from './block-id.ts';
import type { EthServiceLimits } from './limits.ts';
import { type Method, method } from './method.ts';
import {
  type Parameter,
  ParameterError,
  address,
  hash32,
  invalidParams,
  isRecord,
  list,
  mismatch,
  optional,
  parameter,
  readField,
  record,
} from './parameters.ts';
import { type JsonObject, logView } from './views.ts';

/** Blocks looked at before others have their turn. */
const BLOCKS_A_TURN = 1_000;

/**
 * @see go-ethereum, eth/filters/api.go: maxTopics, maxSubTopics and, for addresses, the default of
 * its flag
 */
const TOPICS_MAX = 4;
const ALTERNATIVES_MAX = 1000;

/**
 * What somebody asks for: logs of one block, or of a range whose ends default to the latest block.
 */
export interface LogRequest extends LogQuery {
  readonly blockHash: Uint8Array | undefined;
  readonly fromBlock: BlockTag | bigint | undefined;
  readonly toBlock: BlockTag | bigint | undefined;
}

const TYPE = 'filters.FilterCriteria';

/**
 * @see execution-apis, src/schemas/filter.yaml; go-ethereum, eth/filters/api.go,
 * FilterCriteria.UnmarshalJSON
 */
export const logRequest: Parameter<LogRequest> = parameter(TYPE, (value) => {
  const given = record(value, TYPE);
  const field = <T>(name: string, inner: Parameter<T>): T | undefined =>
    readField(TYPE, name, optional(inner), given[name]);
  const blockHash = field('blockHash', hash32);
  const fromBlock = field('fromBlock', blockNumberOrTag);
  const toBlock = field('toBlock', blockNumberOrTag);
  if (blockHash && (fromBlock !== undefined || toBlock !== undefined)) {
    throw new ParameterError(
      'cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other',
    );
  }
  const addresses = field('address', oneOrMore(address)) ?? [];
  if (addresses.length > ALTERNATIVES_MAX) throw invalidParams('exceed max addresses');
  return { blockHash, fromBlock, toBlock, addresses, topics: field('topics', topics) ?? [] };
});

const topics: Parameter<Uint8Array[][]> = parameter('[][]common.Hash', (value) => {
  if (!Array.isArray(value)) throw mismatch(isRecord(value) ? 'object' : typeof value, '[]topic');
  if (value.length > TOPICS_MAX) throw invalidParams('exceed max topics');
  return value.map((position: unknown) => {
    if (position === null || position === undefined) return [];
    const alternatives = Array.isArray(position) ? position : [position];
    if (alternatives.length > ALTERNATIVES_MAX) throw invalidParams('exceed max topics');
    // A null among the alternatives lets every topic pass.
    if (alternatives.includes(null)) return [];
    return alternatives.map((topic: unknown) => hash32.read(topic));
  });
});

function oneOrMore<T>(one: Parameter<T>): Parameter<T[]> {
  const many = list(one);
  return parameter(many.type, (value) =>
    Array.isArray(value) ? many.read(value) : [one.read(value)],
  );
}

export const logMethods: readonly Method[] = [
  method({
    name: 'eth_getLogs',
    summary: 'Logs of a block or of a range of blocks, by address and topics.',
    parameters: [logRequest],
    answer: ({ machine, limits }, [request]) => requestedLogs(machine.state, request, limits),
  }),
];

/** At once, unless the range is long: then others have their turn meanwhile. */
export function requestedLogs(
  state: EthState,
  request: LogRequest,
  limits: EthServiceLimits,
): JsonObject[] | Promise<JsonObject[]> {
  if (request.blockHash) {
    const block = blockOf(state, request.blockHash);
    if (!block) throw new EthError('unknown block');
    return matchingLogs(block, request).map(logView);
  }
  const [from, to] = rangeOf(state, request);
  if (to - from >= limits.logBlocks) {
    throw new RpcError(rpcCodes.limitExceeded, `block range is larger than ${limits.logBlocks}`);
  }
  return to - from < BLOCKS_A_TURN
    ? logsBetween(state, request, from, to, limits.logs).map(logView)
    : logsInTurns(state, request, from, to, limits.logs);
}

async function logsInTurns(
  state: EthState,
  query: LogQuery,
  from: number,
  to: number,
  max: number,
): Promise<JsonObject[]> {
  const found: LogEntry[] = [];
  for (let at = from; at <= to; at += BLOCKS_A_TURN) {
    const last = Math.min(to, at + BLOCKS_A_TURN - 1);
    for (const entry of logsBetween(state, query, at, last, max)) found.push(entry);
    checkCount(found.length, max);
    await new Promise((resolve) => setTimeout(resolve));
  }
  return found.map(logView);
}

/**
 * Logs of the blocks from one number to another, both included. @throws RpcError when there are too
 * many
 */
export function logsBetween(
  state: EthState,
  query: LogQuery,
  from: number,
  to: number,
  max: number,
): LogEntry[] {
  const found: LogEntry[] = [];
  for (let number = from; number <= to; number++) {
    const block = blockOf(state, BigInt(number));
    if (block) for (const entry of matchingLogs(block, query)) found.push(entry);
    checkCount(found.length, max);
  }
  return found;
}

function checkCount(logs: number, max: number): void {
  if (logs > max) {
    throw new RpcError(rpcCodes.limitExceeded, `query returned more than ${max} results`);
  }
}

function rangeOf(state: EthState, request: LogRequest): [from: number, to: number] {
  const numberOf = (id: BlockId | undefined): bigint =>
    typeof id === 'bigint' ? id : blockNumber(state, id ?? 'latest')!;
  const [from, to] = [numberOf(request.fromBlock), numberOf(request.toBlock)];
  if (from > to) throw invalidParams('invalid block range params');
  if (to > state.head.header.number) {
    throw invalidParams('block range extends beyond current head block');
  }
  return [Number(from), Number(to)];
}
