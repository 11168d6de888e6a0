import { expect, test } from 'vitest';
import {
  getAddress,
  parseEther,
  parseGwei,
  recoverTransactionAddress,
  verifyTypedData,
} from 'viem';
import { alice, bob, stranger, viemOf } from './testing/test-clients.ts';

test('the node signs for its own accounts', async () => {
  const { nodeWallet, client } = viemOf();
  expect(await nodeWallet.getAddresses()).toContain(alice.address);
  expect(await nodeWallet.requestAddresses()).toHaveLength(10);
  const hash = await nodeWallet.sendTransaction({
    account: alice.address,
    to: bob.address,
    value: 5n,
  });
  expect(await client.getTransaction({ hash })).toMatchObject({
    type: 'eip1559',
    gas: 21_000n,
    value: 5n,
    nonce: 0,
  });
});

test('transactions that are sent at once get nonces in a row', async () => {
  const { nodeWallet, client } = viemOf();
  const hashes = await Promise.all(
    Array.from({ length: 5 }, () =>
      nodeWallet.sendTransaction({ account: alice.address, to: bob.address, value: 1n }),
    ),
  );
  const nonces = await Promise.all(
    hashes.map(async (hash) => (await client.getTransaction({ hash })).nonce),
  );
  expect(nonces.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
});

test('an account that is not the node’s can not send', async () => {
  const { nodeWallet } = viemOf();
  const sent = nodeWallet.sendTransaction({ account: stranger, to: bob.address, gas: 21_000n });
  await expect(sent).rejects.toThrow('unknown account');
});

test('every type of transaction is mined and shown with its own fields', async () => {
  const { wallet, client } = viemOf();
  const to = bob.address;
  const accessList = [{ address: to, storageKeys: [`0x${'0'.repeat(64)}`] as const }];
  const legacy = await wallet.sendTransaction({ type: 'legacy', to, gasPrice: parseGwei('2') });
  expect(await client.getTransaction({ hash: legacy })).toMatchObject({
    type: 'legacy',
    gasPrice: parseGwei('2'),
  });
  const listed = await wallet.sendTransaction({
    type: 'eip2930',
    to,
    accessList,
    gasPrice: parseGwei('2'),
  });
  expect(await client.getTransaction({ hash: listed })).toMatchObject({
    type: 'eip2930',
    accessList: [{ address: to.toLowerCase() }],
  });
  const dynamic = await wallet.sendTransaction({
    to,
    maxFeePerGas: parseGwei('3'),
    maxPriorityFeePerGas: 1n,
  });
  const receipt = await client.getTransactionReceipt({ hash: dynamic });
  const { baseFeePerGas } = await client.getBlock({ blockHash: receipt.blockHash });
  expect(receipt).toMatchObject({ type: 'eip1559', effectiveGasPrice: baseFeePerGas! + 1n });
});

test('an account gets code by an authorization (EIP-7702)', async () => {
  const { wallet, client, chain } = viemOf();
  const target = stranger;
  await chain.setCode({ address: target, bytecode: '0x00' });
  const authorization = await wallet.signAuthorization({
    account: alice,
    contractAddress: target,
    executor: 'self',
  });
  const hash = await wallet.sendTransaction({
    to: alice.address,
    authorizationList: [authorization],
  });
  expect(await client.getTransactionReceipt({ hash })).toMatchObject({ type: 'eip7702' });
  expect(await client.getTransaction({ hash })).toMatchObject({
    authorizationList: [{ address: target, chainId: 31337 }],
  });
  expect(await client.getCode({ address: alice.address })).toBe(`0xef0100${target.slice(2)}`);
  expect(await client.getDelegation({ address: alice.address })).toBe(getAddress(target));
});

test('a blob transaction pays for its blobs', async () => {
  const { wallet, client } = viemOf();
  const request = await wallet.prepareTransactionRequest({
    to: bob.address,
    maxFeePerBlobGas: 10n,
    maxFeePerGas: parseGwei('3'),
    maxPriorityFeePerGas: 1n,
    gas: 21_000n,
    blobVersionedHashes: [`0x01${'ab'.repeat(31)}`],
    type: 'eip4844',
  });
  const serialized = await wallet.signTransaction({ ...request, sidecars: false } as never);
  const hash = await wallet.sendRawTransaction({ serializedTransaction: serialized });
  expect(await client.getTransactionReceipt({ hash })).toMatchObject({
    type: 'eip4844',
    blobGasUsed: 131_072n,
    blobGasPrice: 1n,
  });
  expect(await client.getTransaction({ hash })).toMatchObject({
    blobVersionedHashes: [`0x01${'ab'.repeat(31)}`],
    maxFeePerBlobGas: 10n,
  });
});

test('the node fills in and signs a transaction without sending it', async () => {
  const { nodeWallet, client } = viemOf();
  const request = { account: alice.address, to: bob.address, value: 1n } as const;
  const serializedTransaction = await nodeWallet.signTransaction(request);
  expect(
    await recoverTransactionAddress({ serializedTransaction: serializedTransaction as '0x02' }),
  ).toBe(alice.address);
  const filled = await nodeWallet.fillTransaction(request);
  expect(filled.transaction).toMatchObject({ nonce: 0, gas: 21_000n, value: 1n });
  expect(await client.getTransactionCount({ address: alice.address })).toBe(0);
});

test('a raw transaction may be waited for (EIP-7966)', async () => {
  const { wallet } = viemOf();
  const receipt = await wallet.sendTransactionSync({ to: bob.address, value: parseEther('1') });
  expect(receipt).toMatchObject({ status: 'success', gasUsed: 21_000n });
});

test('structured data that the node signs verifies', async () => {
  const { nodeWallet } = viemOf();
  const typedData = {
    domain: { name: 'Mail', version: '1', chainId: 31337, verifyingContract: stranger },
    types: {
      Person: [
        { name: 'name', type: 'string' },
        { name: 'wallets', type: 'address[]' },
      ],
      Mail: [
        { name: 'from', type: 'Person' },
        { name: 'to', type: 'Person[2]' },
        { name: 'amount', type: 'int64' },
        { name: 'tag', type: 'bytes4' },
        { name: 'rest', type: 'bytes' },
        { name: 'isRead', type: 'bool' },
      ],
    },
    primaryType: 'Mail',
    message: {
      from: { name: 'Cow', wallets: [alice.address] },
      to: [
        { name: 'Bob', wallets: [] },
        { name: 'Bo', wallets: [bob.address, stranger] },
      ],
      amount: -5n,
      tag: '0x01020304',
      rest: '0x0506',
      isRead: true,
    },
  } as const;
  const signature = await nodeWallet.signTypedData({ account: alice.address, ...typedData });
  expect(await verifyTypedData({ address: alice.address, ...typedData, signature })).toBe(true);
});

test('refused transactions are told in words that viem knows', async () => {
  const { wallet } = viemOf();
  const sent = (fields: object): Promise<unknown> =>
    wallet.sendTransaction({ to: bob.address, gas: 21_000n, ...fields });
  await expect(sent({ value: parseEther('99999') })).rejects.toThrow('insufficient funds');
  await expect(sent({ gas: 20_000n })).rejects.toThrow('intrinsic gas too low');
  await sent({ nonce: 0 });
  await expect(sent({ nonce: 0 })).rejects.toThrow('Nonce provided for the transaction is lower');
  await expect(sent({ maxFeePerGas: 1n, maxPriorityFeePerGas: 0n })).rejects.toThrow(
    'cannot be lower than the block base fee',
  );
});
