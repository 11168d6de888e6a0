import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EthMachine } from './machine.ts';
import { address, people, settle, testChain, unsigned, work } from './testing/test-chain.ts';
import { signTransaction } from './transaction.ts';

const SEED = 77;

/** Adds CALLDATALOAD(0) to slot 0 a hundred times over, then logs it: some 30,000 gas of steps. */
// prettier-ignore
const LOOP = Uint8Array.of(
  0x60, 100, 0x5b,             // push 100; 2: jumpdest
  0x5f, 0x35, 0x5f, 0x54, 0x01, 0x5f, 0x55, // sstore(0, sload(0) + calldataload(0))
  0x60, 1, 0x90, 0x03,         // counter - 1
  0x80, 0x60, 2, 0x57,         // again while it is not 0
  0x5f, 0x54, 0x5f, 0x52, 0x60, 32, 0x5f, 0xa0, // log0(sload(0))
);
const CONTRACT = address(0x1007);

interface Send {
  readonly from: number;
  readonly amount: number;
  readonly gas: number;
}

function play(sends: readonly Send[], budget: number): EthMachine {
  const machine = testChain({ accounts: [{ address: CONTRACT, balance: 0n, code: LOOP }] });
  for (const { from, amount, gas } of sends) {
    const { key, address: sender } = people[from]!;
    const data = new Uint8Array(32);
    data[31] = amount;
    const fields = { nonce: machine.pendingNonce(sender), to: CONTRACT, data };
    machine.submit(signTransaction(unsigned({ ...fields, gasLimit: BigInt(gas) }), key).raw);
    if (amount === 0) machine.run(budget);
  }
  work(machine, budget);
  return machine;
}

describe(`slices (seed ${SEED})`, () => {
  const sends = fc.array(
    fc.record({
      from: fc.nat(3),
      amount: fc.integer({ min: 1, max: 255 }),
      gas: fc.integer({ min: 25_000, max: 120_000 }),
    }),
    { minLength: 1, maxLength: 4 },
  );

  test('of any size give equal blocks', () => {
    fc.assert(
      fc.property(sends, (list) => {
        const whole = play(list, Number.MAX_SAFE_INTEGER).state.head;
        for (const budget of [1, 7, 1000]) {
          expect(play(list, budget).state.head.hash).toEqual(whole.hash);
        }
      }),
      { seed: SEED, numRuns: 15 },
    );
  });

  test('a run spends about its budget and no more than a block of code above it', () => {
    const machine = testChain({ accounts: [{ address: CONTRACT, balance: 0n, code: LOOP }] });
    const data = new Uint8Array(32).fill(1);
    const { key } = people[0]!;
    machine.submit(signTransaction(unsigned({ to: CONTRACT, data }), key).raw);
    const used: number[] = [];
    for (let run = machine.run(1000); run.reason === 'budget'; run = machine.run(1000)) {
      used.push(run.used);
    }
    expect(used.length).toBeGreaterThan(20);
    // The overhead that is charged around an execution and a block comes in one piece.
    expect(Math.max(...used)).toBeLessThan(80_000);
    expect(Number(machine.usage().work)).toBeGreaterThan(60_000);
  });

  test('work that is cancelled in the middle leaves the state as it was, and the machine usable', () => {
    const machine = testChain({ accounts: [{ address: CONTRACT, balance: 0n, code: LOOP }] });
    const call = machine.call({ to: CONTRACT }, 'latest');
    const mining = machine.mine();
    machine.run(500);
    const before = machine.state;
    machine.stop('stopped');
    expect(() => call.result).toThrow('stopped');
    expect(() => mining.result).toThrow('stopped');
    expect([machine.state, machine.run(1).reason]).toEqual([before, 'idle']);
    expect(settle(machine, machine.call({ to: CONTRACT }, 'latest')).status).toBe('success');
  });

  test('transactions that come while a block is made wait for the next', () => {
    const machine = testChain({ accounts: [{ address: CONTRACT, balance: 0n, code: LOOP }] });
    const submit = (from: number): void => {
      const { raw } = signTransaction(unsigned({ to: CONTRACT }), people[from]!.key);
      machine.submit(raw);
    };
    submit(0);
    machine.run(10_000);
    expect(machine.state.head.header.number).toBe(0n);
    submit(1);
    work(machine);
    expect(machine.state.head.header.number).toBe(2n);
    expect(machine.state.head.transactions.length).toBe(1);
  });
});
