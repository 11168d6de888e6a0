import type { Settings } from '@polyvisor/eth/settings';
import { blockAt } from './block-id.ts';
import { type Method, method } from './method.ts';
import { type EthNode, change } from './node.ts';
import { count, invalidParams } from './parameters.ts';

/** Unix seconds that no block may pass: in the year 36,812. */
export const TIMESTAMP_MAX = 2 ** 40;
/** From here on a time is in milliseconds, as Ganache takes it. */
const MILLISECONDS_FROM = 1e11;

export const clockMethods: readonly Method[] = [
  method({
    name: 'evm_increaseTime',
    aliases: ['anvil_increaseTime'],
    summary:
      "Moves the chain's clock ahead by seconds; the answer is how far ahead of the host's it is.",
    parameters: [count],
    answer: (node, [seconds]) => moveClock(node, ({ clockOffset }) => clockOffset + seconds),
  }),
  method({
    name: 'evm_setTime',
    aliases: ['anvil_setTime'],
    summary: "Sets the chain's clock, in Unix seconds (or milliseconds, from 10^11 on).",
    parameters: [count],
    answer: (node, [time]) => {
      const seconds = time >= MILLISECONDS_FROM ? Math.floor(time / 1000) : time;
      return moveClock(node, () => seconds - hostSeconds(node));
    },
  }),
  method({
    name: 'evm_setNextBlockTimestamp',
    aliases: ['anvil_setNextBlockTimestamp'],
    summary: 'Unix seconds of the next block.',
    parameters: [count],
    answer: (node, [nextTimestamp]) => {
      checkTimestamp(node, nextTimestamp);
      return set(node, { nextTimestamp });
    },
  }),
  method({
    name: 'anvil_setBlockTimestampInterval',
    aliases: ['evm_setBlockTimestampInterval'],
    summary: "Seconds from each block's timestamp to the next one's.",
    parameters: [count],
    answer: (node, [timestampInterval]) => setTimestampInterval(node, timestampInterval),
  }),
  method({
    name: 'hardhat_setBlockTimestampInterval',
    summary: 'As anvil_setBlockTimestampInterval, in milliseconds.',
    parameters: [count],
    answer: (node, [interval]) => setTimestampInterval(node, Math.floor(interval / 1000)),
  }),
  method({
    name: 'anvil_removeBlockTimestampInterval',
    aliases: ['hardhat_removeBlockTimestampInterval', 'evm_removeBlockTimestampInterval'],
    summary: 'Blocks get their timestamps from the clock again. False when they did.',
    answer: async (node) => {
      const wasSet = node.machine.state.settings.timestampInterval !== undefined;
      await set(node, { timestampInterval: undefined });
      return wasSet;
    },
  }),
  method({
    name: 'anvil_getGenesisTime',
    summary: 'Unix seconds of the first block.',
    answer: ({ machine }) => Number(blockAt(machine.state, 0n).header.timestamp),
  }),
];

/**
 * Changes settings, which may depend on what they are. @returns null, the answer where there is
 * nothing to say
 */
export async function set(
  node: EthNode,
  changes: Partial<Settings> | ((settings: Settings) => Partial<Settings>),
): Promise<null> {
  await change(node, (state) => {
    const changed = typeof changes === 'function' ? changes(state.settings) : changes;
    return { ...state, settings: { ...state.settings, ...changed } };
  });
  return null;
}

/** @throws RpcError when a block of that time can't follow */
export function checkTimestamp(node: EthNode, timestamp: number): void {
  const { timestamp: last } = node.machine.state.head.header;
  if (BigInt(timestamp) <= last) {
    throw invalidParams(
      `Timestamp error: ${timestamp} is lower than or equal to previous block's timestamp ${last}`,
    );
  }
  if (timestamp > TIMESTAMP_MAX) {
    throw invalidParams(`Timestamp error: ${timestamp} is more than ${TIMESTAMP_MAX}`);
  }
}

/** @returns how far ahead of the host's clock it is then, in seconds */
async function moveClock(node: EthNode, offset: (settings: Settings) => number): Promise<number> {
  await set(node, (settings) => {
    const clockOffset = offset(settings);
    const time = hostSeconds(node) + clockOffset;
    if (time > TIMESTAMP_MAX) {
      throw invalidParams(`Timestamp error: ${time} is more than ${TIMESTAMP_MAX}`);
    }
    return { clockOffset };
  });
  return node.machine.state.settings.clockOffset;
}

function setTimestampInterval(node: EthNode, timestampInterval: number): Promise<null> {
  if (timestampInterval < 1 || timestampInterval > TIMESTAMP_MAX) {
    throw invalidParams(`a block's timestamp is from 1 to ${TIMESTAMP_MAX} s after the last one`);
  }
  return set(node, { timestampInterval });
}

function hostSeconds(node: EthNode): number {
  return Math.floor(node.nowMs() / 1000);
}
