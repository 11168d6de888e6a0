import { hardforks } from '@polyvisor/evm/hardfork';
import { evmRanges } from '@polyvisor/host/kinds/evm-limits';
import type { EvmOptions } from '@polyvisor/host/kinds/evm-types';
import { attributeOf, oneOf, text, texts, wholeNumber, number } from './flags.ts';
import type { Flag } from './flags.ts';

/**
 * Flags of an EVM guest, by anvil's names.
 * @see https://getfoundry.sh/anvil/reference/anvil
 */
export const evmFlags: readonly EvmFlag[] = [
  {
    flags: '-p, --port <number>',
    option: 'port',
    parse: wholeNumber(evmRanges.port),
    help: 'port of its JSON-RPC over HTTP and WebSocket; 0: any free one (default: 8545)',
  },
  {
    flags: '--host <address>',
    option: 'host',
    parse: text,
    help: 'address it listens at (default: 127.0.0.1)',
  },
  {
    flags: '--chain-id <id>',
    option: 'chainId',
    parse: wholeNumber(evmRanges.chainId),
    help: 'chain id (default: 31337)',
  },
  {
    flags: '-a, --accounts <count>',
    option: 'accounts',
    parse: wholeNumber(evmRanges.accounts),
    help: 'development accounts with known keys (default: 10)',
  },
  {
    flags: '--balance <ether>',
    option: 'balance',
    parse: number(evmRanges.balance),
    help: 'ether of each development account (default: 10000)',
  },
  {
    flags: '-m, --mnemonic <words>',
    option: 'mnemonic',
    parse: text,
    help: 'words the accounts derive from (default: test test … junk)',
  },
  {
    flags: '--derivation-path <path>',
    option: 'derivationPath',
    parse: text,
    help: "path they derive along (default: m/44'/60'/0'/0/)",
  },
  {
    flags: '-b, --block-time <seconds>',
    option: 'blockTime',
    parse: number(evmRanges.blockTime),
    help: 'seconds between blocks (default: a block for each transaction)',
  },
  {
    flags: '--no-mining',
    option: 'automine',
    help: 'no blocks unless asked for (evm_mine)',
  },
  {
    flags: '--gas-limit <gas>',
    option: 'gasLimit',
    parse: wholeNumber(evmRanges.gasLimit),
    help: 'gas that a block may spend (default: 30000000)',
  },
  {
    flags: '--base-fee <wei>',
    aliases: ['--block-base-fee-per-gas <wei>'],
    option: 'baseFee',
    parse: wholeNumber(evmRanges.baseFee),
    help: 'base fee of the first block (default: 1000000000)',
  },
  {
    flags: '--hardfork <name>',
    option: 'hardfork',
    parse: oneOf(hardforks),
    help: 'rules of the chain (default: the newest)',
  },
  {
    flags: '--timestamp <seconds>',
    option: 'timestamp',
    parse: wholeNumber(evmRanges.timestamp),
    help: 'Unix time of the first block (default: now)',
  },
  {
    flags: '--allow-origin <origins>',
    option: 'allowOrigins',
    parse: texts,
    help: 'web origins that may call it, by commas; *: all (default: this computer’s own)',
  },
];

export interface EvmFlag extends Flag {
  readonly option: keyof EvmOptions;
}

/** What a command line says of a guest's options. @param parsed by the flags' attribute names */
export function evmOptionsOf(parsed: Readonly<Record<string, unknown>>): EvmOptions {
  const options: Record<string, unknown> = {};
  for (const { flags, aliases = [], option } of evmFlags) {
    for (const name of [flags, ...aliases]) {
      const value = parsed[attributeOf(name)];
      // `--no-mining` is true unless given: then the default holds.
      if (value !== undefined && value !== true) options[option] = value;
    }
  }
  // Each flag's parser gives what its option's type says.
  return options as EvmOptions;
}
