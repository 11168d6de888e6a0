import { padLeft } from '@polyvisor/bytes/bytes';
import { hexToBytes } from '@polyvisor/bytes/hex';
import type { KeyedAccount } from '@polyvisor/crypto/mnemonic';
import { genesisState } from '@polyvisor/eth/genesis';
import type { GenesisAccount } from '@polyvisor/eth/genesis';
import type { Mining } from '@polyvisor/eth/settings';
import type { EthState } from '@polyvisor/eth/state';
import type { EvmAllocation, ResolvedEvmOptions } from './evm-types.ts';

/** The first state of a chain: development accounts with their ether, and what `alloc` adds or puts in their place. */
export function evmGenesis(
  options: ResolvedEvmOptions,
  accounts: readonly KeyedAccount[],
): EthState {
  const balance = etherToWei(options.balance);
  return genesisState({
    chainId: BigInt(options.chainId),
    hardfork: options.hardfork,
    accounts: [
      ...accounts.map(({ address }) => ({ address, balance })),
      ...Object.entries(options.alloc).map(([address, account]) => allocated(address, account)),
    ],
    gasLimit: BigInt(options.gasLimit),
    baseFee: BigInt(options.baseFee),
    timestamp: options.timestamp,
    coinbase: hexToBytes(options.coinbase),
    mining: miningOf(options),
  });
}

/** @param ether ≥ 0; digits below a wei are cut off */
export function etherToWei(ether: number): bigint {
  const whole = Math.floor(ether);
  return BigInt(whole) * WEI + BigInt(Math.floor((ether - whole) * Number(WEI)));
}

const WEI = 10n ** 18n;

function miningOf({ blockTime, automine }: ResolvedEvmOptions): Mining {
  if (blockTime > 0) return { mode: 'interval', seconds: blockTime };
  return { mode: automine ? 'instant' : 'manual' };
}

function allocated(address: string, account: EvmAllocation): GenesisAccount {
  const { balance = 0, nonce = 0, code = '0x', storage = {} } = account;
  return {
    address: hexToBytes(address),
    balance: BigInt(balance),
    nonce: BigInt(nonce),
    code: hexToBytes(code),
    storage: Object.entries(storage).map(
      ([key, value]) => [padLeft(hexToBytes(key), 32), BigInt(value === '0x' ? 0 : value)] as const,
    ),
  };
}
