import { describe, expect, test } from 'vitest';
import { SECP256K1_N } from '@polyvisor/crypto/secp256k1';
import {
  GWEI,
  address,
  alice,
  bob,
  mine,
  send,
  settle,
  testChain,
  unsigned,
  work,
} from './testing/test-chain.ts';
import { type UnsignedTransaction, encodeTransaction, signTransaction } from './transaction.ts';

const manual = (): ReturnType<typeof testChain> => testChain({ mining: { mode: 'manual' } });

/** The refusal of alice's transaction; 'taken' where there is none. */
function answer(
  fields: Partial<UnsignedTransaction>,
  machine: ReturnType<typeof testChain> = testChain(),
): string {
  try {
    machine.submit(signTransaction(unsigned(fields), alice.key).raw);
    return 'taken';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('at the door', () => {
  test('a nonce that is used up', () => {
    const machine = testChain();
    send(machine, alice);
    expect(answer({ nonce: 0n, value: 1n }, machine)).toBe(
      'nonce too low: next nonce 1, tx nonce 0',
    );
  });

  test.each([
    ['less', -1n, 'taken'],
    ['all', 0n, 'taken'],
    [
      'more',
      1n,
      /^insufficient funds for gas \* price \+ value: balance \d+, tx cost \d+, overshot 1$/,
    ],
  ])('a cost of %s than the sender has', (_, difference, expected) => {
    const [gasLimit, maxFeePerGas] = [21_000n, 10n * GWEI];
    const value = 1000n * 10n ** 18n - gasLimit * maxFeePerGas + difference;
    expect(answer({ value, gasLimit, maxFeePerGas })).toMatch(expected);
  });

  test.each([
    [20_999n, 'intrinsic gas too low: gas 20999, minimum needed 21000'],
    [21_000n, 'taken'],
  ])('gas of %d', (gasLimit, expected) => {
    expect(answer({ gasLimit })).toBe(expected);
  });

  test.each([
    ['osaka', 2n ** 24n, 'taken'],
    ['osaka', 2n ** 24n + 1n, 'transaction gas limit too high (cap: 16777216, tx: 16777217)'],
    ['prague', 30_000_000n, 'taken'],
    ['prague', 30_000_001n, 'exceeds block gas limit'],
  ] as const)('on %s a gas limit of %d', (hardfork, gasLimit, expected) => {
    expect(answer({ gasLimit }, testChain({ hardfork }))).toBe(expected);
  });

  test('a fee cap below the base fee is refused where mining is instant, and waits elsewhere', () => {
    const fields = { maxFeePerGas: 1n, maxPriorityFeePerGas: 0n };
    expect(answer(fields)).toMatch(/^max fee per gas less than block base fee/);
    expect(answer(fields, manual())).toBe('taken');
  });

  test.each([
    [128 * 1024, 'taken'],
    [128 * 1024 + 1, 'oversized data: transaction size 131073, limit 131072'],
  ])('a transaction of %d bytes', (size, expected) => {
    const data = new Uint8Array(size);
    const raw = (length: number): number =>
      signTransaction(unsigned({ data: data.subarray(0, length), gasLimit: 9_000_000n }), alice.key)
        .raw.length;
    const body = size - (raw(size) - size);
    expect(answer({ data: data.subarray(0, body), gasLimit: 9_000_000n })).toBe(expected);
  });

  test('another chain’s transaction', () => {
    expect(answer({ chainId: 1n })).toBe('invalid chain id for signer: have 1 want 31337');
  });

  test('the same transaction twice, waiting or mined', () => {
    const machine = manual();
    expect(answer({}, machine)).toBe('taken');
    expect(answer({}, machine)).toBe('already known');
    mine(machine);
    expect(answer({}, machine)).toBe('already known');
  });

  test('bytes that are no transaction', () => {
    const machine = testChain();
    expect(() => machine.submit(new Uint8Array(0))).toThrow('typed transaction too short');
    expect(() => machine.submit(Uint8Array.of(5, 0xc0))).toThrow('transaction type not supported');
    expect(() => machine.submit(Uint8Array.of(0xc0))).toThrow('rlp: wrong number of fields');
    expect(() => machine.submit(Uint8Array.of(2, 0xc1))).toThrow(/^rlp: /);
  });

  test('a signature with a high s', () => {
    const { r, s, yParity } = signTransaction(unsigned(), alice.key);
    // The same key has made it, but anybody could have turned one form into the other.
    const forged = encodeTransaction(unsigned(), yParity === 1 ? 0 : 1, r, SECP256K1_N - s);
    expect(() => testChain().submit(forged)).toThrow('invalid sender');
  });

  test('a full pool', () => {
    const machine = testChain({ mining: { mode: 'manual' } }, { poolSizeMax: 3 });
    for (const nonce of [0n, 1n, 2n]) send(machine, bob, { nonce });
    expect(() => send(machine, bob, { nonce: 3n })).toThrow('txpool is full');
    mine(machine);
    send(machine, bob, { nonce: 3n });
    expect(machine.state.pool.size).toBe(1);
  });
});

describe('without a signature', () => {
  test('an impersonated sender sends, and its block loads again as it was', () => {
    const machine = testChain({ accounts: [{ address: address(0xabc), balance: 10n ** 18n }] });
    const { hash } = machine.submitUnsigned(unsigned({ value: 3n }), address(0xabc));
    work(machine);
    const [tx] = machine.state.head.transactions;
    expect([tx!.hash, tx!.sender]).toEqual([hash, address(0xabc)]);
    expect(machine.state.world.account(address(0x70))!.balance).toBe(3n);
  });

  test('who may be impersonated: those that were named, or everybody', () => {
    const machine = testChain();
    const settings = (fields: Partial<typeof machine.state.settings>): void =>
      settle(
        machine,
        machine.change((state) => ({ ...state, settings: { ...state.settings, ...fields } })),
      );
    const may = (): boolean[] => [address(1), address(2)].map((who) => machine.mayImpersonate(who));
    expect(may()).toEqual([false, false]);
    const key = String.fromCharCode(...address(1));
    settings({ impersonated: machine.state.settings.impersonated.set(key, true) });
    expect(may()).toEqual([true, false]);
    settings({ impersonatesAll: true });
    expect(may()).toEqual([true, true]);
  });

  test('equal transactions of two senders differ', () => {
    const accounts = [1, 2].map((n) => ({ address: address(n), balance: 10n ** 18n }));
    const machine = testChain({ accounts });
    const [a, b] = accounts.map((entry) => machine.submitUnsigned(unsigned(), entry.address).hash);
    expect(a).not.toEqual(b);
  });
});
