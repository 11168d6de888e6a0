import { expect, test } from 'vitest';
import { PERCENTILES_MAX } from './chain.ts';
import { methodTable, methodsByName } from './methods.ts';
import { TestNode } from './testing/test-node.ts';

test('no two methods have a name in common, and every one says what it does', () => {
  const names = methodTable.flatMap((row) => [row.name, ...row.aliases]);
  expect(methodsByName.size).toBe(names.length);
  expect(methodTable.filter(({ summary }) => !summary.endsWith('.'))).toEqual([]);
});

test.each([
  ['eth_chainId', '0x7a69'],
  ['eth_blockNumber', '0x0'],
  ['net_version', '31337'],
  ['net_listening', true],
  ['net_peerCount', '0x0'],
  ['web3_clientVersion', 'Polyvisor/test'],
  ['eth_syncing', false],
  ['eth_mining', true],
  ['eth_coinbase', '0x00000000000000000000000000000000000000c0'],
  ['eth_gasPrice', '0x6fc23ac0'],
  ['eth_maxPriorityFeePerGas', '0x3b9aca00'],
  ['eth_baseFee', '0x342770c0'],
  ['eth_blobBaseFee', '0x1'],
  ['polyvisor_instance', 'instance-1'],
])('%s answers at once', (method, answer) => {
  expect(new TestNode().call(method)).toBe(answer);
});

test('web3_sha3 is Keccak-256', () => {
  expect(new TestNode().call('web3_sha3', '0x')).toBe(
    '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470',
  );
});

test('rpc_modules lists the groups', () => {
  expect(new TestNode().call('rpc_modules')).toMatchObject({ eth: '1.0', evm: '1.0', rpc: '1.0' });
});

/** @see EIP-7910 */
test('eth_config names precompiles and system contracts of the fork', () => {
  const config = new TestNode({ genesis: { hardfork: 'cancun' } }).call('eth_config');
  expect(config).toMatchObject({
    current: {
      blobSchedule: { target: 3, max: 6, baseFeeUpdateFraction: 3_338_477 },
      precompiles: { KZG_POINT_EVALUATION: `0x${'0'.repeat(39)}a` },
      systemContracts: { BEACON_ROOTS_ADDRESS: '0x000f3df6d732807ef1319fb7b8bb8522d0beac02' },
    },
    next: null,
    last: null,
  });
  expect(config).not.toHaveProperty('current.systemContracts.HISTORY_STORAGE_ADDRESS');
  const berlin = new TestNode({ genesis: { hardfork: 'berlin' } }).call('eth_config');
  expect(berlin).toMatchObject({ current: { blobSchedule: null, systemContracts: {} } });
});

test('eth_capabilities tells from which block on state is kept', async () => {
  const node = new TestNode({ machine: { historyBlocks: 4 } });
  await node.call('anvil_mine', 10);
  expect(node.call('eth_capabilities')).toMatchObject({
    head: { number: '0xa' },
    state: { oldestBlock: '0x7' },
    blocks: { oldestBlock: '0x0' },
  });
  expect(node.call('eth_getBalance', `0x${'00'.repeat(20)}`, '0x7')).toBe('0x0');
  expect(() => node.call('eth_getBalance', `0x${'00'.repeat(20)}`, '0x6')).toThrow(
    'state of block 6 is no longer kept',
  );
});

test('eth_feeHistory takes so many percentiles, in order, from 0 to 100', () => {
  const node = new TestNode();
  const history = (...percentiles: unknown[]): unknown =>
    node.call('eth_feeHistory', 1, 'latest', percentiles);
  const percentiles = Array.from({ length: PERCENTILES_MAX }, (_, i) => i);
  expect(history(...percentiles)).toMatchObject({ oldestBlock: '0x0' });
  expect(() => history(...percentiles, 100)).toThrow('elements are more than 100');
  expect(() => history(101)).toThrow('invalid reward percentile: 101');
  expect(() => history(5, 4)).toThrow('invalid reward percentile: #0:5 > #1:4');
  expect(() => node.call('eth_feeHistory', '0x1', '0x9')).toThrow('request beyond head block');
});
