import { expect, test } from 'vitest';
import { parseEther, parseGwei } from 'viem';
import { GENESIS_TIME } from './testing/test-node.ts';
import { alice, bob, deployToken, stranger, token, viemOf } from './testing/test-clients.ts';

test('a snapshot comes back once, and takes later ones with it', async () => {
  const { client, wallet, chain } = viemOf();
  const first = await chain.snapshot();
  expect(first).toBe('0x0');
  await wallet.sendTransaction({ to: bob.address, value: 1n });
  const second = await chain.snapshot();
  expect(second).toBe('0x1');
  await wallet.sendTransaction({ to: bob.address, value: 1n });
  await chain.revert({ id: first });
  expect(await client.getBlockNumber()).toBe(0n);
  expect(await client.getTransactionCount({ address: alice.address })).toBe(0);
  await chain.revert({ id: second });
  expect(await client.getBlockNumber()).toBe(0n);
  expect(await chain.snapshot()).toBe('0x2');
});

test('filters go on behind a snapshot that came back', async () => {
  const { client, chain } = viemOf();
  const id = await chain.snapshot();
  const filter = await client.createBlockFilter();
  await chain.mine({ blocks: 3 });
  expect(await client.getFilterChanges({ filter })).toHaveLength(3);
  await chain.revert({ id });
  await chain.mine({ blocks: 2 });
  expect(await client.getFilterChanges({ filter })).toHaveLength(2);
});

test('accounts are changed as no transaction would', async () => {
  const { client, chain } = viemOf();
  const address = stranger;
  await chain.setBalance({ address, value: 5n });
  await chain.setNonce({ address, nonce: 9 });
  await chain.setCode({ address, bytecode: '0x5f' });
  await chain.setStorageAt({ address, index: 1, value: `0x${'0'.repeat(63)}2` });
  expect(await client.getBalance({ address })).toBe(5n);
  expect(await client.getTransactionCount({ address })).toBe(9);
  expect(await client.getCode({ address })).toBe('0x5f');
  await chain.mine({ blocks: 1 });
  expect(await client.getBalance({ address })).toBe(5n);
});

test('an impersonated account sends until it no longer is', async () => {
  const { nodeWallet, client, chain } = viemOf();
  await chain.setBalance({ address: stranger, value: parseEther('1') });
  const sent = () =>
    nodeWallet.sendTransaction({ account: stranger, to: bob.address, value: 1n, gas: 21_000n });
  await expect(sent()).rejects.toThrow('unknown account');
  await chain.impersonateAccount({ address: stranger });
  const hash = await sent();
  expect(await client.getTransactionReceipt({ hash })).toMatchObject({ from: stranger });
  await chain.stopImpersonatingAccount({ address: stranger });
  await expect(sent()).rejects.toThrow('unknown account');
  await chain.request({ method: 'anvil_autoImpersonateAccount' as never, params: [true] as never });
  await sent();
  await chain.sendUnsignedTransaction({ from: stranger, to: bob.address, gas: 21_000n });
  expect(await client.getTransactionCount({ address: stranger })).toBe(3);
});

test('time moves as it is told', async () => {
  const { client, chain, node } = viemOf();
  const time = async (): Promise<number> => Number((await client.getBlock()).timestamp);
  await chain.increaseTime({ seconds: 1000 });
  await chain.mine({ blocks: 1 });
  expect(await time()).toBe(GENESIS_TIME + 1000);
  await chain.setNextBlockTimestamp({ timestamp: BigInt(GENESIS_TIME + 5000) });
  await chain.mine({ blocks: 1 });
  expect(await time()).toBe(GENESIS_TIME + 5000);
  node.pass(10);
  await chain.mine({ blocks: 1 });
  expect(await time()).toBe(GENESIS_TIME + 5010);
  await chain.setBlockTimestampInterval({ interval: 7 });
  await chain.mine({ blocks: 2 });
  expect(await time()).toBe(GENESIS_TIME + 5024);
  await chain.removeBlockTimestampInterval();
  await chain.mine({ blocks: 3, interval: 60 });
  expect(await time()).toBe(GENESIS_TIME + 5145);
  await expect(chain.setNextBlockTimestamp({ timestamp: 5n })).rejects.toThrow(
    "lower than or equal to previous block's timestamp",
  );
});

test('without automine transactions wait for a block', async () => {
  const { client, wallet, chain } = viemOf();
  expect(await chain.getAutomine()).toBe(true);
  await chain.setAutomine(false);
  expect(await chain.getAutomine()).toBe(false);
  const send = (nonce: number) =>
    wallet.sendTransaction({ to: bob.address, nonce, gas: 21_000n, value: 1n });
  const first = await send(0);
  const dropped = await send(1);
  const behindGap = await send(3);
  expect(await client.getTransaction({ hash: first })).toMatchObject({ blockNumber: null });
  expect(await client.getTransactionCount({ address: alice.address, blockTag: 'pending' })).toBe(2);
  expect(await client.getBlock({ blockTag: 'pending' })).toMatchObject({
    transactions: [first, dropped],
  });
  const bobsBalance = await client.getBalance({ address: bob.address });
  expect(await client.getBalance({ address: bob.address, blockTag: 'pending' })).toBe(
    bobsBalance + 2n,
  );
  expect(await chain.getTxpoolStatus()).toEqual({ pending: 2, queued: 1 });
  expect(await chain.getTxpoolContent()).toMatchObject({
    pending: { [alice.address]: { 0: { hash: first }, 1: { hash: dropped } } },
    queued: { [alice.address]: { 3: { hash: behindGap } } },
  });
  expect(await chain.inspectTxpool()).toMatchObject({
    queued: {
      [alice.address]: {
        3: expect.stringMatching(`^${bob.address}: 1 wei \\+ 21000 gas × [0-9]+ wei$`),
      },
    },
  });
  await chain.dropTransaction({ hash: dropped });
  await chain.mine({ blocks: 1 });
  expect(await client.getTransactionReceipt({ hash: first })).toMatchObject({ blockNumber: 1n });
  expect(await chain.getTxpoolStatus()).toEqual({ pending: 0, queued: 1 });
});

test('blocks come in intervals', async () => {
  const { client, wallet, chain, node } = viemOf();
  await chain.setIntervalMining({ interval: 5 });
  const hash = await wallet.sendTransaction({ to: bob.address, value: 1n });
  node.pass(4);
  expect(await client.getBlockNumber()).toBe(0n);
  node.pass(1);
  expect(await client.getBlockNumber()).toBe(1n);
  expect(await client.getTransactionReceipt({ hash })).toMatchObject({ blockNumber: 1n });
});

test('the next blocks are as they are asked for', async () => {
  const { client, chain } = viemOf();
  await chain.setCoinbase({ address: stranger });
  await chain.setBlockGasLimit({ gasLimit: 12_345_678n });
  await chain.setNextBlockBaseFeePerGas({ baseFeePerGas: parseGwei('50') });
  await chain.mine({ blocks: 1 });
  expect(await client.getBlock()).toMatchObject({
    miner: stranger,
    gasLimit: 12_345_678n,
    baseFeePerGas: parseGwei('50'),
  });
});

test('a dump carries accounts from one chain to another', async () => {
  const from = viemOf();
  const address = await deployToken(from);
  await from.wallet.writeContract({
    address,
    abi: token.abi,
    functionName: 'transfer',
    args: [bob.address, 3n],
  });
  const to = viemOf();
  await to.chain.loadState({ state: await from.chain.dumpState() });
  expect(
    await to.client.readContract({
      address,
      abi: token.abi,
      functionName: 'balanceOf',
      args: [bob.address],
    }),
  ).toBe(3n);
});

test('reset goes back to the first block', async () => {
  const { client, wallet, chain } = viemOf();
  const genesis = await client.getBlock();
  await wallet.sendTransaction({ to: bob.address, value: 1n });
  await chain.reset();
  expect(await client.getBlock()).toEqual(genesis);
  expect(await client.getTransactionCount({ address: alice.address })).toBe(0);
  await wallet.sendTransaction({ to: bob.address, value: 1n });
  await expect(chain.reset({ jsonRpcUrl: 'http://a.b' })).rejects.toThrow('not supported');
});

test('what there is not is told', async () => {
  const { chain } = viemOf();
  await expect(chain.setMinGasPrice({ gasPrice: 1n })).rejects.toThrow('not supported');
  await expect(chain.setRpcUrl('http://a.b')).rejects.toThrow('not supported');
  await chain.setLoggingEnabled(false);
});
