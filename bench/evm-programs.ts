import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { concatBytes, bigIntToBytes } from '@polyvisor/bytes/bytes';
import { hexToBytes } from '@polyvisor/bytes/hex';

/** A contract and a call to it. */
export interface Program {
  readonly name: string;
  readonly code: Uint8Array;
  readonly data: Uint8Array;
}

/** Programs of ipsilon/evm-benchmarks and ziyadedher/evm-bench, from `POLYVISOR_VECTORS`. */
export function readPrograms(): Program[] {
  const folder = process.env['POLYVISOR_VECTORS'];
  if (folder === undefined) {
    throw new Error(
      'evm-bench-programs.json is not there: set POLYVISOR_VECTORS (its data is ipsilon/evm-benchmarks and ziyadedher/evm-bench)',
    );
  }
  const text = readFileSync(join(folder, 'evm-bench-programs.json'), 'utf8');
  const entries = Object.entries(
    JSON.parse(text) as Record<string, { code: string; data: string }>,
  );
  return entries.map(([name, { code, data }]) => ({
    name,
    code: hexToBytes(prefixed(code)),
    data: hexToBytes(prefixed(data)),
  }));
}

function prefixed(hex: string): string {
  return hex.startsWith('0x') ? hex : `0x${hex}`;
}

export const PROGRAM_ADDRESS: Uint8Array = new Uint8Array(20).fill(0x11);
export const DRIVER_ADDRESS: Uint8Array = new Uint8Array(20).fill(0x33);
export const SENDER_ADDRESS: Uint8Array = new Uint8Array(20).fill(0x22);

/**
 * A contract that calls the program as often as the first word of its input says, with the rest as the program's
 * input: one request to a node then holds enough work that the request itself does not count.
 */
export function driverCode(): Uint8Array {
  const start = Uint8Array.of(0x60, 32, 0x36, 0x03, 0x80, 0x60, 32, 0x5f, 0x37, 0x5f, 0x35);
  const loop = start.length;
  const fail = loop + 42;
  return concatBytes(
    // size = CALLDATASIZE - 32; CALLDATACOPY(0, 32, size); n = CALLDATALOAD(0)
    start,
    Uint8Array.of(0x5b, 0x5f, 0x5f, 0x83, 0x5f, 0x5f, 0x73),
    PROGRAM_ADDRESS,
    // if CALL(GAS, program, 0, 0, size, 0, 0) fails: revert; n -= 1; again while n > 0
    Uint8Array.of(0x5a, 0xf1, 0x15, 0x60, fail, 0x57),
    Uint8Array.of(0x60, 1, 0x90, 0x03, 0x80, 0x60, loop, 0x57, 0x00),
    Uint8Array.of(0x5b, 0x5f, 0x5f, 0xfd),
  );
}

export function driverInput(program: Program, times: number): Uint8Array {
  return concatBytes(bigIntToBytes(BigInt(times), 32), program.data);
}
