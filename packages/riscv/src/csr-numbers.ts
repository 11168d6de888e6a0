import { assert } from '@polyvisor/errors/assert';
import { CSRS } from './layout.ts';

/**
 * Control registers that are kept as they are, each 8 bytes of the engine's memory.
 * `mip` is what software wrote of it; `fcsr` holds flags and mode; `mstatus` has no bit above 31 of its own.
 * @see RISC-V Privileged ISA 20240411, tables 2 to 9
 */
export const csrNumbers = {
  fcsr: 0x003,
  stvec: 0x105,
  scounteren: 0x106,
  senvcfg: 0x10a,
  sscratch: 0x140,
  sepc: 0x141,
  scause: 0x142,
  stval: 0x143,
  stimecmp: 0x14d,
  satp: 0x180,
  mstatus: 0x300,
  medeleg: 0x302,
  mideleg: 0x303,
  mie: 0x304,
  mtvec: 0x305,
  mcounteren: 0x306,
  menvcfg: 0x30a,
  mscratch: 0x340,
  mepc: 0x341,
  mcause: 0x342,
  mtval: 0x343,
  mip: 0x344,
} as const;

/** `sstatus` for code: see `codePlace`. No place is so low. */
export const STATUS_IN_CODE = 2;

/** Registers of S mode without effects of their own. */
const plain: readonly CsrName[] = ['sscratch', 'sepc', 'scause', 'stval'];
export const SSTATUS = 0x100;

/** Where code finds a register that it may access itself in S and M mode; STATUS_IN_CODE; or 0 if it may not. */
export function codePlace(number: number): number {
  if (number === SSTATUS) return STATUS_IN_CODE;
  const name = plain.find((candidate) => csrNumbers[candidate] === number);
  return name === undefined ? 0 : csrPlace(name);
}

export type CsrName = keyof typeof csrNumbers;

const names = Object.keys(csrNumbers) as CsrName[];
const places = new Map(names.map((name, i) => [name, CSRS + 8 * i]));

/** Where it lies in the engine's memory. */
export function csrPlace(name: CsrName): number {
  const place = places.get(name);
  assert(place !== undefined, `no place for ${name}`);
  return place;
}
