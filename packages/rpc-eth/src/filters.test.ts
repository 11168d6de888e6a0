import { expect, test } from 'vitest';
import { type EthServiceLimits, defaultEthServiceLimits } from './limits.ts';
import { TestNode } from './testing/test-node.ts';

const address = `0x${'cc'.repeat(20)}`;
/** PUSH1 value PUSH1 32 PUSH0 LOG1: 32 zero bytes with one topic. */
const logsOnce = '0x600760205fa1';

const { filterIdleMs } = defaultEthServiceLimits;

async function logging(limits: Partial<EthServiceLimits> = {}): Promise<TestNode> {
  const node = new TestNode({ limits });
  await node.call('anvil_setCode', address, logsOnce);
  return node;
}

async function log(node: TestNode): Promise<unknown> {
  const [from] = node.call('eth_accounts') as string[];
  return await node.call('eth_sendTransaction', { from, to: address });
}

test('a filter that nobody polls is dropped after its time, and not before', () => {
  const node = new TestNode();
  const id = node.call('eth_newBlockFilter');
  node.nowMs += filterIdleMs;
  expect(node.call('eth_getFilterChanges', id)).toEqual([]);
  node.nowMs += filterIdleMs + 1;
  expect(() => node.call('eth_getFilterChanges', id)).toThrow('filter not found');
});

test('there are only so many filters, and idle ones make room', () => {
  const node = new TestNode({ limits: { filters: 2 } });
  for (let i = 0; i < 2; i++) node.call('eth_newBlockFilter');
  expect(() => node.call('eth_newBlockFilter')).toThrow('more than 2 filters');
  node.nowMs += filterIdleMs + 1;
  expect(node.call('eth_newBlockFilter')).toMatch(/^0x/);
});

test('a poll covers so many blocks, and the next one goes on behind them', async () => {
  const node = new TestNode({ limits: { polledBlocks: 3 } });
  const id = node.call('eth_newBlockFilter');
  await node.call('anvil_mine', 4);
  expect(node.call('eth_getFilterChanges', id)).toHaveLength(3);
  expect(node.call('eth_getFilterChanges', id)).toHaveLength(1);
  await node.call('anvil_mine', 3);
  expect(node.call('eth_getFilterChanges', id)).toHaveLength(3);
  expect(node.call('eth_getFilterChanges', id)).toHaveLength(0);
});

test('a log filter is for its range only', async () => {
  const node = await logging();
  const id = node.call('eth_newFilter', { fromBlock: '0x2', toBlock: '0x3' });
  for (let i = 0; i < 5; i++) await log(node);
  const changes = node.call('eth_getFilterChanges', id) as { blockNumber: string }[];
  expect(changes.map(({ blockNumber }) => blockNumber)).toEqual(['0x2', '0x3']);
  expect(node.call('eth_getFilterLogs', id)).toEqual(changes);
});

test('waiting transactions come whole if they are asked for so', async () => {
  const node = await logging();
  const id = node.call('eth_newPendingTransactionFilter', true);
  const hash = await log(node);
  expect(node.call('eth_getFilterChanges', id)).toMatchObject([{ hash, to: address }]);
  expect(() => node.call('eth_getFilterLogs', id)).toThrow('filter not found');
});

test('topics are matched by position, with alternatives and gaps', async () => {
  const node = await logging();
  await log(node);
  const topic = `0x${'0'.repeat(63)}7`;
  const other = `0x${'0'.repeat(63)}8`;
  const found = (topics: unknown): unknown => node.call('eth_getLogs', { topics });
  expect(found([topic])).toHaveLength(1);
  expect(found([null])).toHaveLength(1);
  expect(found([[other, topic]])).toHaveLength(1);
  expect(found([[other, null]])).toHaveLength(1);
  expect(found([other])).toHaveLength(0);
  expect(found([topic, null])).toHaveLength(0);
  expect(() => found([null, null, null, null, null])).toThrow('exceed max topics');
});

/** The cases and texts are those of execution-apis, tests/eth_getLogs. */
test.each([
  [{ fromBlock: '0x0', toBlock: '0x9' }, 'block range extends beyond current head block'],
  [{ fromBlock: '0x1', toBlock: '0x0' }, 'invalid block range params'],
  [
    { blockHash: `0x${'00'.repeat(32)}`, toBlock: '0x0' },
    'invalid argument 0: cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other',
  ],
  [{ blockHash: `0x${'00'.repeat(32)}` }, 'unknown block'],
  [{ address: ['0x00'] }, 'invalid argument 0: address: hex string has length 2, want 40'],
])('logs of %j: %s', (request, problem) => {
  expect(() => new TestNode().call('eth_getLogs', request)).toThrow(problem);
});

test('a long range is looked through in turns', async () => {
  const node = await logging();
  await log(node);
  await node.call('anvil_mine', 2_500);
  await log(node);
  const logs = node.call('eth_getLogs', { fromBlock: '0x0', address });
  expect(logs).toBeInstanceOf(Promise);
  expect(await logs).toHaveLength(2);
});

test('a query is for so many blocks and gets so many logs', async () => {
  const node = await logging({ logs: 2, logBlocks: 3 });
  const found = (fromBlock: string): unknown => node.call('eth_getLogs', { fromBlock });
  await log(node);
  await log(node);
  expect(found('0x0')).toHaveLength(2);
  await log(node);
  expect(found('0x2')).toHaveLength(2);
  expect(() => found('0x1')).toThrow('query returned more than 2 results');
  expect(() => found('0x0')).toThrow('block range is larger than 3');
});

test('a filter holds so many transactions, the latest', async () => {
  const node = await logging({ filterTransactions: 2 });
  const id = node.call('eth_newPendingTransactionFilter');
  const hashes = [await log(node), await log(node), await log(node)];
  expect(node.call('eth_getFilterChanges', id)).toEqual(hashes.slice(1));
});
