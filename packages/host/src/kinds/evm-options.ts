import { isHex } from '@polyvisor/bytes/hex';
import { HostError } from '@polyvisor/errors/host-error';
import { hardforks } from '@polyvisor/evm/hardfork';
import { inRange, wholeInRange } from '../guest-spec.ts';
import { evmRanges } from './evm-limits.ts';
import type { EvmAllocation, EvmOptions, ResolvedEvmOptions } from './evm-types.ts';

/** What a chain is made with when its options don't say: what hardhat and anvil do, so that tutorials work. */
export const evmDefaults: Omit<ResolvedEvmOptions, 'timestamp'> = {
  chainId: 31_337,
  hardfork: 'osaka',
  accounts: 10,
  balance: 10_000,
  mnemonic: 'test test test test test test test test test test test junk',
  derivationPath: "m/44'/60'/0'/0/",
  blockTime: 0,
  automine: true,
  gasLimit: 30_000_000,
  baseFee: 1_000_000_000,
  coinbase: `0x${'0'.repeat(40)}`,
  historyBlocks: 256,
  alloc: {},
  port: undefined,
  host: '127.0.0.1',
  allowOrigins: [],
};

/**
 * Options with every default filled in and every range checked.
 * @param where how the user knows the guest (`guests.l1`)
 * @throws HostError `bad-option` naming what and where
 */
export function resolveEvmOptions(
  options: EvmOptions,
  where: string,
  unixMs: number,
): ResolvedEvmOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const resolved: ResolvedEvmOptions = {
    ...evmDefaults,
    timestamp: Math.floor(unixMs / 1000),
    ...(Object.fromEntries(given) as Partial<ResolvedEvmOptions>),
  };
  for (const [name] of given) {
    if (!Object.hasOwn(resolved, name) || !isOption(name)) {
      throw bad(`${where}.${name}`, 'there is no such option', `options are ${optionNames()}`);
    }
  }
  checkNumbers(resolved, where);
  if (!hardforks.includes(resolved.hardfork)) {
    throw bad(`${where}.hardfork`, `there is no '${resolved.hardfork}'`, hardforks.join(', '));
  }
  checkText(resolved.mnemonic, /^.{1,1000}$/, `${where}.mnemonic`, 'give 1 to 1000 characters');
  checkText(
    resolved.derivationPath,
    DERIVATION_PATH,
    `${where}.derivationPath`,
    `write it as ${evmDefaults.derivationPath}`,
  );
  checkAddress(resolved.coinbase, `${where}.coinbase`);
  for (const [address, account] of Object.entries(resolved.alloc)) {
    checkAddress(address, `${where}.alloc`);
    checkAllocation(account, `${where}.alloc.${address}`);
  }
  return resolved;
}

const DERIVATION_PATH = /^m(\/\d{1,10}'?)*\/?$/;
const QUANTITY = /^(0x[0-9a-fA-F]{1,64}|\d{1,78})$/;

function isOption(name: string): boolean {
  return name === 'timestamp' || Object.hasOwn(evmDefaults, name);
}

function optionNames(): string {
  return [...Object.keys(evmDefaults), 'timestamp'].join(', ');
}

function checkNumbers(resolved: ResolvedEvmOptions, where: string): void {
  for (const [name, range] of Object.entries(evmRanges)) {
    const value = resolved[name as keyof typeof evmRanges];
    if (value === undefined) continue;
    const check = FRACTIONS.has(name) ? inRange : wholeInRange;
    check(value, range, `${where}.${name}`);
  }
}

/** Options that need not be whole numbers. */
const FRACTIONS: ReadonlySet<string> = new Set(['balance', 'blockTime']);

function checkAllocation(account: EvmAllocation, where: string): void {
  const { balance = 0, nonce = 0, code = '0x', storage = {} } = account;
  if (typeof balance === 'number') wholeInRange(balance, WHOLE, `${where}.balance`);
  else checkText(balance, QUANTITY, `${where}.balance`, 'give wei, decimal or 0x…');
  wholeInRange(nonce, WHOLE, `${where}.nonce`);
  if (!isHex(code)) throw bad(`${where}.code`, 'it is not hexadecimal', 'write 0x…');
  for (const word of Object.entries(storage).flat()) {
    if (!isHex(word) || word.length > 2 + 64) {
      throw bad(`${where}.storage`, `'${word}' is not a word`, 'write 0x… of 32 bytes at most');
    }
  }
}

const WHOLE = { min: 0, max: Number.MAX_SAFE_INTEGER };

function checkAddress(address: string, where: string): void {
  if (!isHex(address, 20))
    throw bad(where, `'${address}' is not an address`, 'write 0x… of 20 bytes');
}

function checkText(text: unknown, pattern: RegExp, where: string, hint: string): void {
  if (typeof text !== 'string' || !pattern.test(text)) throw bad(where, 'it can’t be read', hint);
}

function bad(where: string, what: string, hint: string): HostError {
  return new HostError('bad-option', `${where}: ${what}`, hint);
}
