import { type Hardfork, hardforks } from './hardfork.ts';

/**
 * A price or rule that changes with the forks: its value from each fork on.
 * @see execution-specs, src/ethereum/forks/<fork>/vm/gas.py
 */
export type Schedule<T = number> = T | Partial<Record<Hardfork, T>>;

/** The value of a schedule at a fork; undefined before its first entry. */
export function valueAt<T extends number | boolean>(
  schedule: Schedule<T>,
  fork: Hardfork,
): T | undefined {
  if (typeof schedule !== 'object') return schedule;
  let value: T | undefined;
  for (const name of hardforks) {
    const entry = schedule[name];
    if (entry !== undefined) value = entry;
    if (name === fork) return value;
  }
  return value;
}

/** Prices of what is not a fixed price of an opcode. */
// oxfmt-ignore
export const gas = {
  memoryWord:          3,
  memoryQuadDivisor:   512,
  copyWord:            3,
  keccakWord:          6,
  expByte:             { frontier: 10, spuriousDragon: 50 },
  logTopic:            375,
  logByte:             8,
  callValue:           9000,
  callStipend:         2300,
  newAccount:          25000,
  codeDepositByte:     200,
  initcodeWord:        { frontier: 0, shanghai: 2 },
  /** EIP-2929: what the first access to an account or slot costs above the warm price. */
  coldAccount:         { frontier: 0, berlin: 2500 },
  coldSlot:            { frontier: 0, berlin: 2000 },
  warmAccess:          100,
  coldAccountAccess:   2600,
  sstoreSet:           20000,
  sstoreReset:         { frontier: 5000, berlin: 2900 },
  /** EIP-1283 and EIP-2200: price of a write that changes nothing new; absent where metering is not net. */
  sstoreNoop:          { constantinople: 200, istanbul: 800, berlin: 100 },
  sstoreClearRefund:   { frontier: 15000, london: 4800 },
  selfdestructRefund:  { frontier: 24000, london: 0 },
  /** Refunds are capped to this part of the gas used. */
  refundQuotient:      { frontier: 2, london: 5 },
  transaction:         21000,
  transactionCreate:   { frontier: 0, homestead: 32000 },
  dataZeroByte:        4,
  dataByte:            { frontier: 68, istanbul: 16 },
  accessListAddress:   2400,
  accessListKey:       1900,
  /** EIP-7702. */
  authorization:       25000,
  authorizationRefund: 12500,
  /** EIP-7623: the least a byte of data costs, per token. */
  floorToken:          { frontier: 0, prague: 10 },
} as const satisfies Record<string, Schedule>;

/** Limits that the forks set. @see EIP-170, EIP-3860, EIP-7825 */
// oxfmt-ignore
export const limits = {
  codeSize:     { spuriousDragon: 24576 },
  initcodeSize: { shanghai: 49152 },
  transactionGas: { osaka: 16777216 },
} as const satisfies Record<string, Schedule>;

type Prices = Readonly<Record<keyof typeof gas, number>>;

/** All prices of a fork, looked up once: every transaction asks for some. */
const pricesByFork = new Map<Hardfork, Prices>();

/** The price at a fork. */
export function gasAt(name: keyof typeof gas, fork: Hardfork): number {
  let prices = pricesByFork.get(fork);
  if (!prices) {
    const entries = Object.entries(gas).map(([key, price]) => [
      key,
      valueAt<number>(price, fork) ?? 0,
    ]);
    pricesByFork.set(fork, (prices = Object.fromEntries(entries) as Prices));
  }
  return prices[name];
}

/** Gas that system calls get. @see EIP-4788 */
export const SYSTEM_CALL_GAS = 30_000_000n;
