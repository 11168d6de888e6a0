import { expect, test } from 'vitest';
import {
  encodeFunctionData,
  erc20Abi,
  hashMessage,
  parseAbi,
  parseEther,
  parseEventLogs,
  parseGwei,
  verifyMessage,
} from 'viem';
import { GENESIS_TIME } from './testing/test-node.ts';
import {
  SUPPLY,
  alice,
  bob,
  deployToken,
  stranger,
  token,
  viemOf,
} from './testing/test-clients.ts';

test('the chain says what it is', async () => {
  const { client } = viemOf();
  expect(await client.getChainId()).toBe(31337);
  expect(await client.getBlockNumber()).toBe(0n);
  expect(await client.getGasPrice()).toBe(parseGwei('1.875'));
  expect(await client.estimateMaxPriorityFeePerGas()).toBe(parseGwei('1'));
  expect(await client.getBlobBaseFee()).toBe(1n);
  expect(await client.estimateFeesPerGas()).toMatchObject({
    maxPriorityFeePerGas: parseGwei('1'),
  });
  const history = await client.getFeeHistory({ blockCount: 1, rewardPercentiles: [25, 75] });
  expect(history).toMatchObject({
    oldestBlock: 0n,
    baseFeePerGas: [parseGwei('1'), parseGwei('0.875')],
    gasUsedRatio: [0],
    reward: [[0n, 0n]],
  });
});

test('a block has the fields that viem reads', async () => {
  const { client, wallet } = viemOf();
  const hash = await wallet.sendTransaction({ to: bob.address, value: 1n });
  const block = await client.getBlock({ includeTransactions: true });
  expect(block).toMatchObject({
    number: 1n,
    timestamp: BigInt(GENESIS_TIME + 1),
    gasUsed: 21_000n,
    baseFeePerGas: parseGwei('0.875'),
    withdrawals: [],
    uncles: [],
  });
  expect(block.transactions).toMatchObject([{ hash, blockHash: block.hash, type: 'eip1559' }]);
  expect(await client.getBlock({ blockHash: block.hash })).toMatchObject({ transactions: [hash] });
  expect(await client.getBlockTransactionCount()).toBe(1);
  expect(await client.getBlockTransactionCount({ blockHash: block.hash })).toBe(1);
  const pending = await client.getBlock({ blockTag: 'pending' });
  expect(pending).toMatchObject({ hash: null, number: 2n });
  await expect(client.getBlock({ blockNumber: 99n })).rejects.toThrow('could not be found');
});

test('a transaction is found by hash, by its place and by sender and nonce', async () => {
  const { client, wallet } = viemOf();
  for (let i = 0; i < 4; i++) await wallet.sendTransaction({ to: bob.address, value: BigInt(i) });
  const { hash: blockHash, transactions } = await client.getBlock({ blockNumber: 3n });
  const [hash] = transactions;
  const found = await client.getTransaction({ hash: hash! });
  expect(found).toMatchObject({ nonce: 2, value: 2n, blockNumber: 3n, transactionIndex: 0 });
  expect(await client.getTransaction({ blockHash, index: 0 })).toEqual(found);
  expect(await client.getTransaction({ blockNumber: 3n, index: 0 })).toEqual(found);
  expect(await client.getTransaction({ sender: alice.address, nonce: 2 })).toEqual(found);
  expect(await client.getTransactionConfirmations({ hash: hash! })).toBe(2n);
  expect(await client.getTransactionCount({ address: alice.address })).toBe(4);
});

test('state is read at any kept block', async () => {
  const { client, wallet, chain } = viemOf();
  const before = await client.getBalance({ address: bob.address });
  await wallet.sendTransaction({ to: bob.address, value: parseEther('1') });
  const address = bob.address;
  expect(await client.getBalance({ address })).toBe(before + parseEther('1'));
  expect(await client.getBalance({ address, blockNumber: 0n })).toBe(before);
  expect(await client.getBalance({ address, blockTag: 'pending' })).toBe(before + parseEther('1'));
  await chain.setCode({ address: stranger, bytecode: '0x6001' });
  expect(await client.getCode({ address: stranger })).toBe('0x6001');
  await chain.setStorageAt({ address: stranger, index: 7, value: `0x${'0'.repeat(63)}9` });
  expect(await client.getStorageAt({ address: stranger, slot: '0x7' })).toBe(
    `0x${'0'.repeat(63)}9`,
  );
  const proof = await client.getProof({ address: stranger, storageKeys: [`0x${'0'.repeat(63)}7`] });
  expect(proof.storageProof).toMatchObject([{ value: 9n }]);
  expect(proof.accountProof.length).toBeGreaterThan(0);
});

test('a contract is deployed, read, simulated, estimated and written', async () => {
  const viem = viemOf();
  const { client, wallet } = viem;
  const address = await deployToken(viem);
  const contract = { address, abi: token.abi } as const;
  const balanceOf = (owner: `0x${string}`) =>
    client.readContract({ ...contract, functionName: 'balanceOf', args: [owner] });
  expect(await balanceOf(alice.address)).toBe(SUPPLY);
  const write = { ...contract, functionName: 'transfer', args: [bob.address, 7n] } as const;
  const { result, request } = await client.simulateContract({ ...write, account: alice });
  expect(result).toBe(true);
  expect(await client.estimateContractGas({ ...write, account: alice })).toBeGreaterThan(21_000n);
  const hash = await wallet.writeContract(request);
  const receipt = await client.waitForTransactionReceipt({ hash });
  expect(parseEventLogs({ abi: token.abi, logs: receipt.logs })).toMatchObject([
    { eventName: 'Transfer', args: { from: alice.address, to: bob.address, value: 7n } },
  ]);
  expect(await balanceOf(bob.address)).toBe(7n);
  const { accessList, gasUsed } = await client.createAccessList({
    account: alice,
    to: address,
    data: encodeFunctionData({ ...write, abi: token.abi }),
  });
  expect(accessList).toMatchObject([{ address: address.toLowerCase() }]);
  expect(accessList[0]!.storageKeys).toHaveLength(2);
  expect(gasUsed).toBeGreaterThan(21_000n);
});

test('a revert is told with its reason', async () => {
  const viem = viemOf();
  const address = await deployToken(viem);
  const write = { address, abi: erc20Abi, functionName: 'transfer' } as const;
  const tooMuch = viem.client.simulateContract({
    ...write,
    args: [bob.address, SUPPLY + 1n],
    account: alice,
  });
  await expect(tooMuch).rejects.toThrow('ds-math-sub-underflow');
});

test('a call may see other accounts and another block', async () => {
  const { client } = viemOf();
  // PUSH0 SLOAD BALANCE-free: returns slot 0, NUMBER and TIMESTAMP.
  const code = '0x5f545f52436020524260405260605ff3';
  const { data } = await client.call({
    to: stranger,
    stateOverride: [
      {
        address: stranger,
        code,
        stateDiff: [{ slot: `0x${'0'.repeat(64)}`, value: `0x${'0'.repeat(63)}5` }],
      },
    ],
    blockOverrides: { number: 77n, time: 88n },
  });
  const words = [5n, 77n, 88n].map((word) => word.toString(16).padStart(64, '0'));
  expect(data).toBe(`0x${words.join('')}`);
});

test('logs are found by address, event, arguments and range', async () => {
  const viem = viemOf();
  const { client, wallet } = viem;
  const address = await deployToken(viem);
  const write = { address, abi: token.abi, functionName: 'transfer' } as const;
  for (const value of [1n, 2n, 3n]) {
    await wallet.writeContract({ ...write, args: [bob.address, value] });
  }
  const event = parseAbi([
    'event Transfer(address indexed from, address indexed to, uint256 value)',
  ]);
  const all = await client.getLogs({ address, events: event, fromBlock: 0n });
  expect(all.map(({ args }) => args.value)).toEqual([SUPPLY, 1n, 2n, 3n]);
  const toBob = await client.getLogs({
    event: event[0],
    args: { to: bob.address },
    fromBlock: 3n,
    toBlock: 'latest',
  });
  expect(toBob.map(({ args }) => args.value)).toEqual([2n, 3n]);
  expect(await client.getLogs({ blockHash: toBob[0]!.blockHash! })).toHaveLength(1);
  const events = await client.getContractEvents({ address, abi: token.abi, fromBlock: 0n });
  expect(events).toHaveLength(4);
});

test('filters tell what is new', async () => {
  const viem = viemOf();
  const { client, wallet, chain } = viem;
  const address = await deployToken(viem);
  const write = { address, abi: token.abi, functionName: 'transfer' } as const;
  const blocks = await client.createBlockFilter();
  const events = await client.createContractEventFilter({ address, abi: token.abi });
  const older = await client.createEventFilter({ address, fromBlock: 0n });
  const pending = await client.createPendingTransactionFilter();
  const hash = await wallet.writeContract({ ...write, args: [bob.address, 1n] });
  await chain.mine({ blocks: 1 });
  expect(await client.getFilterChanges({ filter: blocks })).toHaveLength(2);
  expect(await client.getFilterChanges({ filter: blocks })).toEqual([]);
  expect(await client.getFilterChanges({ filter: events })).toMatchObject([
    { transactionHash: hash, args: { value: 1n } },
  ]);
  expect(await client.getFilterChanges({ filter: older })).toHaveLength(1);
  expect(await client.getFilterLogs({ filter: older })).toHaveLength(2);
  expect(await client.getFilterChanges({ filter: pending })).toEqual([hash]);
  expect(await client.uninstallFilter({ filter: blocks })).toBe(true);
  expect(await client.uninstallFilter({ filter: blocks })).toBe(false);
  await expect(client.getFilterChanges({ filter: blocks })).rejects.toThrow('filter not found');
});

test('watching by polling sees blocks, events and waiting transactions', async () => {
  const viem = viemOf();
  const { client, wallet, node } = viem;
  const address = await deployToken(viem);
  const seen = { blocks: [] as bigint[], values: [] as unknown[], hashes: [] as string[] };
  const ready = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  const check = (): void => {
    if (seen.blocks.length > 0 && seen.values.length > 0 && seen.hashes.length > 0) done.resolve();
  };
  const stops = [
    client.watchBlockNumber({
      emitOnBegin: true,
      onBlockNumber: (number) => {
        seen.blocks.push(number);
        ready.resolve();
        check();
      },
    }),
    client.watchContractEvent({
      address,
      abi: token.abi,
      onLogs: (logs) => {
        seen.values.push(...logs.map(({ args }) => args));
        check();
      },
    }),
    client.watchPendingTransactions({
      onTransactions: (hashes) => {
        seen.hashes.push(...hashes);
        check();
      },
    }),
  ];
  await ready.promise;
  // The filters are there once they were polled.
  await filtersPolled(node, 2);
  const write = { address, abi: token.abi, functionName: 'transfer' } as const;
  const hash = await wallet.writeContract({ ...write, args: [bob.address, 5n] });
  await done.promise;
  for (const stop of stops) stop();
  expect(seen.hashes).toEqual([hash]);
  expect(seen.values).toMatchObject([{ value: 5n }]);
});

/** Resolves when so many filters were asked for changes. */
function filtersPolled(node: ReturnType<typeof viemOf>['node'], count: number): Promise<void> {
  const polled = new Set<unknown>();
  const { call } = node.service;
  return new Promise((resolve) => {
    node.service.call = (method, params, session) => {
      const answer = call(method, params, session);
      if (method === 'eth_getFilterChanges') polled.add((params as unknown[])[0]);
      if (polled.size === count) resolve();
      return answer;
    };
  });
}

test('a message that the node signs verifies', async () => {
  const { client, nodeWallet } = viemOf();
  const signature = await nodeWallet.signMessage({ account: alice.address, message: 'hello' });
  expect(await verifyMessage({ address: alice.address, message: 'hello', signature })).toBe(true);
  expect(await client.verifyMessage({ address: alice.address, message: 'hello', signature })).toBe(
    true,
  );
  expect(hashMessage('hello')).toHaveLength(66);
});
