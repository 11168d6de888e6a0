import type { Hardfork } from '@polyvisor/evm/hardfork';

/** What an EVM chain is asked for with. Plain JSON; every default is that of the tools people know. */
export interface EvmOptions {
  /** 1 to 2^53 - 1. Default 31337. */
  readonly chainId?: number;
  /** Rules from the first block on. Default `osaka`. */
  readonly hardfork?: Hardfork;
  /** Development accounts with known keys, 0 to 1000. Default 10. */
  readonly accounts?: number;
  /** Ether of each development account, 0 to 10^15. Default 10000. */
  readonly balance?: number;
  /** Words that the development accounts derive from. Default `test test … junk`. */
  readonly mnemonic?: string;
  /** Path that they derive along, up to the account's index. Default `m/44'/60'/0'/0/`. */
  readonly derivationPath?: string;
  /** Seconds between blocks; 0: a block for each transaction. Default 0. */
  readonly blockTime?: number;
  /** False: blocks are made only when asked for (`evm_mine`). Default true. */
  readonly automine?: boolean;
  /** Gas that a block may spend, 5000 to 2^53 - 1. Default 30 million. */
  readonly gasLimit?: number;
  /** Wei; base fee of the first block. Default 10^9. */
  readonly baseFee?: number;
  /** Unix seconds of the first block. Default: now. */
  readonly timestamp?: number;
  /** Address that fees go to. Default zero. */
  readonly coinbase?: string;
  /** Blocks whose state can be read, 1 to 10^9. Default 256. */
  readonly historyBlocks?: number;
  /** Accounts of the first block beside the development accounts, by address. */
  readonly alloc?: Readonly<Record<string, EvmAllocation>>;
  /** Port of its JSON-RPC; 0: any free one. Default: none, it answers in process only. */
  readonly port?: number;
  /** Address that the port is bound to. Default 127.0.0.1. */
  readonly host?: string;
  /** Web origins that may call it beside this computer's own; `*`: all. Default none. */
  readonly allowOrigins?: readonly string[];
}

/** An account of the first block. Numbers are decimal or 0x… text, or whole numbers below 2^53. */
export interface EvmAllocation {
  /** Wei. */
  readonly balance?: string | number;
  readonly nonce?: number;
  /** Hex. */
  readonly code?: string;
  /** Hex words by hex words. */
  readonly storage?: Readonly<Record<string, string>>;
}

/** Options with every default filled in: what a guest's database keeps. */
export type ResolvedEvmOptions = Required<Omit<EvmOptions, 'port'>> & {
  readonly port: number | undefined;
};

/** What an EVM guest has for programs in the same process. */
export interface EvmFaces {
  /** EIP-1193: what viem's `custom`, ethers' `BrowserProvider` and wallets take. No port, no sockets. */
  readonly provider: Eip1193Provider;
  readonly client: EvmClient;
  /** Development accounts and their keys; anybody knows them. */
  readonly accounts: readonly DevelopmentAccount[];
}

/** @see https://eips.ethereum.org/EIPS/eip-1193 */
export interface Eip1193Provider {
  request(call: { readonly method: string; readonly params?: unknown }): Promise<unknown>;
  on(event: string, listener: (payload: unknown) => void): void;
  removeListener(event: string, listener: (payload: unknown) => void): void;
}

export interface DevelopmentAccount {
  /** Lower-case hex, 20 bytes. */
  readonly address: string;
  readonly privateKey: string;
}

/** What tests do to a chain all the time. Everything else is a request away. */
export interface EvmClient {
  /** Mines `count` blocks. @returns number of the head */
  mine(count?: number): Promise<bigint>;
  /** Moves the clock ahead and mines a block at the new time. @returns its timestamp, Unix seconds */
  warp(seconds: number): Promise<bigint>;
  /** @returns an id for `revert` */
  snapshot(): Promise<string>;
  /** @returns false when there is no such snapshot any more */
  revert(id: string): Promise<boolean>;
  setBalance(address: string, wei: bigint): Promise<void>;
}
