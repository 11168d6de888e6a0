import { bytesToBigInt, concatBytes } from '@polyvisor/bytes/bytes';
import { bytesToHex } from '@polyvisor/bytes/hex';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEvm } from './engine.ts';
import { CONTRACT, push, returnTop, runCode, runToOutcome, startCode } from './testing/run-code.ts';
import type { FrameStart, Outcome, Step, Tracer } from './world.ts';

const SEED = 20_260_103;

/** for (i = n; i > 0; i--) s += i * i, then SSTORE(0, s), LOG0, and returns s. */
const loop = concatBytes(
  push(0n),
  push(500n),
  // 66: JUMPDEST DUP1 DUP1 MUL DUP3 ADD SWAP2 POP PUSH1 1 SWAP1 SUB DUP1 PUSH1 66 JUMPI
  Uint8Array.of(
    0x5b,
    0x80,
    0x80,
    0x02,
    0x82,
    0x01,
    0x91,
    0x50,
    0x60,
    1,
    0x90,
    0x03,
    0x80,
    0x60,
    66,
    0x57,
  ),
  Uint8Array.of(0x50, 0x80, 0x5f, 0x55, 0x5f, 0x5f, 0xa0),
  returnTop,
);
const loopResult = (500n * 501n * 1001n) / 6n;

/** Calls itself with all the gas there is, as deep as it goes, and returns the depth reached. */
const deep = concatBytes(
  // CALL(GAS, ADDRESS, 0, 0, 0, 0, 32)
  Uint8Array.of(0x60, 32, 0x5f, 0x5f, 0x5f, 0x5f, 0x30, 0x5a, 0xf1),
  // PUSH0 MLOAD ADD: the depth below, and one more for a call that went through
  Uint8Array.of(0x5f, 0x51, 0x01),
  returnTop,
);

describe('slices', () => {
  test(`an execution in slices of any size ends as one in a single run (seed ${SEED})`, () => {
    const whole = plain(runToOutcome(loop));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), (slice) => {
        expect(plain(runToOutcome(loop, { slice }))).toEqual(whole);
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  test('a slice of one gas stops at the next block boundary, and gas spent only grows', () => {
    const execution = startCode(loop);
    let slices = 0;
    for (let spent = -1; !execution.run(1); slices++) {
      expect(execution.gasSpent).toBeGreaterThan(spent);
      spent = execution.gasSpent;
    }
    expect(slices).toBeGreaterThanOrEqual(499);
    const { outcome } = execution;
    expect(outcome?.kind === 'executed' && bytesToBigInt(outcome.output)).toBe(loopResult);
  });

  test('executions that are live at once do not see each other', () => {
    const executions = Array.from({ length: 5 }, () => startCode(loop));
    while (executions.map((execution) => execution.run(100)).includes(false)) continue;
    for (const { outcome } of executions)
      expect(plain(outcome!)).toEqual(plain(runToOutcome(loop)));
  });

  test('a cancelled execution leaves an engine that works', () => {
    const evm = createEvm({ hardfork: 'osaka' });
    const execution = startCode(loop, { evm });
    execution.run(1000);
    execution.cancel();
    expect(bytesToBigInt(runCode(loop, { evm }).output)).toBe(loopResult);
  });
});

describe('calls', () => {
  test('go 1024 frames deep and no further', () => {
    // Without EIP-150 (63/64 of the gas) depth is what ends the recursion.
    const code = deep.slice();
    const depth = (gas: bigint): bigint =>
      bytesToBigInt(runCode(code, { gas, fork: 'osaka' }).output);
    expect(depth(1n << 45n)).toBe(1024n);
  });

  test('a frame that runs out of gas takes only what it was given', () => {
    const burner = new Uint8Array(20).fill(0xbb);
    // CALL(50000, burner) POP GAS
    const code = concatBytes(
      Uint8Array.of(0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x73),
      burner,
      Uint8Array.of(0x61, 0xc3, 0x50, 0xf1),
      returnTop,
    );
    const outcome = runCode(code, { others: [[burner, Uint8Array.of(0x5b, 0x5f, 0x56)]] });
    expect(outcome.status).toBe('success');
    expect(bytesToBigInt(outcome.output)).toBe(0n);
    expect(outcome.gasUsed).toBeGreaterThan(21_000n + 50_000n);
    expect(outcome.gasUsed).toBeLessThan(21_000n + 55_000n);
  });
});

describe('limits', () => {
  test('an execution over the engine’s memory limit is a fault, not a crash, and the engine goes on', () => {
    const evm = createEvm({ hardfork: 'osaka', memoryBytesMax: 1 << 20 });
    // MSTORE8 at an address, whose gas is there
    const touch = (address: bigint): Uint8Array =>
      concatBytes(push(1n), push(address), Uint8Array.of(0x53));
    const gas = 1n << 40n;
    expect(runToOutcome(touch((1n << 20n) - 33n), { evm, gas }).kind).toBe('executed');
    expect(runToOutcome(touch((1n << 20n) + 1n), { evm, gas })).toMatchObject({
      kind: 'fault',
      code: 'memory-limit',
    });
    expect(bytesToBigInt(runCode(loop, { evm }).output)).toBe(loopResult);
  });

  test('memory that no gas can buy is out of gas', () => {
    const code = concatBytes(push(1n), push(2n ** 256n - 1n), Uint8Array.of(0x52));
    expect(runCode(code).status).toBe('out-of-gas');
  });
});

describe('a tracer', () => {
  test('sees every instruction and every frame, and changes nothing', () => {
    const steps: Pick<Step, 'pc' | 'opcode' | 'depth'>[] = [];
    const frames: FrameStart['type'][] = [];
    let ends = 0;
    const tracer: Tracer = {
      step: ({ pc, opcode, depth }) => void steps.push({ pc, opcode, depth }),
      enter: ({ type }) => void frames.push(type),
      exit: () => void ends++,
    };
    const traced = runCode(deep, { tracer, gas: 200_000n });
    expect(plain(traced)).toEqual(plain(runCode(deep, { gas: 200_000n })));
    expect(steps[0]).toMatchObject({ pc: 0, opcode: 0x60 });
    expect(frames.length).toBeGreaterThan(3);
    expect(ends).toBe(frames.length);
  });
});

test('the contract’s address is its own', () => {
  const { output } = runCode(concatBytes(Uint8Array.of(0x30), returnTop));
  expect(bytesToHex(output.subarray(12))).toBe(bytesToHex(CONTRACT));
});

/** With bytes as text, so that a difference can be read. */
function plain(outcome: Outcome): unknown {
  return JSON.parse(
    JSON.stringify(outcome, (_, value: unknown) => {
      if (value instanceof Uint8Array) return bytesToHex(value);
      return typeof value === 'bigint' ? value.toString() : value;
    }),
  );
}
