import { gasAt, limits, valueAt } from './gas.ts';
import { type Hardfork, isAtLeast } from './hardfork.ts';
import type { TransactionMessage } from './world.ts';

/**
 * Gas that a transaction costs before any code runs, and the least it costs whatever runs.
 * @see Yellow Paper, section 6, g_0; EIP-2, EIP-2028, EIP-2930, EIP-3860, EIP-7623, EIP-7702
 */
export function intrinsicGas(
  message: TransactionMessage,
  fork: Hardfork,
): { readonly gas: bigint; readonly floor: bigint } {
  const price = (name: Parameters<typeof gasAt>[0]): number => gasAt(name, fork);
  let zeros = 0;
  for (const byte of message.data) if (byte === 0) zeros++;
  const others = message.data.length - zeros;

  let total = price('transaction') + zeros * price('dataZeroByte') + others * price('dataByte');
  if (!message.to) {
    total += price('transactionCreate');
    total += Math.ceil(message.data.length / 32) * price('initcodeWord');
  }
  for (const entry of message.accessList) {
    total += price('accessListAddress') + entry.storageKeys.length * price('accessListKey');
  }
  total += message.authorizationList.length * price('authorization');

  // A zero byte is one token, another four.
  const tokens = zeros + 4 * others;
  const floor = isAtLeast(fork, 'prague') ? price('transaction') + tokens * price('floorToken') : 0;
  return { gas: BigInt(total), floor: BigInt(floor) };
}

/** The most init code a creating transaction may carry, in bytes; undefined where there is no limit. */
export function initcodeSizeMax(fork: Hardfork): number | undefined {
  return valueAt<number>(limits.initcodeSize, fork);
}

/** The most gas a transaction may ask for. @see EIP-7825 */
export function transactionGasMax(fork: Hardfork): bigint | undefined {
  const limit = valueAt<number>(limits.transactionGas, fork);
  return limit === undefined ? undefined : BigInt(limit);
}
