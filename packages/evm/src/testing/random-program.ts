import { opcodes } from '../opcodes.ts';
import { type Hardfork, isAtLeast } from '../hardfork.ts';

/** Numbers in [0, 1) from a seed. @see mulberry32, T. Ettinger, public domain */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface ProgramOptions {
  readonly fork: Hardfork;
  /** Instructions, about. */
  readonly length: number;
  /** Addresses that calls and account reads go to. */
  readonly addresses: readonly Uint8Array[];
}

/**
 * Code that mostly keeps going: operands are small or at edges, jumps mostly hit a JUMPDEST, memory stays small,
 * calls go to known addresses. Now and then anything at all.
 */
export function randomProgram(random: () => number, options: ProgramOptions): Uint8Array {
  const code: number[] = [];
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const choices = opcodes.filter(
    (row) => row !== undefined && isAtLeast(options.fork, row.since) && row.shape !== 'push',
  );
  const jumps: number[] = [];
  let depth = 0;
  const push = (value: bigint): void => {
    const text = value.toString(16);
    const hex = text.length % 2 === 1 ? `0${text}` : text;
    code.push(0x5f + hex.length / 2, ...Buffer.from(hex, 'hex'));
    depth++;
  };
  const operand = (): bigint => {
    switch (Math.floor(random() * 8)) {
      case 0:
        return BigInt(Math.floor(random() * 4));
      case 1:
      case 2:
        return BigInt(Math.floor(random() * 96));
      case 3:
        return BigInt(Math.floor(random() * 1024));
      case 4:
        return addressWord(pick(options.addresses));
      case 5:
        return (1n << BigInt(Math.floor(random() * 257))) - 1n;
      case 6:
        return 1n << BigInt(Math.floor(random() * 256));
      default: {
        let value = 0n;
        for (let i = 0; i < 8; i++) value = (value << 32n) | BigInt(Math.floor(random() * 2 ** 32));
        return value;
      }
    }
  };
  for (let i = 0; i < options.length; i++) {
    const row = pick(choices)!;
    if (random() < 0.01) code.push(Math.floor(random() * 256));
    // Ends of the program are rare until its end.
    if (ENDS.has(row.name) && random() < 0.8) continue;
    if (row.name === 'JUMP' || row.name === 'JUMPI') {
      if (row.name === 'JUMPI' && depth < 1) push(operand());
      // The place is filled in at the end: PUSH2 of a jump destination.
      jumps.push(code.length + 1);
      code.push(0x61, 0, 0, row.code);
      if (row.name === 'JUMPI') depth--;
      continue;
    }
    const calls = CALLS.has(row.name);
    if (random() < 0.03) {
      // Whatever lies on the stack, or nothing.
    } else if (calls || MEMORY.test(row.name)) {
      // Offsets and sizes must be small, or nearly all of them run out of gas.
      for (let left = row.pops; left > 0; left--) {
        const isTarget = calls && left === 2;
        push(isTarget ? addressWord(pick(options.addresses)) : small(random));
      }
      // The operand on top of a call is its gas.
      if (calls && random() < 0.5) code.push(0x50, 0x5a);
    } else {
      while (depth < row.pops || random() < 0.3) push(operand());
    }
    if (row.shape === 'jumpdest' || random() < 0.15) code.push(0x5b);
    code.push(row.code);
    depth = Math.max(0, depth - row.pops + row.pushes);
  }
  const destinations: number[] = [];
  for (let pc = 0; pc < code.length; pc++) {
    if (code[pc] === 0x5b) destinations.push(pc);
    if (code[pc]! >= 0x60 && code[pc]! <= 0x7f) pc += code[pc]! - 0x5f;
  }
  for (const at of jumps) {
    // Mostly forward, so that programs end.
    const ahead = destinations.filter((pc) => pc > at);
    const target = pick(random() < 0.9 && ahead.length > 0 ? ahead : [...destinations, at]);
    code[at] = target >> 8;
    code[at + 1] = target & 255;
  }
  return Uint8Array.from(code);
}

const ENDS: ReadonlySet<string> = new Set(['STOP', 'RETURN', 'REVERT', 'INVALID', 'SELFDESTRUCT']);

/** Instructions whose operands are offsets and sizes. */
const MEMORY = /^(MLOAD|MSTORE8?|MCOPY|KECCAK256|SHA3|\w+COPY|LOG\d|CREATE2?|RETURN|REVERT)$/;
const CALLS: ReadonlySet<string> = new Set(['CALL', 'CALLCODE', 'DELEGATECALL', 'STATICCALL']);

function small(random: () => number): bigint {
  return BigInt(Math.floor(random() * 128));
}

function addressWord(address: Uint8Array): bigint {
  return address.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
