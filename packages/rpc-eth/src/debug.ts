import { bytesToHex } from '@polyvisor/bytes/hex';
import { encodeRlp } from '@polyvisor/codec/rlp';
import { type Block, encodeBlock } from '@polyvisor/eth/block';
import type { CallRequest } from '@polyvisor/eth/call-request';
import type { Executed } from '@polyvisor/eth/calls';
import { EthError } from '@polyvisor/eth/errors';
import { headerFields } from '@polyvisor/eth/header';
import { encodeReceipt } from '@polyvisor/eth/receipt';
import { type BlockId, blockOf, transactionOf } from '@polyvisor/eth/state';
import { type StorageRange, storageRange } from '@polyvisor/eth/storage-range';
import { CallTracer } from '@polyvisor/eth/tracers/call-tracer';
import { StructLogTracer } from '@polyvisor/eth/tracers/struct-log-tracer';
import type { Tracer } from '@polyvisor/evm/world';
import { blockAt, blockId, blockNumberOrTag } from './block-id.ts';
import { type Method, method } from './method.ts';
import type { EthNode } from './node.ts';
import {
  type ValueOf,
  address,
  count,
  data,
  flag,
  hash32,
  invalidParams,
  object,
  optional,
  text,
} from './parameters.ts';
import { blockOverrides, callRequest, overridesOf, stateOverrides } from './request-parameters.ts';

/** @see go-ethereum, eth/tracers/api.go, TraceConfig */
const traceFields = {
  tracer: text,
  tracerConfig: object('TracerConfig', { onlyTopCall: flag, withLog: flag }),
  timeout: text,
  disableStack: flag,
  disableStorage: flag,
  disableMemory: flag,
  enableMemory: flag,
  enableReturnData: flag,
  limit: count,
};
const traceConfig = object('TraceConfig', traceFields);
const traceCallConfig = object('TraceCallConfig', {
  ...traceFields,
  stateOverrides,
  blockOverrides,
});

type TraceConfig = ValueOf<typeof traceConfig>;

export const debugMethods: readonly Method[] = [
  method({
    name: 'debug_traceTransaction',
    summary: 'Executes a mined transaction again and shows its steps, or its calls (callTracer).',
    parameters: [hash32, optional(traceConfig, {})],
    answer: (node, [hash, config]) => traceTransaction(node, hash, config),
  }),
  method({
    name: 'debug_traceCall',
    summary: 'Executes a message as eth_call does and shows its steps, or its calls (callTracer).',
    parameters: [callRequest, optional(blockId, 'latest'), optional(traceCallConfig)],
    answer: async (node, [request, id, config = {}]) => {
      const trace = tracing(config);
      const overrides = overridesOf(config.stateOverrides, config.blockOverrides);
      const task = node.machine.call(request, id, overrides, trace.tracer);
      return trace.result(await node.settle(task), gasLimitOf(node, request));
    },
  }),
  method({
    name: 'debug_traceBlockByNumber',
    summary: 'Traces of all transactions of a block.',
    parameters: [blockNumberOrTag, optional(traceConfig, {})],
    answer: (node, [id, config]) => traceBlock(node, id, config),
  }),
  method({
    name: 'debug_traceBlockByHash',
    summary: 'Traces of all transactions of a block.',
    parameters: [hash32, optional(traceConfig, {})],
    answer: (node, [hash, config]) => traceBlock(node, hash, config),
  }),
  method({
    name: 'debug_storageRangeAt',
    summary: 'Slots of an account inside a block, in the order of their hashes.',
    parameters: [hash32, count, address, data, count],
    answer: async (node, [hash, index, account, start, countMax]) => {
      if (countMax > STORAGE_RANGE_MAX) {
        throw invalidParams(`at most ${STORAGE_RANGE_MAX} slots can be asked for at once`);
      }
      const world = await node.settle(node.machine.worldBehind(hash, index));
      const from = new Uint8Array(32);
      from.set(start.subarray(0, 32));
      return storageRangeView(storageRange(world.account(account), from, countMax));
    },
  }),
  method({
    name: 'debug_getRawBlock',
    summary: 'A block as its RLP.',
    parameters: [blockId],
    answer: ({ machine }, [id]) => bytesToHex(encodeBlock(blockAt(machine.state, id))),
  }),
  method({
    name: 'debug_getRawHeader',
    summary: "A block's header as its RLP.",
    parameters: [blockId],
    answer: ({ machine }, [id]) =>
      bytesToHex(encodeRlp(headerFields(blockAt(machine.state, id).header))),
  }),
  method({
    name: 'debug_getRawReceipts',
    summary: "A block's receipts, each as its encoding.",
    parameters: [blockId],
    answer: ({ machine }, [id]) =>
      blockAt(machine.state, id).receipts.map((receipt) => bytesToHex(encodeReceipt(receipt))),
  }),
];

/** Slots in one answer of debug_storageRangeAt. */
const STORAGE_RANGE_MAX = 1024;

/** @see go-ethereum, eth/api_debug.go, StorageRangeResult */
function storageRangeView({ entries, next }: StorageRange): unknown {
  return {
    storage: Object.fromEntries(
      entries.map(({ hash, key, value }) => [
        bytesToHex(hash),
        { key: bytesToHex(key), value: bytesToHex(value) },
      ]),
    ),
    nextKey: next === undefined ? null : bytesToHex(next),
  };
}

interface Tracing {
  readonly tracer: Tracer;
  result(outcome: Executed, gasLimit: bigint): unknown;
}

/** @throws RpcError for a tracer that there is not */
function tracing(config: TraceConfig): Tracing {
  switch (config.tracer) {
    case undefined:
    case '':
      return structLogs(config);
    case 'callTracer': {
      const tracer = new CallTracer(config.tracerConfig);
      return {
        tracer,
        result: ({ gasUsed }, gasLimit) => tracer.result(gasLimit, gasUsed),
      };
    }
    case 'noopTracer':
      return { tracer: {}, result: () => ({}) };
    default:
      throw invalidParams(
        `tracer '${config.tracer}' is not supported: there are callTracer, noopTracer and, ` +
          'without a name, struct logs',
      );
  }
}

/** @see go-ethereum, eth/tracers/logger/logger.go, ExecutionResult */
function structLogs(config: TraceConfig): Tracing {
  const tracer = new StructLogTracer(config);
  return {
    tracer,
    result: ({ gasUsed, status, output }) => ({
      gas: Number(gasUsed),
      failed: status !== 'success',
      returnValue: bytesToHex(output),
      structLogs: tracer.logs,
    }),
  };
}

async function traceTransaction(
  node: EthNode,
  hash: Uint8Array,
  config: TraceConfig,
): Promise<unknown> {
  const mined = transactionOf(node.machine.state, hash);
  if (!mined) throw new EthError('transaction not found');
  const trace = tracing(config);
  const outcome = await node.settle(node.machine.trace(hash, trace.tracer));
  return trace.result(outcome, mined.tx.gasLimit);
}

async function traceBlock(node: EthNode, id: BlockId, config: TraceConfig): Promise<unknown> {
  const block = tracedBlock(node, id);
  const traces: unknown[] = [];
  for (const { hash } of block.transactions) {
    const result = await traceTransaction(node, hash, config);
    traces.push({ txHash: bytesToHex(hash), result });
  }
  return traces;
}

function tracedBlock({ machine }: EthNode, id: BlockId): Block {
  const block = blockOf(machine.state, id);
  if (!block) {
    const name = id instanceof Uint8Array ? bytesToHex(id) : `#${String(id)}`;
    throw new EthError(`block ${name} not found`);
  }
  if (block.header.number === 0n) throw new EthError('genesis is not traceable');
  return block;
}

/** The gas that a call gets. */
function gasLimitOf({ machine }: EthNode, { gas }: CallRequest): bigint {
  const { callGasMax } = machine.options;
  return gas !== undefined && gas < callGasMax ? gas : callGasMax;
}
