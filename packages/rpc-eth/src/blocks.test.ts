import { bytesToHex, hexToBytes } from '@polyvisor/bytes/hex';
import { decodeRlp } from '@polyvisor/codec/rlp';
import { keccak256 } from '@polyvisor/crypto/keccak';
import { expect, test } from 'vitest';
import { TestNode, testAccounts } from './testing/test-node.ts';

const [from, to] = testAccounts.map(({ address }) => bytesToHex(address));

async function mined() {
  const node = new TestNode();
  const hash = (await node.call('eth_sendTransaction', { from, to })) as string;
  const block = node.call('eth_getBlockByNumber', 'latest') as { hash: string };
  return { node, hash, block };
}

test('a block is read by its parts', async () => {
  const { node, hash, block } = await mined();
  expect(node.call('eth_getHeaderByNumber', '0x1')).toMatchObject({ hash: block.hash });
  expect(node.call('eth_getHeaderByHash', block.hash)).not.toHaveProperty('transactions');
  expect(node.call('eth_getBlockReceipts', 'latest')).toEqual([
    node.call('eth_getTransactionReceipt', hash),
  ]);
  expect(node.call('eth_getBlockReceipts', '0x0')).toEqual([]);
  expect(node.call('eth_getUncleCountByBlockNumber', '0x1')).toBe('0x0');
  expect(node.call('eth_getUncleCountByBlockHash', block.hash)).toBe('0x0');
  expect(node.call('eth_getUncleByBlockHashAndIndex', block.hash, '0x0')).toBeNull();
  expect(await node.call('eth_getBlockTransactionCountByNumber', 'pending')).toBe('0x0');
});

test('what there is not is null', () => {
  const node = new TestNode();
  const none = `0x${'00'.repeat(32)}`;
  expect(node.call('eth_getBlockByHash', none, true)).toBeNull();
  expect(node.call('eth_getHeaderByNumber', '0x5')).toBeNull();
  expect(node.call('eth_getBlockReceipts', none)).toBeNull();
  expect(node.call('eth_getBlockReceipts', '0x37')).toBeNull();
  expect(node.call('eth_getUncleCountByBlockNumber', '0x5')).toBeNull();
  expect(node.call('eth_getBlockTransactionCountByHash', none)).toBeNull();
  expect(node.call('eth_getTransactionByBlockNumberAndIndex', '0x0', '0x0')).toBeNull();
  expect(node.call('eth_getTransactionBySenderAndNonce', from, '0x0')).toBeNull();
  expect(node.call('eth_getTransactionReceipt', none)).toBeNull();
});

test('raw forms hash to what they are named by', async () => {
  const { node, hash, block } = await mined();
  const raw = (method: string, ...params: unknown[]): Uint8Array =>
    hexToBytes(node.call(method, ...params) as string);
  expect(bytesToHex(keccak256(raw('debug_getRawHeader', '0x1')))).toBe(block.hash);
  expect(bytesToHex(keccak256(raw('debug_getRawTransaction', hash)))).toBe(hash);
  const byPlace = raw('eth_getRawTransactionByBlockNumberAndIndex', '0x1', '0x0');
  expect(bytesToHex(keccak256(byPlace))).toBe(hash);
  const size = (node.call('eth_getBlockByNumber', '0x1') as { size: string }).size;
  expect(raw('debug_getRawBlock', '0x1')).toHaveLength(Number(size));
  expect(decodeRlp(raw('debug_getRawBlock', '0x1'))).toHaveLength(4);
  expect(node.call('debug_getRawReceipts', '0x1')).toHaveLength(1);
  expect(node.call('eth_getRawTransactionByHash', block.hash)).toBe('0x');
});
