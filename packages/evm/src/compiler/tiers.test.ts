import { bytesToBigInt, concatBytes } from '@polyvisor/bytes/bytes';
import { describe, expect, test } from 'vitest';
import { createEvm } from '../engine.ts';
import { opcodes } from '../opcodes.ts';
import { push, returnTop, runCode, runToOutcome, startCode } from '../testing/run-code.ts';
import { randomNumbers } from '../testing/random-program.ts';
import { differenceOfTiers, plainOutcome } from '../testing/tiers.ts';
import { CodeCache } from './code-cache.ts';

const SEED = 20_261_125;
const PROGRAMS = 2_000;
const WORDS = 60;

const interpreter = createEvm({ hardfork: 'osaka', tier: 'interpreter' });
const compiled = createEvm({ hardfork: 'osaka', tier: 'compiled' });
const mixed = createEvm({ hardfork: 'osaka' });

test(`random programs end as interpreted ones do (seeds from ${SEED}, ${PROGRAMS} of them)`, () => {
  for (let i = 0; i < PROGRAMS; i++) {
    expect(differenceOfTiers(SEED + i).difference, `seed ${SEED + i}`).toBeUndefined();
  }
});

describe(`pure instructions on constants and on what is loaded equal the reference (seed ${SEED})`, () => {
  for (const row of opcodes) {
    if (row?.evaluate === undefined) continue;
    test(row.name, () => {
      const random = randomNumbers(SEED);
      for (let i = 0; i < WORDS; i++) {
        const values = Array.from({ length: row.pops }, () => edgeWord(random));
        const known = values.map(() => random() < 0.5);
        // Constants are pushed, the others read from the input.
        const data = concatBytes(...values.map((value) => push(value).subarray(1)));
        const operands = values.map((value, k) =>
          known[k] ? push(value) : Uint8Array.of(0x60, 32 * k, 0x35),
        );
        const code = concatBytes(...operands.toReversed(), Uint8Array.of(row.code), returnTop);
        const { output } = runCode(code, { data, evm: compiled });
        expect(bytesToBigInt(output)).toBe(row.evaluate!(...values));
      }
    });
  }
});

/** for (i = n; i > 0; i--) s += i * i; n is the first word of the input. */
const loop = concatBytes(
  Uint8Array.of(0x5f, 0x5f, 0x35),
  // 3: JUMPDEST DUP1 DUP1 MUL DUP3 ADD SWAP2 POP PUSH1 1 SWAP1 SUB DUP1 PUSH1 3 JUMPI POP
  Uint8Array.of(0x5b, 0x80, 0x80, 0x02, 0x82, 0x01, 0x91, 0x50),
  Uint8Array.of(0x60, 1, 0x90, 0x03, 0x80, 0x60, 3, 0x57, 0x50),
  returnTop,
);

describe('a loop', () => {
  const data = push(10_000n).subarray(1);
  const whole = plainOutcome(runToOutcome(loop, { data, evm: interpreter }));

  test('that becomes hot goes over to compiled code as it runs', () => {
    expect(plainOutcome(runToOutcome(loop, { data, evm: mixed }))).toBe(whole);
    expect(plainOutcome(runToOutcome(loop, { data, evm: mixed }))).toBe(whole);
  });

  test('stops at the end of its slice, within a block, and goes on there', () => {
    for (const evm of [compiled, mixed]) {
      for (const slice of [1, 100, 1999, 100_000]) {
        const execution = startCode(loop, { data, evm });
        let spent = execution.gasSpent;
        while (!execution.run(slice)) {
          expect(execution.gasSpent).toBeGreaterThan(spent);
          expect(execution.gasSpent).toBeLessThan(spent + slice + 100);
          spent = execution.gasSpent;
        }
        expect(plainOutcome(execution.outcome!)).toBe(whole);
      }
    }
  });
});

test('a stack of 1024 words is not too high for a superblock, one more is', () => {
  const words = (count: number): Uint8Array => new Uint8Array(count).fill(0x5f);
  expect(runCode(words(1024), { evm: compiled }).status).toBe('success');
  expect(runCode(words(1025), { evm: compiled }).status).toBe('stack-overflow');
  // JUMPDEST PUSH0 PUSH0 JUMP
  expect(runCode(Uint8Array.of(0x5b, 0x5f, 0x5f, 0x56), { evm: compiled }).status).toBe(
    'stack-overflow',
  );
});

test('a contract of nothing but JUMPDESTs is compiled once, not from each of them', () => {
  const code = new Uint8Array(20_000).fill(0x5b);
  const contract = new CodeCache('osaka', 'compiled').contract('bomb', code);
  const entries = [...contract.whole()].flatMap((unit) => unit.entries);
  expect(entries.length).toBeLessThan(200);
});

function edgeWord(random: () => number): bigint {
  const bits = Math.floor(random() * 257);
  const power = bits === 256 ? 0n : 1n << BigInt(bits);
  const choice = random();
  if (choice < 0.3) return power;
  if (choice < 0.5) return BigInt.asUintN(256, power - 1n);
  if (choice < 0.7) return BigInt(Math.floor(random() * 300));
  let value = 0n;
  for (let i = 0; i < 8; i++) value = (value << 32n) | BigInt(Math.floor(random() * 2 ** 32));
  return choice < 0.85 ? value : value >> BigInt(bits);
}
