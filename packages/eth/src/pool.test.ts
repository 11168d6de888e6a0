import { describe, expect, test } from 'vitest';
import { Pool } from './pool.ts';
import { GWEI, alice, bob, unsigned } from './testing/test-chain.ts';
import { type Transaction, type UnsignedTransaction, unsignedTransaction } from './transaction.ts';

function tx(fields: Partial<UnsignedTransaction>, sender = alice): Transaction {
  return unsignedTransaction(unsigned(fields), sender.address);
}

describe('pool', () => {
  test('a sender’s transactions stand in the order of their nonces, whenever they came', () => {
    const pool = [3n, 0n, 2n].reduce((all, nonce) => all.with(tx({ nonce })), Pool.empty);
    expect(pool.of(alice.address).map((entry) => entry.tx.nonce)).toEqual([0n, 2n, 3n]);
    expect(pool.transactions().map(({ nonce }) => nonce)).toEqual([3n, 0n, 2n]);
  });

  test('the next nonce is the first gap', () => {
    const pool = [0n, 1n, 3n].reduce((all, nonce) => all.with(tx({ nonce })), Pool.empty);
    expect(pool.nextNonce(alice.address, 0n)).toBe(2n);
    expect(pool.nextNonce(alice.address, 2n)).toBe(2n);
    expect(pool.nextNonce(bob.address, 5n)).toBe(5n);
  });

  test.each([
    ['both fees 10 % higher', 110n, 11n, true],
    ['the fee cap less than 10 % higher', 109n, 11n, false],
    ['the tip the same', 110n, 10n, false],
  ])('a replacement with %s', (_, cap, tip, isTaken) => {
    const fees = (maxFeePerGas: bigint, maxPriorityFeePerGas: bigint): Transaction =>
      tx({ maxFeePerGas: maxFeePerGas * GWEI, maxPriorityFeePerGas: maxPriorityFeePerGas * GWEI });
    const pool = Pool.empty.with(fees(100n, 10n));
    const next = fees(cap, tip);
    if (isTaken) expect(pool.with(next).transactions()).toEqual([next]);
    else expect(() => pool.with(next)).toThrow('replacement transaction underpriced');
  });

  test('a blob transaction is replaced for double the fees only', () => {
    const blob = (factor: bigint, extra = 0n): Transaction =>
      tx({
        type: 3,
        maxFeePerGas: 10n * factor,
        maxPriorityFeePerGas: 10n * factor,
        maxFeePerBlobGas: 10n * factor - extra,
        blobVersionedHashes: [new Uint8Array(32).fill(1)],
      });
    const pool = Pool.empty.with(blob(1n));
    expect(() => pool.with(blob(2n, 1n))).toThrow('underpriced');
    expect(pool.with(blob(2n)).size).toBe(1);
  });

  test('a transaction comes once, and versions stay', () => {
    const empty = Pool.empty;
    const first = tx({});
    const one = empty.with(first);
    expect(() => one.with(first)).toThrow('already known');
    expect([empty.size, one.size, one.without([first.hash]).size]).toEqual([0, 1, 0]);
    expect(one.without([first.hash]).of(alice.address)).toEqual([]);
  });
});
