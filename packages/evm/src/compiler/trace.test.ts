import { describe, expect, test } from 'vitest';
import { Program } from './program.ts';
import { type Trace, planTrace } from './trace.ts';

const program = (...code: number[]): Program => new Program(Uint8Array.from(code), 'osaka');
const names = (trace: Trace): string =>
  trace.segments.map((segment) => segment.steps.map(({ row }) => row.name).join(' ')).join(' | ');

describe('a trace', () => {
  test('follows a static jump, whose destination comes next', () => {
    // PUSH1 4 JUMP INVALID JUMPDEST STOP
    const trace = planTrace(program(0x60, 4, 0x56, 0xfe, 0x5b, 0x00), 0);
    expect(names(trace)).toBe('PUSH1 JUMP JUMPDEST STOP');
    expect(trace.next.kind).toBe('said');
  });

  test('returns from a function to where it was called from', () => {
    // PUSH1 return, PUSH1 function, JUMP; return: STOP; function: JUMP
    const code = program(0x60, 5, 0x60, 7, 0x56, 0x5b, 0x00, 0x5b, 0x56);
    expect(names(planTrace(code, 0))).toBe('PUSH1 PUSH1 JUMP JUMPDEST JUMP JUMPDEST STOP');
  });

  test('ends a segment at a conditional jump, and pays for segments', () => {
    // PUSH1 7 CALLDATASIZE… JUMPI ADD STOP JUMPDEST
    const trace = planTrace(program(0x36, 0x60, 6, 0x57, 0x01, 0x00, 0x5b), 0);
    expect(names(trace)).toBe('CALLDATASIZE PUSH1 JUMPI | ADD STOP');
    expect(trace.segments.map(({ gas }) => gas)).toEqual([2 + 3 + 10, 3]);
    expect([trace.need, trace.growth]).toEqual([2, 2]);
  });

  test('goes on where a conditional jump leads when falling through fails', () => {
    // CALLVALUE ISZERO PUSH1 8 JUMPI PUSH0 PUSH0 REVERT JUMPDEST STOP
    const trace = planTrace(program(0x34, 0x15, 0x60, 8, 0x57, 0x5f, 0x5f, 0xfd, 0x5b, 0x00), 0);
    expect(names(trace)).toBe('CALLVALUE ISZERO PUSH1 JUMPI | JUMPDEST STOP');
  });

  test('that comes back to its beginning is a loop, and knows what a round leaves alone', () => {
    // JUMPDEST PUSH1 1 SWAP1 SUB DUP1 PUSH1 0 JUMPI STOP over (counter, other): other is below and untouched
    const trace = planTrace(program(0x5b, 0x60, 1, 0x90, 0x03, 0x80, 0x60, 0, 0x57, 0x00), 0);
    expect(trace.loop?.unchanged).toEqual(new Set());
    expect(trace.need).toBe(1);
  });

  test('has no loop where the stack grows with each round', () => {
    const trace = planTrace(program(0x5b, 0x5f, 0x5f, 0x56), 0);
    expect(trace.loop).toBeUndefined();
    expect(trace.segments[0]!.steps.at(-1)!.flow).toEqual({ kind: 'go', pc: 0 });
  });

  test('ends at an instruction that the fork does not have', () => {
    const trace = planTrace(new Program(Uint8Array.of(0x60, 0, 0x5f), 'london'), 0);
    expect(trace.next.kind).toBe('invalid');
  });

  test('is as long as its limit allows and goes on elsewhere then', () => {
    const code = new Uint8Array(100).fill(0x5b);
    for (const instructionsMax of [9, 10, 11]) {
      const trace = planTrace(new Program(code, 'osaka'), 0, { instructionsMax, jumpsMax: 1 });
      expect(trace.instructionCount).toBe(instructionsMax);
      expect(trace.next).toEqual({ kind: 'go', pc: instructionsMax });
    }
  });
});
