import { bytesToHex } from '@polyvisor/bytes/hex';
import { failureOf, REVERT_CODE } from '@polyvisor/eth/calls';
import type { SimulatedBlock, SimulatedCall, SimulationBlock } from '@polyvisor/eth/simulate';
import { blockId } from './block-id.ts';
import { type Method, method } from './method.ts';
import {
  type Parameter,
  flag,
  invalidParams,
  list,
  object,
  optional,
  parameter,
} from './parameters.ts';
import { blockOverrides, callRequest, stateOverrides } from './request-parameters.ts';
import { type JsonObject, blockView, logFieldsView, placeView, quantityView } from './views.ts';

/** Code of a call that halted otherwise than by REVERT. @see execution-apis, eth_simulateV1 */
const HALT_CODE = -32015;

const blockFields = object('BlockStateCall', {
  blockOverrides,
  stateOverrides,
  calls: list(callRequest),
});

const blockStateCall: Parameter<SimulationBlock> = parameter('BlockStateCall', (value) => {
  const read = blockFields.read(value);
  return {
    block: read.blockOverrides ?? {},
    accounts: read.stateOverrides ?? [],
    calls: read.calls ?? [],
  };
});

const simulation = object('SimulatePayload', {
  blockStateCalls: list(blockStateCall),
  traceTransfers: flag,
  validation: flag,
  returnFullTransactions: flag,
});

export const simulateMethods: readonly Method[] = [
  method({
    name: 'eth_simulateV1',
    summary: 'Executes calls in blocks that follow one of the chain; nothing of them stays.',
    parameters: [simulation, optional(blockId, 'latest')],
    answer: async (node, [payload, id]) => {
      const blocks = payload.blockStateCalls ?? [];
      if (blocks.length === 0) throw invalidParams('empty input');
      const {
        traceTransfers = false,
        validation = false,
        returnFullTransactions = false,
      } = payload;
      const wanted = { blocks, tracesTransfers: traceTransfers, validates: validation };
      const simulated = await node.settle(node.machine.simulate(wanted, id));
      return simulated.map((block) => simulatedView(block, returnFullTransactions));
    },
  }),
];

function simulatedView({ block, calls }: SimulatedBlock, isFull: boolean): JsonObject {
  let logIndex = 0;
  const views = calls.map((call, index) => {
    const place = placeView(block, block.transactions[index]!.hash, index);
    const logs = call.logs.map((log) => logFieldsView(log, place, block, logIndex++));
    return callView(call, logs);
  });
  return { ...blockView(block, isFull), calls: views };
}

function callView({ outcome }: SimulatedCall, logs: readonly JsonObject[]): JsonObject {
  const isSuccess = outcome.status === 'success';
  return {
    returnData: isSuccess ? bytesToHex(outcome.output) : '0x',
    logs: isSuccess ? logs : [],
    gasUsed: quantityView(outcome.gasUsed),
    maxUsedGas: quantityView(outcome.gasUsed + outcome.gasRefunded),
    status: isSuccess ? '0x1' : '0x0',
    ...(isSuccess ? {} : { error: errorView(failureOf(outcome)) }),
  };
}

function errorView({ code, message, data }: ReturnType<typeof failureOf>): JsonObject {
  if (code !== REVERT_CODE) return { message, code: HALT_CODE };
  return { message, code, ...(data === undefined ? {} : { data }) };
}
