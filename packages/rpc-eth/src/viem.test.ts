import { expect, test } from 'vitest';
import { createPublicClient, createTestClient, createWalletClient, custom, parseEther } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { foundry } from 'viem/chains';
import { TestNode } from './test-node.ts';

const MNEMONIC = 'test test test test test test test test test test test junk';
const alice = mnemonicToAccount(MNEMONIC, { addressIndex: 0 });
const bob = mnemonicToAccount(MNEMONIC, { addressIndex: 1 });

function clients() {
  const node = new TestNode();
  const transport = custom(node.provider, { retryCount: 0 });
  const options = { chain: foundry, transport, pollingInterval: 1 } as const;
  return {
    node,
    client: createPublicClient({ ...options, cacheTime: 0 }),
    wallet: createWalletClient({ ...options, account: alice }),
    chain: createTestClient({ ...options, mode: 'anvil' }),
  };
}

test('a signed transfer is mined when its hash comes', async () => {
  const { client, wallet } = clients();
  expect(await client.getChainId()).toBe(31337);
  expect(await client.getBlockNumber()).toBe(0n);
  const before = await client.getBalance({ address: bob.address });
  const hash = await wallet.sendTransaction({ to: bob.address, value: parseEther('1') });
  const receipt = await client.getTransactionReceipt({ hash });
  expect(receipt).toMatchObject({ status: 'success', gasUsed: 21_000n, blockNumber: 1n });
  expect(await client.getBalance({ address: bob.address })).toBe(before + parseEther('1'));
});

test('a call reads what code returns', async () => {
  const { client } = clients();
  // PUSH1 42 PUSH0 MSTORE PUSH1 32 PUSH0 RETURN, as the code of an account for this call only.
  const code = '0x602a5f5260205ff3';
  const { data } = await client.call({
    code: undefined,
    to: bob.address,
    stateOverride: [{ address: bob.address, code }],
  });
  expect(BigInt(data!)).toBe(42n);
});

test('cheat', async () => {
  const { chain, client, node, wallet } = clients();
  const id = await chain.snapshot();
  expect(id).toBe('0x0');
  await chain.setBalance({ address: bob.address, value: 5n });
  expect(await client.getBalance({ address: bob.address })).toBe(5n);
  await chain.mine({ blocks: 3, interval: 10 });
  expect(await client.getBlockNumber()).toBe(3n);
  const hash = await wallet.sendTransaction({ to: bob.address, value: parseEther('1') });
  console.log(await node.call('debug_traceTransaction', hash, { tracer: 'callTracer' }));
  console.log(await node.call('debug_traceBlockByNumber', '0x4'));
  await chain.revert({ id });
  expect(await client.getBlockNumber()).toBe(0n);
  console.log(
    await node.call('anvil_nodeInfo'),
    await node.call('anvil_metadata'),
    await node.call('rpc_modules'),
    await node.call('eth_config'),
  );
  const dump = await chain.dumpState();
  await chain.loadState({ state: dump });
});
