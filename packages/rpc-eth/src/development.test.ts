import { expect, test } from 'vitest';
import { GENESIS_TIME, TestNode, testAccounts } from './testing/test-node.ts';
import { bytesToHex } from '@polyvisor/bytes/hex';
import { TIMESTAMP_MAX } from './clock.ts';

const [from, to] = testAccounts.map(({ address }) => bytesToHex(address));
const stranger = `0x${'ab'.repeat(20)}`;

async function headTime(node: TestNode): Promise<number> {
  await node.call('evm_mine');
  return Number((node.call('eth_getBlockByNumber', 'latest') as { timestamp: string }).timestamp);
}

test('evm_mine takes a time, or how many blocks', async () => {
  const node = new TestNode({ limits: { minedBlocks: 3 } });
  expect(await node.call('evm_mine', GENESIS_TIME + 50)).toBe('0x0');
  await node.call('evm_mine', { blocks: 3, timestamp: GENESIS_TIME + 60 });
  expect(node.call('eth_blockNumber')).toBe('0x4');
  expect(node.call('eth_getBlockByNumber', '0x2')).toMatchObject({
    timestamp: `0x${(GENESIS_TIME + 60).toString(16)}`,
  });
  await expect(node.call('anvil_mine', 4)).rejects.toThrow('4 blocks are more than 3');
  await node.call('hardhat_mine', '0x0');
  expect(node.call('eth_blockNumber')).toBe('0x4');
});

test('the clock is moved and set', async () => {
  const node = new TestNode();
  expect(await node.call('evm_increaseTime', '0x64')).toBe(100);
  expect(await node.call('evm_increaseTime', 100)).toBe(200);
  expect(await headTime(node)).toBe(GENESIS_TIME + 200);
  expect(await node.call('evm_setTime', GENESIS_TIME + 1000)).toBe(1000);
  expect(await headTime(node)).toBe(GENESIS_TIME + 1000);
  await node.call('evm_setTime', 1000 * (GENESIS_TIME + 2000));
  expect(await headTime(node)).toBe(GENESIS_TIME + 2000);
  expect(node.call('anvil_getGenesisTime')).toBe(GENESIS_TIME);
});

test('increases that overlap add up', async () => {
  const node = new TestNode();
  await Promise.all([1, 2, 3].map((seconds) => node.call('evm_increaseTime', 10 * seconds)));
  expect(await headTime(node)).toBe(GENESIS_TIME + 60);
});

test('no block is later than the limit', async () => {
  const node = new TestNode();
  expect(() => node.call('evm_setNextBlockTimestamp', TIMESTAMP_MAX + 1)).toThrow('is more than');
  await expect(node.call('evm_increaseTime', TIMESTAMP_MAX)).rejects.toThrow('is more than');
  await node.call('evm_setNextBlockTimestamp', TIMESTAMP_MAX);
  expect(await headTime(node)).toBe(TIMESTAMP_MAX);
});

test('Hardhat gives the interval of timestamps in milliseconds', async () => {
  const node = new TestNode();
  await node.call('hardhat_setBlockTimestampInterval', 5000);
  expect(await headTime(node)).toBe(GENESIS_TIME + 5);
  expect(await node.call('hardhat_removeBlockTimestampInterval')).toBe(true);
  expect(await node.call('anvil_removeBlockTimestampInterval')).toBe(false);
  expect(() => node.call('anvil_setBlockTimestampInterval', 0)).toThrow('is from 1 to');
});

test('the dialects of other tools do the same', async () => {
  const node = new TestNode();
  await node.call('evm_setAccountBalance', stranger, '0x5');
  await node.call('hardhat_addBalance', stranger, 3);
  expect(node.call('eth_getBalance', stranger)).toBe('0x8');
  await node.call('evm_setAccountNonce', stranger, '0x9');
  expect(node.call('eth_getTransactionCount', stranger)).toBe('0x9');
  await node.call('evm_setAccountCode', stranger, '0x00');
  expect(node.call('eth_getCode', stranger)).toBe('0x00');
  expect(await node.call('miner_stop')).toBe(true);
  expect(node.call('hardhat_getAutomine')).toBe(false);
  expect(await node.call('miner_start')).toBe(true);
  expect(node.call('eth_mining')).toBe(true);
  await node.call('evm_setIntervalMining', 0.5);
  expect(node.call('anvil_getIntervalMining')).toBe(0.5);
  expect(await node.call('evm_setAutomine', false)).toBeNull();
  expect(node.call('anvil_getIntervalMining')).toBe(0.5);
});

test('the next block has the randomness and the chain the id that were asked for', async () => {
  const node = new TestNode();
  const randao = `0x${'12'.repeat(32)}`;
  await node.call('hardhat_setPrevRandao', randao);
  await node.call('evm_mine');
  expect(node.call('eth_getBlockByNumber', 'latest')).toMatchObject({ mixHash: randao });
  await node.call('anvil_setChainId', 99);
  expect(node.call('eth_chainId')).toBe('0x63');
  await expect(node.call('eth_sendTransaction', { from, to, chainId: '0x7a69' })).rejects.toThrow(
    "chainId does not match node's (have=31337, want=99)",
  );
});

test('blocks are rolled back', async () => {
  const node = new TestNode();
  await node.call('anvil_mine', 5);
  await node.call('anvil_rollback');
  expect(node.call('eth_blockNumber')).toBe('0x4');
  await node.call('anvil_rollback', 4);
  expect(node.call('eth_blockNumber')).toBe('0x0');
  await expect(node.call('anvil_rollback', 1)).rejects.toThrow('must not exceed');
});

test('waiting transactions are dropped one by one, by sender, and all', async () => {
  const node = new TestNode();
  await node.call('evm_setAutomine', false);
  const send = (): unknown => node.call('eth_sendTransaction', { from, to });
  const hash = await send();
  expect(await node.call('hardhat_dropTransaction', hash)).toBe(hash);
  expect(await node.call('anvil_dropTransaction', hash)).toBeNull();
  await send();
  await node.call('anvil_removePoolTransactions', from);
  expect(node.call('txpool_status')).toEqual({ pending: '0x0', queued: '0x0' });
  await send();
  expect(node.call('txpool_contentFrom', from)).toMatchObject({ pending: { 0: { from } } });
  await node.call('anvil_dropAllTransactions');
  expect(node.call('txpool_status')).toEqual({ pending: '0x0', queued: '0x0' });
});

test('the node tells its head and its snapshots', async () => {
  const node = new TestNode();
  await node.call('evm_mine');
  expect(node.call('evm_snapshot')).toBe('0x0');
  const { hash } = node.call('eth_getBlockByNumber', 'latest') as { hash: string };
  expect(node.call('hardhat_metadata')).toMatchObject({
    chainId: 31337,
    latestBlockNumber: 1,
    instanceId: 'instance-1',
    snapshots: { '0x0': [1, hash] },
  });
  expect(node.call('anvil_nodeInfo')).toMatchObject({
    currentBlockNumber: '0x1',
    currentBlockHash: hash,
    hardFork: 'osaka',
  });
  expect(await node.call('evm_revert', '0x5')).toBe(false);
});

test('what is no dump is refused', async () => {
  const node = new TestNode();
  await expect(node.call('anvil_loadState', '0x1234')).rejects.toThrow('state dump: ');
  const dump = await node.call('anvil_dumpState');
  const small = new TestNode({ limits: { dumpBytes: 100 } });
  await expect(small.call('anvil_loadState', dump)).rejects.toThrow('more than 100 bytes');
});

test('a raw transaction that is not mined in time is told so', async () => {
  const node = new TestNode();
  await node.call('evm_setAutomine', false);
  const raw = await node.call('eth_signTransaction', { from, to });
  await expect(node.call('eth_sendRawTransactionSync', raw, 1)).rejects.toMatchObject({
    code: 4,
    data: expect.stringMatching(/^0x/),
  });
  const other = await node.call('eth_signTransaction', { from, to, value: '0x1', nonce: '0x1' });
  const receipt = node.call('eth_sendRawTransactionSync', other);
  await node.call('evm_mine');
  expect(await receipt).toMatchObject({ status: '0x1', blockNumber: '0x1' });
  const late = node.call(
    'eth_sendRawTransactionSync',
    await node.call('eth_signTransaction', { from, to }),
  );
  node.service.dispose();
  await expect(late).rejects.toThrow('the interface was closed');
});

test('there are only so many snapshots, and going back makes room', async () => {
  const node = new TestNode({ limits: { snapshots: 2 } });
  node.call('evm_snapshot');
  node.call('evm_snapshot');
  expect(() => node.call('evm_snapshot')).toThrow('more than 2 snapshots');
  await node.call('evm_revert', '0x1');
  expect(node.call('evm_snapshot')).toBe('0x2');
});
