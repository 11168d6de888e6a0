import { bytesToBigInt, concatBytes } from '@polyvisor/bytes/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hardforks, isAtLeast } from './hardfork.ts';
import { type Opcode, opcodeGas, opcodes } from './opcodes.ts';
import { push, returnTop, runCode } from './testing/run-code.ts';

const SEED = 20_260_102;
const CASES = 2_000;

const rows = opcodes.filter((row): row is Opcode => row !== undefined);

/** Words at the edges of bytes, limbs and signs, and any others. */
const word = fc.oneof(
  fc.constantFrom(0n, 1n, 31n, 32n, 255n, 256n, 2n ** 255n, 2n ** 255n - 1n, 2n ** 256n - 1n),
  fc.integer({ min: 0, max: 256 }).map((bits) => (1n << BigInt(bits)) - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
);

describe(`pure instructions equal the reference (seed ${SEED}, ${CASES} cases each)`, () => {
  for (const row of rows) {
    const { evaluate } = row;
    if (evaluate === undefined) continue;
    test(row.name, () => {
      const operands = fc.array(word, { minLength: row.pops, maxLength: row.pops });
      fc.assert(
        fc.property(operands, (values) => {
          // The first operand is popped first, so it is pushed last.
          const pushes = values.toReversed().map(push);
          const { output } = runCode(concatBytes(...pushes, Uint8Array.of(row.code), returnTop));
          expect(bytesToBigInt(output)).toBe(evaluate(...values));
        }),
        { seed: SEED, numRuns: CASES },
      );
    });
  }
});

describe('the table', () => {
  test('has a row for each of Osaka’s 149 instructions beside INVALID, each code and name once', () => {
    expect(rows.length).toBe(149);
    expect(new Set(rows.map((row) => row.name)).size).toBe(rows.length);
    expect(rows.every((row) => opcodes[row.code] === row)).toBe(true);
  });

  test('an instruction is invalid, and takes all gas, in every fork before its own', () => {
    for (const fork of hardforks) {
      for (const row of rows) {
        if (isAtLeast(fork, row.since)) continue;
        const { status, gasUsed } = runCode(Uint8Array.of(row.code), { fork, gas: 100_000n });
        expect(`${row.name} ${fork} ${status}`).toBe(`${row.name} ${fork} invalid-opcode`);
        expect(gasUsed).toBe(100_000n);
      }
    }
  });

  test('an instruction fails on a stack one word too short, whatever the fork', () => {
    for (const row of rows) {
      if (row.pops === 0) continue;
      const short = concatBytes(...Array.from({ length: row.pops - 1 }, () => push(0n)));
      const { status } = runCode(concatBytes(short, Uint8Array.of(row.code)));
      expect(`${row.name} ${status}`).toBe(`${row.name} stack-underflow`);
    }
  });

  test('a stack holds 1024 words and not one more', () => {
    const words = (count: number): Uint8Array => new Uint8Array(count).fill(0x5f);
    expect(runCode(words(1023)).status).toBe('success');
    expect(runCode(words(1024)).status).toBe('success');
    expect(runCode(words(1025)).status).toBe('stack-overflow');
  });

  test('SLOAD of a cold slot costs 2100 since Berlin, 800 in Istanbul, 200 and 50 before', () => {
    const sload = rows.find((row) => row.name === 'SLOAD')!;
    expect(opcodeGas(sload, 'frontier')).toBe(50);
    expect(opcodeGas(sload, 'tangerineWhistle')).toBe(200);
    expect(opcodeGas(sload, 'istanbul')).toBe(800);
    const code = Uint8Array.of(0x5f, 0x54, 0x50, 0x5f, 0x54);
    // PUSH0 SLOAD(cold) POP PUSH0 SLOAD(warm)
    expect(runCode(code).gasUsed).toBe(21_000n + 2n + 2100n + 2n + 2n + 100n);
  });
});
