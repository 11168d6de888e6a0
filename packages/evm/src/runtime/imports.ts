import { I32, type ValueType } from '@polyvisor/wasm/types';

/**
 * What the engine's code asks of its TypeScript side, under module name `host`. Pointers go in, results are
 * written into the memory, so no number becomes a BigInt on the way.
 */
export const imports = {
  /** (account record): fill in balance, nonce, code hash and flags. */
  loadAccount: { params: [I32], results: [] },
  /** (account record): make the code available and set its pointers. */
  loadCode: { params: [I32], results: [] },
  /** (slot record): fill in the original and current value. */
  loadSlot: { params: [I32], results: [] },
  /** (account record, bytes, size): the account's code is now these bytes. */
  deployCode: { params: [I32, I32, I32], results: [] },
  /** (frame kind, account record of the creator, init code, size, salt word): address word into SCRATCH. */
  createAddress: { params: [I32, I32, I32, I32, I32], results: [] },
  /** (frame record) -> 1 on success: runs the precompile; gas left in global `gas`, output in RETURN_DATA. */
  precompile: { params: [I32], results: [I32] },
  /** (word): replaces the block number at the address by the block's hash, or zero. */
  blockHash: { params: [I32], results: [] },
  /** (pc): the running frame, its gas in its record, has been there a number of times and found no compiled code. */
  hot: { params: [I32], results: [] },
  /** (limit code): never returns. */
  fault: { params: [I32], results: [] },
  /** (frame record, frame kind) */
  traceEnter: { params: [I32, I32], results: [] },
  /** (ending, output, size) with the gas left in global `gas` */
  traceExit: { params: [I32, I32, I32], results: [] },
  /** (pc, sp): gas in global `gas` */
  traceStep: { params: [I32, I32], results: [] },
  /** (log record) */
  traceLog: { params: [I32], results: [] },
} as const satisfies Record<
  string,
  { readonly params: readonly ValueType[]; readonly results: readonly ValueType[] }
>;

/** Limits of the engine itself. The number is what `fault` is called with. */
export const faultCodes = [
  'memory-limit',
  'account-table',
  'slot-table',
  'journal',
  'logs',
  'return-data',
  'code',
] as const;

export function faultCode(name: (typeof faultCodes)[number]): number {
  return faultCodes.indexOf(name);
}
