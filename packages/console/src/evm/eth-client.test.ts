import { expect, test } from 'vitest';
import type { OutcomeView } from '@polyvisor/host/control/views';
import type { Api } from '../api.ts';
import { RpcFailure, ethClient } from './eth-client.ts';

/** A chain that answers each method as the table says; and what it was asked. */
function serve(answers: Record<string, (...params: never[]) => unknown>) {
  const asked: unknown[] = [];
  const exec = async (
    _guest: string,
    method: string,
    params: readonly unknown[],
  ): Promise<OutcomeView> => {
    asked.push([method, ...params]);
    const answer = answers[method];
    if (answer === undefined) return { error: { code: -32_601, message: 'no such method' } };
    return { result: answer(...(params as never[])) };
  };
  return { asked, chain: ethClient({ exec } as Partial<Api> as Api, 'l1') };
}

const hash = `0x${'ab'.repeat(32)}`;
const getBlock = (number: string) => ({ number, hash, transactions: [hash] });

test('a block is found by number, tag or hash', async () => {
  const { chain, asked } = serve({ eth_getBlockByNumber: getBlock, eth_getBlockByHash: getBlock });
  for (const id of ['16', 'latest', hash]) await chain.block(id);
  expect(asked).toEqual([
    ['eth_getBlockByNumber', '0x10', true],
    ['eth_getBlockByNumber', 'latest', true],
    ['eth_getBlockByHash', hash, true],
  ]);
});

test('what the chain does not have is undefined', async () => {
  const { chain } = serve({
    eth_getBlockByNumber: () => null,
    eth_getTransactionByHash: () => null,
  });
  expect(await chain.block('7')).toBeUndefined();
  expect(await chain.transaction(hash)).toBeUndefined();
});

test('blocks go down to the first, without those that a rewind took away meanwhile', async () => {
  const { chain } = serve({
    eth_getBlockByNumber: (number: string) => (number === '0x2' ? null : getBlock(number)),
  });
  const blocks = await chain.blocksDown(2, 20);
  expect(blocks.map(({ number }) => number)).toEqual(['0x1', '0x0']);
});

test('an error of the chain has its code and its message', async () => {
  const { chain } = serve({});
  const error: unknown = await chain.trace(hash).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RpcFailure);
  expect(error).toMatchObject({ rpcCode: -32_601, message: 'no such method' });
});

test('storage is listed as it is after the last transaction of the head', async () => {
  const { chain, asked } = serve({
    eth_getBlockByNumber: () => getBlock('0x1'),
    debug_storageRangeAt: () => ({ storage: {}, nextKey: null }),
  });
  expect(await chain.storageRange('0xcd', '0x0', 50)).toEqual({ storage: {}, nextKey: null });
  expect(asked.at(-1)).toEqual(['debug_storageRangeAt', hash, 1, '0xcd', '0x0', 50]);
});

test('a chain that can’t list storage is no error', async () => {
  const { chain } = serve({ eth_getBlockByNumber: () => getBlock('0x1') });
  expect(await chain.storageRange('0xcd', '0x0', 50)).toBeUndefined();
});
