import { bytesToHex } from '@polyvisor/bytes/hex';
import { PersistentMap } from '@polyvisor/store/map';
import type { Rows } from '@polyvisor/store/rows';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EthMachine } from './machine.ts';
import { changesBetween, stateFromRows } from './rows.ts';
import { Overlay } from './overlay.ts';
import { type EthState, blockHashes, blockOf, rewind } from './state.ts';
import { address, mine, people, send, settle, testChain, unsigned } from './testing/test-chain.ts';

const SEED = 20;

type Tables = Map<string, Map<string, Uint8Array>>;

function apply(tables: Tables, before: EthState | undefined, after: EthState): Tables {
  for (const { table, key, value } of changesBetween(before, after)) {
    let rows = tables.get(table);
    if (!rows) tables.set(table, (rows = new Map()));
    if (value === undefined) expect(rows.delete(key)).toBe(true);
    else rows.set(key, value);
  }
  return tables;
}

/** As plain sorted data, tables without rows left out. */
function plain(tables: Rows): object {
  return Object.fromEntries(
    [...tables]
      .filter(([, rows]) => rows.size > 0)
      .map(([table, rows]) => [
        table,
        [...rows].map(([key, value]) => `${key}=${bytesToHex(value)}`).toSorted(),
      ])
      .toSorted(),
  );
}

// Init code that returns its calldata-less tail as runtime code: stores CALLDATALOAD(32) at slot CALLDATALOAD(0).
const STORE = Uint8Array.of(0x60, 0x20, 0x35, 0x5f, 0x35, 0x55);
const DEPLOY = Uint8Array.of(0x65, ...STORE, 0x5f, 0x52, 0x60, 6, 0x60, 26, 0xf3);
const STORAGE = address(0x5701);

const action = fc.oneof(
  fc.record({ kind: fc.constant('pay'), from: fc.nat(3), to: fc.nat(5), value: fc.nat(3) }),
  fc.record({ kind: fc.constant('store'), from: fc.nat(3), key: fc.nat(6), value: fc.nat(2) }),
  fc.record({ kind: fc.constant('deploy'), from: fc.nat(3) }),
  fc.record({ kind: fc.constant('queue'), from: fc.nat(3), gap: fc.nat(3) }),
  fc.record({ kind: fc.constant('mine'), count: fc.integer({ min: 1, max: 140 }) }),
  fc.record({ kind: fc.constant('impersonate'), who: fc.nat(2) }),
  fc.record({ kind: fc.constant('gasLimit'), millions: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ kind: fc.constant('mining'), seconds: fc.nat(2) }),
  fc.record({ kind: fc.constant('setBalance'), who: fc.nat(3), value: fc.nat(2) }),
  fc.record({ kind: fc.constant('snapshot') }),
  fc.record({ kind: fc.constant('restore') }),
  fc.record({ kind: fc.constant('rewind'), by: fc.nat(5) }),
  fc.record({ kind: fc.constant('commit') }),
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

function pair(key: number, value: number): Uint8Array {
  const data = new Uint8Array(64);
  data[31] = key;
  data[63] = value;
  return data;
}

class Player {
  readonly machine: EthMachine = testChain(
    { accounts: [{ address: STORAGE, balance: 0n, code: STORE }] },
    { historyBlocks: 8 },
  );
  #snapshot: EthState = this.machine.state;

  play(step: Action): void {
    const { machine } = this;
    const change = (next: (state: EthState) => EthState): void =>
      settle(machine, machine.change(next));
    const settings = (fields: Partial<EthState['settings']>): void =>
      change((state) => ({ ...state, settings: { ...state.settings, ...fields } }));
    switch (step.kind) {
      case 'pay':
        send(machine, people[step.from]!, { to: address(step.to), value: BigInt(step.value) });
        return;
      case 'store':
        send(machine, people[step.from]!, { to: STORAGE, data: pair(step.key, step.value) });
        return;
      case 'deploy':
        send(machine, people[step.from]!, { to: undefined, data: DEPLOY });
        return;
      case 'queue': {
        const { address: sender } = people[step.from]!;
        const nonce = machine.pendingNonce(sender) + BigInt(step.gap + 1);
        if (machine.state.pool.of(sender).some(({ tx }) => tx.nonce === nonce)) return;
        machine.submitUnsigned(unsigned({ nonce }), sender);
        return;
      }
      case 'mine':
        mine(machine, step.count);
        return;
      case 'impersonate': {
        const key = String.fromCharCode(...address(step.who));
        const { impersonated } = machine.state.settings;
        const next = impersonated.has(key) ? impersonated.delete(key) : impersonated.set(key, true);
        settings({ impersonated: next });
        return;
      }
      case 'gasLimit':
        settings({ gasLimit: BigInt(step.millions) * 1_000_000n, nextBaseFee: 7n });
        return;
      case 'mining':
        settings({
          mining: step.seconds ? { mode: 'interval', seconds: step.seconds } : { mode: 'instant' },
        });
        return;
      case 'setBalance':
        change((state) => {
          const overlay = new Overlay(state.world, blockHashes(state));
          overlay.setBalance(address(step.who), BigInt(step.value));
          return { ...state, world: overlay.commit() };
        });
        return;
      case 'snapshot':
        this.#snapshot = machine.state;
        return;
      case 'restore':
        machine.restore(this.#snapshot);
        return;
      case 'rewind': {
        const { number } = machine.state.head.header;
        const to = number > BigInt(step.by) ? number - BigInt(step.by) : 0n;
        change((state) => rewind(state, to));
        return;
      }
    }
  }
}

describe(`rows (seed ${SEED})`, () => {
  test('changes applied one after another are the whole state, and it loads to an equal one', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 25 }), (steps) => {
        const player = new Player();
        const { machine } = player;
        const tables = apply(new Map(), undefined, machine.state);
        let kept = machine.state;
        for (const step of [...steps, { kind: 'commit' }] as Action[]) {
          if (step.kind !== 'commit') {
            player.play(step);
            continue;
          }
          apply(tables, kept, machine.state);
          kept = machine.state;
        }
        expect(plain(tables)).toEqual(plain(apply(new Map(), undefined, kept)));
        expectEqual(
          stateFromRows(tables, { ...machine.options, hardfork: machine.hardfork }),
          kept,
        );
      }),
      { seed: SEED, numRuns: 40 },
    );
  });

  test('a state that did not change has no changes', () => {
    const { state } = testChain();
    expect([...changesBetween(state, state)]).toEqual([]);
  });

  test('a transaction changes rows of its own', () => {
    const machine = testChain();
    const before = machine.state;
    send(machine, people[0]!, { to: address(1), value: 1n });
    const changed = [...changesBetween(before, machine.state)].map(({ table }) => table);
    // Sender, recipient, coinbase; the contracts of block hashes and beacon roots have a new slot.
    expect(changed.join(' ')).toBe(
      'accounts slots accounts accounts slots history blocks chain chain',
    );
  });
});

function expectEqual(loaded: EthState, state: EthState): void {
  expect(loaded.world.root()).toEqual(state.world.root());
  expect(roots(loaded)).toEqual(roots(state));
  expect(loaded.world.slotCount).toBe(state.world.slotCount);
  expect(loaded.world.codeBytes).toBe(state.world.codeBytes);
  expect(loaded.blockBytes).toBe(state.blockBytes);
  expect(asObject(loaded.numbers)).toEqual(asObject(state.numbers));
  expect(asObject(loaded.transactions)).toEqual(asObject(state.transactions));
  expect(loaded.pool.transactions()).toEqual(state.pool.transactions());
  const { impersonated, ...settings } = loaded.settings;
  expect(settings).toEqual({ ...state.settings, impersonated: undefined });
  expect(asObject(impersonated)).toEqual(asObject(state.settings.impersonated));
  for (let number = 0n; number <= state.head.header.number; number++) {
    expect(blockOf(loaded, number)).toEqual(blockOf(state, number));
  }
}

function roots({ worlds }: EthState): object {
  return Object.fromEntries(Array.from(worlds.entries(), ([key, world]) => [key, world.root()]));
}

function asObject<V>(map: PersistentMap<V>): object {
  return Object.fromEntries(map.entries());
}

describe('damaged rows', () => {
  const machine = testChain({ accounts: [{ address: STORAGE, balance: 0n, code: STORE }] });
  send(machine, people[0]!, { to: STORAGE, data: pair(1, 2) });
  send(machine, people[0]!, { to: STORAGE, data: pair(2, 2) });
  const damaged = (
    table: string,
    change: (rows: Map<string, Uint8Array>) => void,
  ): (() => void) => {
    const tables = apply(new Map(), undefined, machine.state);
    change(tables.get(table)!);
    return () => stateFromRows(tables, { ...machine.options, hardfork: machine.hardfork });
  };

  test.each(['accounts', 'slots', 'codes', 'blocks'])('a row is missing in %s', (table) => {
    expect(damaged(table, dropFirst)).toThrow(expect.objectContaining({ code: 'corrupt-state' }));
  });

  test.each(['accounts', 'slots', 'codes', 'blocks', 'chain'])('a row of %s is cut', (table) => {
    expect(
      damaged(table, (rows) => {
        const [key, value] = [...rows].at(-1)!;
        rows.set(key, value.slice(1));
      }),
    ).toThrow(expect.objectContaining({ code: 'corrupt-state' }));
  });

  test('no head', () => {
    expect(damaged('chain', (rows) => rows.delete('head'))).toThrow(/there is no head/);
  });

  test('a block behind the head', () => {
    expect(damaged('blocks', (rows) => rows.set('3', rows.get('2')!))).toThrow(/behind the head/);
  });

  test('blocks that do not follow each other', () => {
    expect(damaged('blocks', (rows) => rows.set('1', rows.get('2')!))).toThrow(/does not follow/);
  });

  test('the chain of another hardfork', () => {
    const tables = apply(new Map(), undefined, machine.state);
    expect(() => stateFromRows(tables, { ...machine.options, hardfork: 'cancun' })).toThrow(
      expect.objectContaining({ code: 'hardfork-mismatch' }),
    );
  });
});

function dropFirst(rows: Map<string, Uint8Array>): boolean {
  return rows.delete([...rows.keys()][0]!);
}
