import { describe, expect, test } from 'vitest';
import { CodeCache, type CompiledContract } from './code-cache.ts';

/** PUSH1 size of it, so that no two are the same, and as many JUMPDESTs as it takes, then STOP. */
const codeOf = (instructionCount: number): Uint8Array => {
  const code = new Uint8Array(instructionCount + 1).fill(0x5b);
  code.set([0x60, instructionCount]);
  code[instructionCount] = 0x00;
  return code;
};
const entriesOf = (contract: CompiledContract): number[] =>
  [...contract.whole()].flatMap((unit) => unit.entries);

describe('limits', () => {
  test('a contract is compiled as far as its share of instructions reaches', () => {
    for (const [contractInstructionsMax, entries] of [
      [9, []],
      [10, [0]],
      [11, [0]],
    ] as const) {
      const limits = { contractInstructionsMax, instructionsMax: 100 };
      const cache = new CodeCache('osaka', 'compiled', limits);
      // From each JUMPDEST a trace of its own would lead to the end, too: the share allows the first.
      expect(entriesOf(cache.contract('a', codeOf(10)))).toEqual(entries);
    }
  });

  test('of all contracts the ones loaded longest ago are dropped when there are too many instructions', () => {
    for (const [instructionsMax, isKept] of [
      [19, false],
      [20, true],
      [21, true],
    ] as const) {
      const limits = { contractInstructionsMax: 10, instructionsMax };
      const cache = new CodeCache('osaka', 'compiled', limits);
      const first = cache.contract('a', codeOf(10));
      expect(entriesOf(first).length).toBe(1);
      expect(entriesOf(cache.contract('b', codeOf(10))).length).toBe(1);
      cache.contract('c', codeOf(10));
      expect(cache.contract('a', codeOf(10)) === first).toBe(isKept);
    }
  });
});

describe('mixed code', () => {
  const loop = codeOf(100);
  const ENOUGH_GAS = 10_000_000;

  test('is compiled when interpreting it has cost as much, once for all instances', () => {
    const cache = new CodeCache('osaka', 'mixed');
    const contract = cache.contract('a', loop);
    cache.earn(ENOUGH_GAS);
    expect([...contract.whole()]).toEqual([]);
    expect(contract.unitAt(0, 1)).toBeUndefined();
    expect(contract.unitAt(0, 1000)).toBeUndefined();
    const unit = contract.unitAt(0, 1200);
    expect(unit?.entries).toEqual([0]);
    expect(contract.unitAt(0, 1)).toBe(unit);
    expect([...contract.whole()]).toEqual([unit]);
  });

  test('of a few instructions has to be visited more often', () => {
    const cache = new CodeCache('osaka', 'mixed');
    const contract = cache.contract('a', codeOf(10));
    cache.earn(ENOUGH_GAS);
    expect(contract.unitAt(0, 6400)).toBeUndefined();
    expect(contract.unitAt(0, 6500)?.entries).toEqual([0]);
  });

  test('waits until all code together has spent the gas that stands for the time of compiling', () => {
    // 60,000 instructions for a module, 500 for each of 100 in it, at 3 gas.
    const gas = 3 * (60_000 + 500 * 100);
    for (const [earned, isCompiled] of [
      [3 * (60_000 + 500 * 800) - 1, false],
      [3 * (60_000 + 500 * 800), true],
    ] as const) {
      const cache = new CodeCache('osaka', 'mixed');
      const contract = cache.contract('a', loop);
      cache.earn(earned);
      expect(contract.unitAt(0, 1200) !== undefined).toBe(isCompiled);
      // What was earned is spent: a second module has to wait.
      expect(cache.contract('b', loop.slice(1)).unitAt(0, 1200)).toBeUndefined();
      cache.earn(gas + 3 * (60_000 + 500 * 800));
      expect(contract.unitAt(0, 1200)).toBeDefined();
    }
  });
});
