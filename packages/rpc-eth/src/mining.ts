import type { Mining } from '@polyvisor/eth/settings';
import { checkTimestamp, set } from './clock.ts';
import { type Method, method } from './method.ts';
import type { EthNode } from './node.ts';
import {
  type Parameter,
  ParameterError,
  count,
  flag,
  invalidParams,
  isRecord,
  object,
  optional,
  parameter,
  shown,
  uint64,
  wholeNumber,
} from './parameters.ts';

/** Seconds between blocks. */
const INTERVAL_SECONDS_MAX = 31_536_000;
/** The least that any block may have. @see Yellow Paper, section 4.4.4, "Gas limit" */
const GAS_LIMIT_MIN = 5_000n;

interface MineRequest {
  readonly timestamp?: number;
  readonly blocks?: number;
}

const mineFields = object('MineOptions', { timestamp: count, blocks: count });

/** A timestamp, or how many blocks and when. */
const mineRequest: Parameter<MineRequest> = parameter('MineOptions', (value) =>
  isRecord(value) ? mineFields.read(value) : { timestamp: count.read(value) },
);

const seconds: Parameter<number> = parameter('seconds', (value) => {
  const read = typeof value === 'number' ? value : Number(wholeNumber.read(value));
  if (!(read >= 0 && read <= INTERVAL_SECONDS_MAX)) {
    throw new ParameterError(`${shown(value)} is not from 0 to ${INTERVAL_SECONDS_MAX} seconds`);
  }
  return read;
});

export const miningMethods: readonly Method[] = [
  method({
    name: 'evm_mine',
    summary: 'Mines a block, or some, with what waits in the first; its timestamp may be given.',
    parameters: [optional(mineRequest)],
    answer: async (node, [request = {}]) => {
      const { timestamp: nextTimestamp, blocks = 1 } = request;
      if (nextTimestamp !== undefined) {
        checkTimestamp(node, nextTimestamp);
        await set(node, { nextTimestamp });
      }
      await mine(node, blocks);
      return '0x0';
    },
  }),
  method({
    name: 'anvil_mine',
    aliases: ['hardhat_mine'],
    summary: 'Mines so many blocks, their timestamps so many seconds apart.',
    parameters: [optional(count, 1), optional(count, 0)],
    answer: async (node, [blocks, interval]) => {
      await mine(node, blocks, interval > 0 ? interval : undefined);
      return null;
    },
  }),
  method({
    name: 'evm_setAutomine',
    aliases: ['anvil_setAutomine'],
    summary:
      'Whether transactions are mined as they come. Turned off, blocks are made on request only.',
    parameters: [flag],
    answer: (node, [isOn]) => setAutomine(node, isOn),
  }),
  method({
    name: 'miner_start',
    summary: 'As evm_setAutomine with true.',
    parameters: [optional(wholeNumber)],
    answer: async (node) => {
      await setAutomine(node, true);
      return true;
    },
  }),
  method({
    name: 'miner_stop',
    summary: 'Blocks are made on request only.',
    answer: async (node) => {
      await set(node, { mining: { mode: 'manual' } });
      return true;
    },
  }),
  method({
    name: 'anvil_getAutomine',
    aliases: ['hardhat_getAutomine', 'evm_getAutomine'],
    summary: 'Whether transactions are mined as they come.',
    answer: ({ machine }) => machine.state.settings.mining.mode === 'instant',
  }),
  method({
    name: 'evm_setIntervalMining',
    aliases: ['anvil_setIntervalMining'],
    summary: 'Mines a block every so many seconds; with 0 on request only.',
    parameters: [seconds],
    answer: (node, [interval]) => {
      const mining: Mining =
        interval === 0 ? { mode: 'manual' } : { mode: 'interval', seconds: interval };
      return set(node, { mining });
    },
  }),
  method({
    name: 'anvil_getIntervalMining',
    aliases: ['evm_getIntervalMining'],
    summary: 'Seconds between blocks; null when they are not made in intervals.',
    answer: ({ machine }) => {
      const { mining } = machine.state.settings;
      return mining.mode === 'interval' ? mining.seconds : null;
    },
  }),
  method({
    name: 'evm_setBlockGasLimit',
    aliases: ['anvil_setBlockGasLimit'],
    summary: 'Gas that the next blocks may spend.',
    parameters: [uint64],
    answer: async (node, [gasLimit]) => {
      if (gasLimit < GAS_LIMIT_MIN) {
        throw invalidParams(`invalid argument 0: a block has at least ${GAS_LIMIT_MIN} gas`);
      }
      await set(node, { gasLimit });
      return true;
    },
  }),
];

async function mine(node: EthNode, blocks: number, interval?: number): Promise<void> {
  const { minedBlocks } = node.limits;
  if (blocks > minedBlocks) throw invalidParams(`${blocks} blocks are more than ${minedBlocks}`);
  if (blocks === 0) return;
  await node.settle(node.machine.mine(blocks, interval));
  await node.committed();
}

/** Turning it off leaves mining in intervals alone. */
function setAutomine(node: EthNode, isOn: boolean): Promise<null> | null {
  if (isOn) return set(node, { mining: { mode: 'instant' } });
  if (node.machine.state.settings.mining.mode === 'interval') return null;
  return set(node, { mining: { mode: 'manual' } });
}
