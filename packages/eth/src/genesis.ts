import { bytesToLatin1 } from '@polyvisor/bytes/latin1';
import { type Hardfork, isAtLeast } from '@polyvisor/evm/hardfork';
import { PersistentMap } from '@polyvisor/store/map';
import { EMPTY_ROOT } from '@polyvisor/store/trie';
import type { Block } from './block.ts';
import { EMPTY_OMMERS_HASH, type Header, fieldsOf, headerHash } from './header.ts';
import { Overlay } from './overlay.ts';
import { Pool } from './pool.ts';
import { predeploys } from './predeploys.ts';
import { requestsHash } from './requests.ts';
import { type Mining, type Settings, nextBlockSettings } from './settings.ts';
import type { EthState } from './state.ts';
import { encodeStoredBlock } from './stored-block.ts';
import { World } from './world.ts';

export interface GenesisAccount {
  readonly address: Uint8Array;
  readonly balance: bigint;
  readonly nonce?: bigint;
  readonly code?: Uint8Array;
  readonly storage?: Iterable<readonly [key: Uint8Array, value: bigint]>;
}

/** How a chain begins. */
export interface Genesis {
  readonly chainId: bigint;
  readonly hardfork: Hardfork;
  readonly accounts: readonly GenesisAccount[];
  readonly gasLimit: bigint;
  /** Of block 0, in wei. */
  readonly baseFee: bigint;
  /** Of block 0, in seconds. */
  readonly timestamp: number;
  readonly coinbase: Uint8Array;
  readonly mining: Mining;
}

/**
 * The chain with block 0. Contracts that the fork expects are there unless an account of the genesis takes the place.
 */
export function genesisState(genesis: Genesis): EthState {
  const world = genesisWorld(genesis);
  const head = genesisBlock(genesis, world);
  return chainOf(head, world, {
    chainId: genesis.chainId,
    coinbase: genesis.coinbase,
    gasLimit: genesis.gasLimit,
    mining: genesis.mining,
    clockOffset: 0,
    timestampInterval: undefined,
    ...nextBlockSettings,
    impersonated: PersistentMap.empty(),
    impersonatesAll: false,
  });
}

/** A chain of one block, with an empty pool. */
export function chainOf(head: Block, world: World, settings: Settings): EthState {
  return {
    head,
    world,
    blocks: PersistentMap.empty<Block | Uint8Array>().set('0', head),
    numbers: PersistentMap.empty<number>().set(bytesToLatin1(head.hash), 0),
    worlds: PersistentMap.empty(),
    transactions: PersistentMap.empty(),
    pool: Pool.empty,
    settings,
    blockBytes: encodeStoredBlock(head).length,
  };
}

function genesisWorld(genesis: Genesis): World {
  const overlay = new Overlay(World.empty, () => new Uint8Array(32));
  for (const predeploy of predeploys) {
    if (!isAtLeast(genesis.hardfork, predeploy.since)) continue;
    overlay.setNonce(predeploy.address, 1n);
    overlay.setCode(predeploy.address, predeploy.code);
  }
  for (const account of genesis.accounts) {
    overlay.setBalance(account.address, account.balance);
    overlay.setNonce(account.address, account.nonce ?? 0n);
    if (account.code) overlay.setCode(account.address, account.code);
    for (const [key, value] of account.storage ?? [])
      overlay.setStorage(account.address, key, value);
  }
  return overlay.commit();
}

function genesisBlock(genesis: Genesis, world: World): Block {
  const zero = new Uint8Array(32);
  const header: Header = fieldsOf(genesis.hardfork, {
    parentHash: zero,
    ommersHash: EMPTY_OMMERS_HASH,
    coinbase: genesis.coinbase,
    stateRoot: world.root(),
    transactionsRoot: EMPTY_ROOT,
    receiptsRoot: EMPTY_ROOT,
    logsBloom: new Uint8Array(256),
    difficulty: 0n,
    number: 0n,
    gasLimit: genesis.gasLimit,
    gasUsed: 0n,
    timestamp: BigInt(genesis.timestamp),
    extraData: new Uint8Array(0),
    prevRandao: zero,
    nonce: new Uint8Array(8),
    baseFee: genesis.baseFee,
    withdrawalsRoot: EMPTY_ROOT,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: zero,
    requestsHash: requestsHash([]),
  });
  return { header, hash: headerHash(header), transactions: [], receipts: [], withdrawals: [] };
}
