import { describe, expect, test } from 'vitest';
import type { EthMachine } from './machine.ts';
import { blockNumber, blockOf, rewind, transactionOf, worldAt } from './state.ts';
import { address, alice, bob, mine, send, settle, testChain, work } from './testing/test-chain.ts';

const balance = (machine: EthMachine, who: Uint8Array): bigint =>
  machine.state.world.account(who)?.balance ?? 0n;

describe('snapshots', () => {
  test('a snapshot is the state itself; going back drops what came after, the pool too', () => {
    const machine = testChain();
    send(machine, alice, { value: 1n });
    const { state } = machine;
    const hash = send(machine, alice, { value: 1n });
    send(machine, bob, { nonce: 9n });
    machine.restore(state);
    expect(machine.state).toBe(state);
    expect(transactionOf(machine.state, hash)).toBeUndefined();
    expect([balance(machine, address(0x70)), machine.state.pool.size]).toEqual([1n, 0]);
  });

  test('what is mined again is the same block', () => {
    const machine = testChain();
    const { state } = machine;
    send(machine, alice, { value: 1n });
    const { hash } = machine.state.head;
    machine.restore(state);
    send(machine, alice, { value: 1n });
    expect(machine.state.head.hash).toEqual(hash);
  });

  test('a fork goes its own way', () => {
    const machine = testChain();
    send(machine, alice, { value: 1n });
    const fork = machine.fork();
    send(fork, alice, { value: 5n });
    send(machine, alice, { value: 2n });
    expect([balance(machine, address(0x70)), balance(fork, address(0x70))]).toEqual([3n, 6n]);
    expect(fork.state.head.hash).not.toEqual(machine.state.head.hash);
  });

  test('going back ends work under way with an error', () => {
    const machine = testChain();
    const { state } = machine;
    const task = machine.mine(3);
    machine.restore(state);
    expect(() => task.result).toThrow('the chain was set back');
    work(machine);
    expect(machine.state).toBe(state);
  });
});

describe('rewinding', () => {
  test('the chain up to a block is as it was', () => {
    const machine = testChain();
    const hashes = [1n, 2n, 3n].map((value) => send(machine, alice, { value }));
    const later = machine.state;
    settle(
      machine,
      machine.change((state) => rewind(state, 1n)),
    );
    expect(machine.state.head.hash).toEqual(blockOf(later, 1n)!.hash);
    expect(balance(machine, address(0x70))).toBe(1n);
    expect(hashes.map((hash) => transactionOf(machine.state, hash)?.index)).toEqual([
      0,
      undefined,
      undefined,
    ]);
    expect(machine.state.blockBytes).toBeLessThan(later.blockBytes);
    send(machine, alice, { value: 2n });
    expect(machine.state.head.hash).toEqual(blockOf(later, 2n)!.hash);
  });
});

describe('history', () => {
  test('the states of so many blocks are kept, the head’s counted', () => {
    const machine = testChain({}, { historyBlocks: 3 });
    mine(machine, 10);
    expect(worldAt(machine.state, 8n).block.header.number).toBe(8n);
    expect(() => worldAt(machine.state, 7n)).toThrow(/no longer kept/);
    expect(() => worldAt(machine.state, 11n)).toThrow('header not found');
  });

  test('a world altered between blocks is what the next block is built on, and the earlier one’s', () => {
    const machine = testChain();
    send(machine, alice, { value: 1n });
    settle(
      machine,
      machine.change((state) => {
        const account = state.world.account(bob.address)!;
        const key = String.fromCharCode(...bob.address);
        return { ...state, world: state.world.with([[key, { ...account, balance: 5n }]]) };
      }),
    );
    send(machine, alice, { value: 1n });
    expect(worldAt(machine.state, 1n).world.account(bob.address)!.balance).toBe(5n);
  });

  test('old blocks are kept as bytes and read as before', () => {
    const machine = testChain();
    const hash = send(machine, alice, { value: 1n });
    const before = transactionOf(machine.state, hash);
    mine(machine, 128);
    expect(machine.state.blocks.get('1')).toBeInstanceOf(Uint8Array);
    expect(transactionOf(machine.state, hash)).toEqual(before);
  });
});

describe('block ids', () => {
  test('numbers, hashes and tags', () => {
    const machine = testChain();
    mine(machine, 70);
    const { state } = machine;
    const numbers = (['latest', 'pending', 'earliest', 'safe', 'finalized'] as const).map((tag) =>
      blockNumber(state, tag),
    );
    expect(numbers).toEqual([70n, 70n, 0n, 38n, 6n]);
    expect(blockNumber(state, blockOf(state, 5n)!.hash)).toBe(5n);
    expect([71n, -1n, new Uint8Array(32)].map((id) => blockNumber(state, id))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
