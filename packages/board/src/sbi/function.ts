import type { Processor } from '@polyvisor/riscv/contract';
import type { GuestRam } from '../device.ts';
import type { PowerEnd } from '../syscon.ts';

/**
 * What the machine's M-mode has at hand to serve a call. Harts are those of the board; there is
 * one.
 */
export interface SbiBoard {
  readonly processor: Processor;
  readonly ram: GuestRam;
  /** Sets when the supervisor timer interrupts next, in ticks; Infinity: never. */
  setTimer(ticks: number): void;
  /** Bytes that the guest writes on its console. @returns how many were taken */
  writeConsole(bytes: Uint8Array): number;
  /** Bytes that wait to be read from its console, up to a number of them. */
  readConsole(lengthMax: number): Uint8Array;
  end(how: PowerEnd): void;
}

/** Standard error codes. @see RISC-V SBI 2.0, section 3, table 1 */
export const SBI_SUCCESS = 0;
export const SBI_FAILED = -1;
export const SBI_NOT_SUPPORTED = -2;
export const SBI_INVALID_PARAMETER = -3;
export const SBI_ALREADY_AVAILABLE = -6;

export interface SbiResult {
  readonly error: number;
  /** An unsigned number, or -1. */
  readonly value?: bigint;
}

/** Arguments a0 to a5, unsigned. */
export type SbiArguments = readonly [bigint, bigint, bigint, bigint, bigint, bigint];

export interface SbiFunction {
  readonly extension: number;
  readonly id: number;
  readonly name: string;
  /** Section of the RISC-V Supervisor Binary Interface Specification, version 2.0. */
  readonly section: string;
  readonly serve: (board: SbiBoard, args: SbiArguments) => SbiResult;
}
