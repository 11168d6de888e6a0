import { bytesToBigInt } from '@polyvisor/bytes/bytes';
import { hexToBytes } from '@polyvisor/bytes/hex';
import { describe, expect, test } from 'vitest';
import { outputOf, revertReason } from './calls.ts';
import type { EthMachine } from './machine.ts';
import { address, alice, bob, mine, send, settle, testChain, word } from './testing/test-chain.ts';

const STORE = address(0x5701);
/** sstore(calldataload(0), calldataload(32)); return sload(calldataload(0)) */
const STORE_CODE = hexToBytes('0x6020355f35555f35545f5260205ff3');
const REVERT = address(0x4e1e);
/** mstore(0, 42); revert(0, 32) */
const REVERT_CODE = hexToBytes('0x602a5f5260205ffd');
const LOAD = address(0x10ad);
/** return sload(7) */
const LOAD_CODE = hexToBytes('0x6007545f5260205ff3');
const CALLER = address(0xca11);
/** Calls LOAD with all gas; fails where that fails. */
const CALLER_CODE = hexToBytes('0x5f5f5f5f5f6110ad5af16010575f5ffd5b00');
const INVALID = address(0xfe);

function chain(): EthMachine {
  return testChain({
    accounts: [
      { address: STORE, balance: 0n, code: STORE_CODE },
      { address: REVERT, balance: 0n, code: REVERT_CODE },
      { address: LOAD, balance: 0n, code: LOAD_CODE, storage: [[word(7), 9n]] },
      { address: CALLER, balance: 0n, code: CALLER_CODE },
      { address: INVALID, balance: 0n, code: Uint8Array.of(0xfe) },
    ],
  });
}

const pair = (key: number, value: number): Uint8Array =>
  new Uint8Array([...word(key), ...word(value)]);

describe('calls', () => {
  test('see the state and leave it as it was', () => {
    const machine = chain();
    const before = machine.state;
    const call = machine.call({ to: STORE, data: pair(1, 77) }, 'latest');
    expect(bytesToBigInt(outputOf(settle(machine, call)))).toBe(77n);
    expect(machine.state).toBe(before);
  });

  test('of a past block see its state', () => {
    const machine = chain();
    send(machine, alice, { to: bob.address, value: 1n });
    send(machine, alice, { to: bob.address, value: 1n });
    // return balance(calldataload(0))
    const code = hexToBytes('0x5f35315f5260205ff3');
    const data = new Uint8Array(32);
    data.set(bob.address, 12);
    const at = (id: bigint): bigint => {
      const state = [{ address: address(1234), code }];
      const call = machine.call({ to: address(1234), data }, id, { state });
      return bytesToBigInt(outputOf(settle(machine, call))) - 1000n * 10n ** 18n;
    };
    expect([at(0n), at(1n), at(2n)]).toEqual([0n, 1n, 2n]);
  });

  test('a revert carries its data, another failure its name', () => {
    const machine = chain();
    const outcome = settle(machine, machine.call({ to: REVERT }, 'latest'));
    expect(outcome.status).toBe('revert');
    expect(() => outputOf(outcome)).toThrow(
      expect.objectContaining({
        message: 'execution reverted',
        code: 3,
        data: `0x${'2a'.padStart(64, '0')}`,
      }),
    );
    const invalid = settle(machine, machine.call({ to: INVALID }, 'latest'));
    expect(() => outputOf(invalid)).toThrow('invalid opcode');
  });

  test('overrides replace storage, or parts of it, and the block', () => {
    const machine = chain();
    const load = (override: object, block: object = {}): bigint => {
      const state = [{ address: LOAD, ...override }];
      return bytesToBigInt(
        outputOf(settle(machine, machine.call({ to: LOAD }, 'latest', { state, block }))),
      );
    };
    expect(load({})).toBe(9n);
    expect(load({ stateDiff: [[word(7), 5n]] })).toBe(5n);
    expect(load({ stateDiff: [[word(8), 5n]] })).toBe(9n);
    expect(load({ state: [[word(8), 5n]] })).toBe(0n);
    expect(() => load({ state: [], stateDiff: [] })).toThrow(/both 'state' and 'stateDiff'/);
    // return number
    expect(load({ code: hexToBytes('0x435f5260205ff3') }, { number: 1_000n })).toBe(1000n);
  });

  test('of the pending block see what waits', () => {
    const machine = testChain({ mining: { mode: 'manual' } });
    send(machine, alice, { to: address(0x99), value: 5n });
    const code = hexToBytes('0x6099315f5260205ff3');
    const state = [{ address: address(1234), code }];
    const read = (id: 'latest' | 'pending'): bigint =>
      bytesToBigInt(outputOf(settle(machine, machine.call({ to: address(1234) }, id, { state }))));
    expect([read('latest'), read('pending')]).toEqual([0n, 5n]);
  });

  test('fee fields of both kinds are refused', () => {
    const machine = chain();
    const call = machine.call({ to: LOAD, gasPrice: 1n, maxFeePerGas: 1n }, 'latest');
    expect(() => settle(machine, call)).toThrow(/both gasPrice and/);
  });
});

describe('revert reasons', () => {
  test.each([
    ['no data', '0x', undefined],
    [
      'Error("no")',
      `0x08c379a0${'20'.padStart(64, '0')}${'02'.padStart(64, '0')}${'6e6f'.padEnd(64, '0')}`,
      'no',
    ],
    [
      'an Error that is cut off',
      `0x08c379a0${'20'.padStart(64, '0')}${'ff'.padStart(64, '0')}`,
      undefined,
    ],
    [
      'Panic(0x11)',
      `0x4e487b71${'11'.padStart(64, '0')}`,
      'panic: arithmetic underflow or overflow (0x11)',
    ],
  ])('%s', (_, data, expected) => {
    expect(revertReason(hexToBytes(data))).toBe(expected);
  });
});

describe('gas estimates', () => {
  const estimate = (machine: EthMachine, request: object): bigint =>
    settle(machine, machine.estimateGas({ from: alice.address, ...request }, 'latest'));

  test('of a transfer is exact', () => {
    expect(estimate(chain(), { to: bob.address, value: 1n })).toBe(21_000n);
  });

  test('is enough and within 1.5 %: the transaction uses what was estimated', () => {
    for (const request of [
      { to: STORE, data: pair(1, 2) },
      { to: CALLER, data: new Uint8Array(0) },
      { to: undefined, data: hexToBytes('0x600a600c600039600a6000f3602a60005260206000f3') },
    ]) {
      const machine = chain();
      const gasLimit = estimate(machine, request);
      send(machine, alice, { ...request, gasLimit });
      const [receipt] = machine.state.head.receipts;
      expect(receipt!.isSuccess).toBe(true);
      expect(Number(gasLimit)).toBeLessThanOrEqual(Number(receipt!.gasUsed) * 1.1);
    }
  });

  test('of what fails says why', () => {
    const machine = chain();
    expect(() => estimate(machine, { to: REVERT })).toThrow('execution reverted');
    expect(() => estimate(machine, { to: INVALID })).toThrow('invalid opcode');
    expect(() => estimate(machine, { to: STORE, data: pair(1, 2), gas: 25_000n })).toThrow(
      'gas required exceeds allowance (25000)',
    );
  });

  test('is limited by what the sender can pay', () => {
    const machine = chain();
    const maxFeePerGas = (1000n * 10n ** 18n) / 21_000n;
    expect(estimate(machine, { to: bob.address, maxFeePerGas })).toBe(21_000n);
    expect(() => estimate(machine, { to: STORE, data: pair(1, 2), maxFeePerGas })).toThrow(
      /gas required exceeds allowance/,
    );
  });
});

describe('access lists', () => {
  test('have the accounts and slots that are touched, nested calls included', () => {
    const machine = chain();
    const task = machine.createAccessList({ from: alice.address, to: CALLER }, 'latest');
    const { accessList, error } = settle(machine, task);
    expect(error).toBeUndefined();
    expect(accessList).toEqual([{ address: LOAD, storageKeys: [word(7)] }]);
  });

  test('the gas is that of the transaction with the list', () => {
    const machine = chain();
    const task = machine.createAccessList({ from: alice.address, to: CALLER }, 'latest');
    const { accessList, gasUsed } = settle(machine, task);
    send(machine, alice, { type: 1, to: CALLER, accessList, maxPriorityFeePerGas: 10n ** 10n });
    expect(machine.state.head.receipts[0]!.gasUsed).toBe(gasUsed);
  });

  test('of what reverts come with the error', () => {
    const machine = chain();
    const task = machine.createAccessList({ from: alice.address, to: REVERT }, 'latest');
    expect(settle(machine, task).error).toBe('execution reverted');
  });
});

// oxlint-disable unicorn/no-array-fill-with-reference-type -- the machine is no array
describe('filling in a request', () => {
  test('nonce, gas and fees', () => {
    const machine = chain();
    send(machine, alice);
    const request = { from: alice.address, to: bob.address, value: 1n };
    const tx = settle(machine, machine.fill(request));
    expect(tx).toMatchObject({ type: 2, nonce: 1n, gasLimit: 21_000n, chainId: 31337n });
    expect(tx.maxFeePerGas).toBeGreaterThan(machine.state.head.header.baseFee!);
  });

  test('a gas price makes it legacy, authorizations type 4, blob hashes type 3', () => {
    const machine = chain();
    const type = (fields: object): number =>
      settle(machine, machine.fill({ from: alice.address, to: bob.address, ...fields })).type;
    expect(type({ gasPrice: 10n ** 10n })).toBe(0);
    expect(type({ gasPrice: 10n ** 10n, accessList: [] })).toBe(1);
    expect(type({ blobVersionedHashes: [new Uint8Array(32).fill(1)] })).toBe(3);
  });
});

test('a mined transaction is traced over the state that it had', () => {
  const machine = chain();
  send(machine, alice, { to: STORE, data: pair(1, 1) });
  const hash = send(machine, alice, { to: STORE, data: pair(1, 2) });
  send(machine, alice, { to: STORE, data: pair(1, 3) });
  mine(machine, 3);
  const values: bigint[] = [];
  const step = ({ opcode, stack }: { opcode: number; stack: readonly bigint[] }): void => {
    if (opcode === 0x55) values.push(stack.at(-2)!);
  };
  const outcome = settle(machine, machine.trace(hash, { step }));
  expect(values).toEqual([2n]);
  // Changing a slot that is not zero costs less than setting one.
  expect(outcome.gasUsed).toBeLessThan(30_000n);
});
