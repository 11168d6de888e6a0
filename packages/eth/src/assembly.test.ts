import { bytesToBigInt } from '@polyvisor/bytes/bytes';
import { bytesToHex, hexToBytes } from '@polyvisor/bytes/hex';
import { createEvm } from '@polyvisor/evm/engine';
import { runToEnd } from '@polyvisor/machine/steps';
import { describe, expect, test } from 'vitest';
import { type AssembledBlock, BlockAssembly, type BlockPlan } from './assembly.ts';
import { genesisState } from './genesis.ts';
import { planNextBlock } from './mining.ts';
import { predeployAddress, predeploys } from './predeploys.ts';
import { requestsHash } from './requests.ts';
import { type EthState, blockHashes } from './state.ts';
import {
  GWEI,
  TEST_NOW,
  address,
  alice,
  mine,
  send,
  testChain,
  testGenesis,
  unsigned,
  word,
} from './testing/test-chain.ts';
import { type UnsignedTransaction, signTransaction } from './transaction.ts';
import type { World } from './world.ts';

const evm = createEvm({ hardfork: 'osaka' });

/** A block behind genesis with these transactions of alice. */
function assembled(
  plan: Partial<BlockPlan>,
  transactions: readonly Partial<UnsignedTransaction>[] = [],
  state: EthState = genesisState(testGenesis()),
): AssembledBlock {
  return runToEnd(function* (slice) {
    const whole = { ...planNextBlock(state, 'osaka', TEST_NOW), ...plan };
    const assembly = new BlockAssembly(evm, state.world, whole, blockHashes(state), slice);
    yield* assembly.start();
    for (const [i, fields] of transactions.entries()) {
      const tx = signTransaction(unsigned({ nonce: BigInt(i), ...fields }), alice.key);
      expect(yield* assembly.add(tx)).toBeUndefined();
    }
    return yield* assembly.finish();
  });
}

const slot = (world: World, contract: Uint8Array, key: bigint): bigint =>
  bytesToBigInt(world.slot(contract, word(key)));

describe('before the transactions', () => {
  test('the parent’s hash is in the contract of block hashes (EIP-2935)', () => {
    const machine = testChain();
    mine(machine, 3);
    const { world, head } = machine.state;
    expect(slot(world, predeployAddress('blockHashes'), 2n)).toBe(
      bytesToBigInt(head.header.parentHash),
    );
  });

  test('timestamp and beacon root are in the contract of beacon roots (EIP-4788)', () => {
    const { world, block } = assembled({ parentBeaconBlockRoot: word(0xbeac) });
    const index = block.header.timestamp % 8191n;
    const contract = predeployAddress('beaconRoots');
    expect(slot(world, contract, index)).toBe(block.header.timestamp);
    expect(slot(world, contract, index + 8191n)).toBe(0xbeacn);
  });

  test('a chain without those contracts goes on', () => {
    const gone = [
      'beaconRoots',
      'blockHashes',
      'withdrawalRequests',
      'consolidationRequests',
    ] as const;
    const accounts = gone.map((name) => ({ address: predeployAddress(name), balance: 0n }));
    const machine = testChain({ accounts });
    send(machine, alice);
    expect(machine.state.head.header.requestsHash).toEqual(requestsHash([]));
  });
});

describe('after the transactions', () => {
  test('withdrawals give money in gwei (EIP-4895)', () => {
    const { world, block } = assembled({
      withdrawals: [
        { index: 0n, validatorIndex: 1n, address: address(0xdd), amount: 3n },
        { index: 1n, validatorIndex: 1n, address: address(0xdd), amount: 4n },
        { index: 2n, validatorIndex: 2n, address: address(0xee), amount: 0n },
      ],
    });
    expect(world.account(address(0xdd))!.balance).toBe(7n * GWEI);
    expect(world.account(address(0xee))).toBeUndefined();
    // The root of the same three, from ethereumjs.
    expect(block.withdrawals.length).toBe(3);
  });

  test('a request to withdraw is committed to, and its fee rises with requests (EIP-7002)', () => {
    const data = new Uint8Array(56).fill(0xaa);
    const contract = predeployAddress('withdrawalRequests');
    const { block, world } = assembled({}, [
      { to: contract, data, value: 1n, gasLimit: 200_000n },
      { to: contract, data, value: 1n, gasLimit: 200_000n },
      { to: contract, data, value: 1n, gasLimit: 200_000n },
    ]);
    const request = hexToBytes(`${bytesToHex(alice.address)}${'aa'.repeat(56)}`);
    const three = new Uint8Array([...request, ...request, ...request]);
    expect(block.header.requestsHash).toEqual(requestsHash([{ type: 1, data: three }]));
    // Three requests where two are aimed at.
    expect(slot(world, contract, 0n)).toBe(1n);
  });

  test('contracts that are not run do what they do when they are', () => {
    // A byte more behind the code makes another contract of it for the shortcut, and the same one for the chain.
    const longer = predeploys.map(({ address: at, code }) => ({
      address: at,
      balance: 0n,
      nonce: 1n,
      code: new Uint8Array([...code, 0]),
    }));
    const plan = { parentBeaconBlockRoot: word(0xbeac) };
    const [short, run] = [[], longer].map((accounts) =>
      assembled(plan, [{}], genesisState(testGenesis({ accounts }))),
    );
    expect(run!.block.header.requestsHash).toEqual(short!.block.header.requestsHash);
    for (const { name, address: at } of predeploys) {
      const slots = (world: World): object =>
        Object.fromEntries(world.account(at)!.slots.entries());
      // The parents differ, and so do their hashes.
      if (name !== 'blockHashes') expect(slots(run!.world)).toEqual(slots(short!.world));
      expect(Object.keys(slots(run!.world))).toEqual(Object.keys(slots(short!.world)));
    }
  });
});

describe('rewards', () => {
  test.each([
    ['london', 2n],
    ['byzantium', 3n],
    ['homestead', 5n],
    ['paris', 0n],
  ] as const)('a block on %s gives its beneficiary %d ether', (hardfork, ether) => {
    const machine = testChain({ hardfork });
    mine(machine);
    expect(machine.state.world.account(address(0xc0))?.balance ?? 0n).toBe(ether * 10n ** 18n);
  });
});

describe('blobs', () => {
  const blobs = (count: number): Partial<UnsignedTransaction> => ({
    type: 3,
    maxFeePerBlobGas: 10n,
    blobVersionedHashes: Array.from({ length: count }, () => new Uint8Array(32).fill(1)),
  });

  test('a block has as many as the fork allows; the rest waits', () => {
    const machine = testChain({ mining: { mode: 'manual' } });
    for (let i = 0; i < 4; i++) send(machine, alice, blobs(3));
    const { header, transactions } = mine(machine);
    expect([transactions.length, header.blobGasUsed]).toEqual([3, 9n * 131_072n]);
    expect(mine(machine).header).toMatchObject({
      excessBlobGas: expect.any(BigInt),
      blobGasUsed: 3n * 131_072n,
    });
  });

  test.each([
    [6, 'taken'],
    [7, 'blob transaction has too many blobs: 7'],
  ])('%d blobs in a transaction', (count, expected) => {
    const machine = testChain();
    const submit = (): string => {
      send(machine, alice, blobs(count));
      return 'taken';
    };
    if (expected === 'taken') expect(submit()).toBe(expected);
    else expect(submit).toThrow(expected);
  });

  test('a receipt says what its blobs cost', () => {
    const machine = testChain();
    send(machine, alice, blobs(2));
    expect(machine.state.head.receipts[0]).toMatchObject({
      blobGasUsed: 2n * 131_072n,
      blobGasPrice: 1n,
    });
  });
});
