import { bytesToHex } from '@polyvisor/bytes/hex';
import { intrinsicGas, transactionGasMax } from '@polyvisor/evm/intrinsic';
import type {
  BlockEnvironment,
  Evm,
  Outcome,
  Tracer,
  TransactionMessage,
} from '@polyvisor/evm/world';
import { EthError } from './errors.ts';
import type { Overlay } from './overlay.ts';
import { refusalError } from './refusals.ts';
import type { Slice, Steps } from '@polyvisor/machine/steps';
import { execute } from './slices.ts';

/** A message to try out over a state, and where. */
export interface CallContext {
  readonly evm: Evm;
  readonly block: BlockEnvironment;
  readonly state: Overlay;
}

export type Executed = Extract<Outcome, { kind: 'executed' }>;

/** JSON-RPC code of an execution that reverted. @see go-ethereum, internal/ethapi/errors.go */
export const REVERT_CODE = 3;

/** Executes without fees and without a trace in the state. @throws EthError when it is not valid at all */
export function* call(
  context: CallContext,
  message: TransactionMessage,
  slice: Slice,
  tracer?: Tracer,
): Steps<Executed> {
  const input = { ...context, message, rules: 'call' as const };
  const outcome = yield* execute(context.evm, tracer ? { ...input, tracer } : input, slice);
  if (outcome.kind === 'executed') return outcome;
  const sender = context.state.account(message.sender) ?? { nonce: 0n, balance: 0n };
  throw refusalError(outcome.error, {
    message,
    block: context.block,
    fork: context.evm.hardfork,
    sender,
  });
}

/** The output of a call that succeeded. @throws EthError with the words of geth for one that did not */
export function outputOf(outcome: Executed): Uint8Array {
  if (outcome.status === 'success') return outcome.output;
  throw failureOf(outcome);
}

/** The error that a failed execution is told as. */
export function failureOf(outcome: Executed): EthError {
  if (outcome.status === 'revert') {
    const reason = revertReason(outcome.output);
    const message = reason === undefined ? 'execution reverted' : `execution reverted: ${reason}`;
    return new EthError(message, REVERT_CODE, bytesToHex(outcome.output));
  }
  return new EthError(haltTexts[outcome.status as keyof typeof haltTexts]);
}

/** @see go-ethereum, core/vm/errors.go */
export const haltTexts = {
  'out-of-gas': 'out of gas',
  'stack-underflow': 'stack underflow',
  'stack-overflow': 'stack limit reached 1024',
  'invalid-jump': 'invalid jump destination',
  'invalid-opcode': 'invalid opcode',
  'static-state-change': 'write protection',
  'return-data-out-of-bounds': 'return data out of bounds',
  'create-collision': 'contract address collision',
  'create-code-too-large': 'max code size exceeded',
  'create-code-starts-with-ef': 'invalid code: must not begin with 0xef',
  'initcode-too-large': 'max initcode size exceeded',
  'nonce-overflow': 'nonce uint64 overflow',
  'precompile-failure': 'precompile failed',
  'call-depth': 'max call depth exceeded',
  'insufficient-balance': 'insufficient balance for transfer',
} as const satisfies Readonly<Record<Exclude<Executed['status'], 'success' | 'revert'>, string>>;

/** Text of Error(string) or meaning of Panic(uint256). @see Solidity documentation, "Control Structures" */
export function revertReason(output: Uint8Array): string | undefined {
  const selector = bytesToHex(output.subarray(0, 4));
  if (selector === '0x08c379a0' && output.length >= 68) {
    const size = Number(new DataView(output.buffer, output.byteOffset).getBigUint64(36 + 24));
    if (size > output.length - 68) return undefined;
    return new TextDecoder().decode(output.subarray(68, 68 + size));
  }
  if (selector === '0x4e487b71' && output.length === 36) {
    const code = output[35]!;
    const digits = code.toString(16).padStart(2, '0');
    return `panic: ${panics[code] ?? 'unknown panic code'} (0x${digits})`;
  }
  return undefined;
}

const panics: Readonly<Record<number, string>> = {
  0x00: 'generic panic',
  0x01: 'assert(false)',
  0x11: 'arithmetic underflow or overflow',
  0x12: 'division or modulo by zero',
  0x21: 'enum overflow',
  0x22: 'invalid encoded storage byte array accessed',
  0x31: 'out-of-bounds array access; popping on an empty array',
  0x32: 'out-of-bounds access of an array or bytesN',
  0x41: 'out of memory',
  0x51: 'uninitialized function',
};

const TRANSFER_GAS = 21_000n;
const CALL_STIPEND = 2_300n;
/** An estimate may be this much above the least gas that works: a part in a thousand. @see go-ethereum: 1.5 % */
const ESTIMATE_ERROR_PER_MILLE = 15n;

/**
 * The gas with which a message succeeds, by bisection.
 * @see go-ethereum, eth/gasestimator/gasestimator.go
 */
export function* estimateGas(
  context: CallContext,
  message: TransactionMessage,
  slice: Slice,
): Steps<bigint> {
  const run = (gasLimit: bigint): Steps<Executed> => call(context, { ...message, gasLimit }, slice);
  let high = gasCap(context, message);
  if (isTransfer(context, message) && (yield* succeeds(run, TRANSFER_GAS))) return TRANSFER_GAS;
  const { gas, floor } = intrinsicGas(message, context.evm.hardfork);
  if (high < gas || high < floor) throw notEnough(high);
  const first = yield* run(high);
  if (first.status !== 'success') {
    if (first.status !== 'out-of-gas') throw failureOf(first);
    throw notEnough(high);
  }
  // Less than this can't be enough; a call inside may need to have 64/63 of what it uses.
  let low = first.gasUsed - 1n;
  const likely = ((first.gasUsed + first.gasRefunded + CALL_STIPEND) * 64n) / 63n;
  if (likely < high) {
    if (yield* succeeds(run, likely)) high = likely;
    else low = likely;
  }
  while (low + 1n < high && (high - low) * 1000n > high * ESTIMATE_ERROR_PER_MILLE) {
    // Most need little more than they use.
    let middle = (high + low) / 2n;
    if (middle > low * 2n) middle = low * 2n;
    if (yield* succeeds(run, middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Nothing but value, to an account without code: most transactions, and their gas is known. */
function isTransfer({ state }: CallContext, { to, data }: TransactionMessage): boolean {
  if (!to || data.length > 0) return false;
  const account = state.account(to);
  return !account || state.code(account.codeHash).length === 0;
}

function notEnough(gas: bigint): EthError {
  return new EthError(`gas required exceeds allowance (${gas})`);
}

function* succeeds(run: (gas: bigint) => Steps<Executed>, gas: bigint): Steps<boolean> {
  try {
    return (yield* run(gas)).status === 'success';
  } catch (error) {
    // Below the intrinsic gas.
    if (error instanceof EthError) return false;
    throw error;
  }
}

/** The most gas a message could be given: by the block, the fork, and what its sender can pay. */
function gasCap(context: CallContext, message: TransactionMessage): bigint {
  let cap = message.gasLimit < context.block.gasLimit ? message.gasLimit : context.block.gasLimit;
  const forkMax = transactionGasMax(context.evm.hardfork);
  if (forkMax !== undefined && forkMax < cap) cap = forkMax;
  if (message.maxFeePerGas === 0n) return cap;
  const balance = context.state.account(message.sender)?.balance ?? 0n;
  if (message.value > balance) throw new EthError('insufficient funds for transfer');
  const payable = (balance - message.value) / message.maxFeePerGas;
  return payable < cap ? payable : cap;
}
