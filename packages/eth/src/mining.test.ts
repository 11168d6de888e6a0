import { bytesToHex } from '@polyvisor/bytes/hex';
import { describe, expect, test } from 'vitest';
import type { EthMachine } from './machine.ts';
import type { Settings } from './settings.ts';
import { type EthState, blockOf, transactionOf } from './state.ts';
import {
  GWEI,
  TEST_NOW,
  address,
  alice,
  bob,
  carol,
  mine,
  send,
  settle,
  testChain,
  unsigned,
  work,
} from './testing/test-chain.ts';
import { signTransaction } from './transaction.ts';

function configure(machine: EthMachine, settings: Partial<Settings>): void {
  const change = (state: EthState): EthState => ({
    ...state,
    settings: { ...state.settings, ...settings },
  });
  settle(machine, machine.change(change));
}

const height = (machine: EthMachine): number => Number(machine.state.head.header.number);

describe('instant mining', () => {
  test('a transaction is in a block of its own when the machine is idle', () => {
    const machine = testChain();
    const hash = send(machine, alice, { value: 5n });
    const mined = transactionOf(machine.state, hash)!;
    expect(mined.block.header.number).toBe(1n);
    expect(mined.receipt).toMatchObject({ isSuccess: true, gasUsed: 21_000n });
    expect(machine.state.world.account(address(0x70))!.balance).toBe(5n);
    expect(machine.state.pool.size).toBe(0);
  });

  test('one behind a gap waits until the gap is closed; then both are mined', () => {
    const machine = testChain();
    send(machine, alice, { nonce: 1n });
    expect(height(machine)).toBe(0);
    send(machine, alice, { nonce: 0n });
    expect(machine.state.head.transactions.map(({ nonce }) => nonce)).toEqual([0n, 1n]);
  });

  test('the sender pays gas and value; the tip goes to the beneficiary, the base fee to nobody', () => {
    const machine = testChain();
    const before = machine.state.world.account(alice.address)!.balance;
    send(machine, alice, { value: 7n, maxPriorityFeePerGas: 2n * GWEI });
    const { baseFee } = machine.state.head.header;
    const { world } = machine.state;
    const price = baseFee! + 2n * GWEI;
    expect(world.account(alice.address)!.balance).toBe(before - 7n - 21_000n * price);
    expect(world.account(address(0xc0))!.balance).toBe(21_000n * 2n * GWEI);
  });
});

test('what waits for a lower price makes no endless row of empty blocks', () => {
  const machine = testChain({ mining: { mode: 'manual' } });
  const blobVersionedHashes = [new Uint8Array(32).fill(1)];
  send(machine, alice, { type: 3, blobVersionedHashes, maxFeePerBlobGas: 0n });
  configure(machine, { mining: { mode: 'instant' } });
  send(machine, bob);
  expect([height(machine), machine.state.pool.size]).toEqual([1, 1]);
});

test('a transaction that needs more memory than the engine may use is dropped, and mining goes on', () => {
  const hungry = address(0xb16);
  // mstore(0x100000, 0)
  const code = Uint8Array.of(0x5f, 0x62, 0x10, 0, 0, 0x52);
  const genesis = { accounts: [{ address: hungry, balance: 0n, code }] };
  const machine = testChain(genesis, { memoryBytesMax: 512 * 1024 });
  send(machine, alice, { to: hungry, gasLimit: 10_000_000n });
  expect([machine.state.pool.size, machine.state.head.transactions.length]).toEqual([0, 0]);
  send(machine, bob, { to: address(1) });
  expect(machine.state.head.transactions.length).toBe(1);
  const roomy = testChain(genesis, { memoryBytesMax: 2 * 1024 * 1024 });
  send(roomy, alice, { to: hungry, gasLimit: 10_000_000n });
  expect(roomy.state.head.receipts[0]!.isSuccess).toBe(true);
});

describe('manual mining', () => {
  const manual = (): EthMachine => testChain({ mining: { mode: 'manual' } });

  test('the best tip comes first, each sender’s nonces in order', () => {
    const machine = manual();
    send(machine, alice, { maxPriorityFeePerGas: GWEI });
    send(machine, alice, { maxPriorityFeePerGas: 9n * GWEI });
    send(machine, bob, { maxPriorityFeePerGas: 2n * GWEI });
    const block = mine(machine);
    const order = block.transactions.map((tx) => [bytesToHex(tx.sender), tx.nonce]);
    expect(order).toEqual([
      [bytesToHex(bob.address), 0n],
      [bytesToHex(alice.address), 0n],
      [bytesToHex(alice.address), 1n],
    ]);
  });

  test('what has no room waits for the next block', () => {
    const machine = testChain({ mining: { mode: 'manual' }, gasLimit: 100_000n });
    for (const person of [alice, bob, carol]) send(machine, person, { gasLimit: 60_000n });
    expect(mine(machine).transactions.length).toBe(2);
    expect(machine.state.pool.size).toBe(1);
    expect(mine(machine).transactions.length).toBe(1);
  });

  test('what can not pay the base fee waits', () => {
    const machine = manual();
    send(machine, alice, { maxFeePerGas: GWEI / 2n, maxPriorityFeePerGas: 0n });
    expect(mine(machine).transactions.length).toBe(0);
    configure(machine, { nextBaseFee: GWEI / 2n });
    expect(mine(machine).transactions.length).toBe(1);
  });

  test('what can never be mined any more is dropped', () => {
    const machine = manual();
    const most = 990n * 10n ** 18n;
    send(machine, alice, { value: most });
    send(machine, alice, { value: most });
    const block = mine(machine);
    expect([block.transactions.length, machine.state.pool.size]).toEqual([1, 0]);
  });

  test('many blocks at a time, with a distance between their timestamps', () => {
    const machine = manual();
    mine(machine, 3, 60);
    const times = [1n, 2n, 3n].map((n) => Number(blockOf(machine.state, n)!.header.timestamp));
    expect(times).toEqual([TEST_NOW, TEST_NOW + 60, TEST_NOW + 120]);
  });
});

describe('interval mining', () => {
  test('a block is due when its seconds have passed, not before', () => {
    const machine = testChain({ mining: { mode: 'interval', seconds: 5 } });
    const at = (seconds: number): number => {
      machine.setNow(1000 * (TEST_NOW + seconds));
      work(machine);
      return height(machine);
    };
    expect(machine.wakesAtMs).toBe(1000 * (TEST_NOW + 5));
    expect([at(4.999), at(5), at(9.999), at(10)]).toEqual([0, 1, 1, 2]);
  });

  test('transactions wait for it', () => {
    const machine = testChain({ mining: { mode: 'interval', seconds: 5 } });
    send(machine, alice);
    expect(machine.state.pool.size).toBe(1);
    machine.setNow(1000 * (TEST_NOW + 5));
    work(machine);
    expect(machine.state.head.transactions.length).toBe(1);
  });

  test('it counts from when it was asked for', () => {
    const machine = testChain();
    machine.setNow(1000 * (TEST_NOW + 100));
    configure(machine, { mining: { mode: 'interval', seconds: 5 } });
    expect(machine.wakesAtMs).toBe(1000 * (TEST_NOW + 105));
  });
});

describe('time', () => {
  test('a set timestamp holds for one block, and the clock goes on from it', () => {
    const machine = testChain();
    configure(machine, { nextTimestamp: TEST_NOW + 5000 });
    expect(mine(machine).header.timestamp).toBe(BigInt(TEST_NOW + 5000));
    machine.setNow(1000 * (TEST_NOW + 10));
    expect(mine(machine).header.timestamp).toBe(BigInt(TEST_NOW + 5010));
  });

  test('an offset moves the clock', () => {
    const machine = testChain();
    configure(machine, { clockOffset: 3600 });
    expect(mine(machine).header.timestamp).toBe(BigInt(TEST_NOW + 3600));
  });

  test('blocks of one second follow each other by a second each', () => {
    const machine = testChain();
    const times = [mine(machine), mine(machine)].map(({ header }) => header.timestamp);
    expect(times).toEqual([BigInt(TEST_NOW), BigInt(TEST_NOW + 1)]);
  });

  test('the chain’s clock catches up after many blocks in a second', () => {
    const machine = testChain();
    mine(machine, 10);
    machine.setNow(1000 * (TEST_NOW + 60));
    expect(mine(machine).header.timestamp).toBe(BigInt(TEST_NOW + 60));
  });

  test('an interval between timestamps goes by the chain alone', () => {
    const machine = testChain({ timestamp: 1000 });
    configure(machine, { timestampInterval: 12 });
    expect(mine(machine).header.timestamp).toBe(1012n);
  });
});

describe('settings of the next block', () => {
  test('base fee, randomness and beacon root hold for one block', () => {
    const machine = testChain();
    const [random, root] = [new Uint8Array(32).fill(7), new Uint8Array(32).fill(8)];
    configure(machine, { nextBaseFee: 77n, nextPrevRandao: random, nextBeaconRoot: root });
    const first = mine(machine).header;
    expect(first).toMatchObject({ baseFee: 77n, prevRandao: random, parentBeaconBlockRoot: root });
    const second = mine(machine).header;
    expect(second.baseFee).toBe(68n);
    expect(second.prevRandao).not.toEqual(random);
    expect(second.parentBeaconBlockRoot).toEqual(new Uint8Array(32));
  });
});

describe('events', () => {
  test('a transaction, then its block, then a restored chain', () => {
    const machine = testChain();
    const seen: string[] = [];
    const stop = machine.on(({ kind }) => seen.push(kind));
    const { state } = machine;
    send(machine, alice);
    machine.restore(state);
    stop();
    send(machine, alice);
    expect(seen).toEqual(['transaction', 'block', 'restored']);
  });
});

describe('submission', () => {
  test('says which mining will take the transaction', () => {
    const machine = testChain();
    const { raw } = signTransaction(unsigned(), alice.key);
    const { mining } = machine.submit(raw);
    expect(mining!.isEnded).toBe(false);
    work(machine);
    expect(mining!.isEnded).toBe(true);
  });

  test('one behind a gap waits for none', () => {
    const machine = testChain();
    const { raw } = signTransaction(unsigned({ nonce: 1n }), alice.key);
    expect(machine.submit(raw).mining).toBeUndefined();
  });
});
