import { bytesToLatin1 } from '@polyvisor/bytes/latin1';
import { PersistentMap } from '@polyvisor/store/map';
import type { AssembledBlock } from './assembly.ts';
import type { Block } from './block.ts';
import { EthError } from './errors.ts';
import type { Pool } from './pool.ts';
import type { Receipt } from './receipt.ts';
import { type Settings, nextBlockSettings } from './settings.ts';
import { decodeStoredBlock, encodeStoredBlock } from './stored-block.ts';
import type { Transaction } from './transaction.ts';
import type { World } from './world.ts';

/**
 * All that a chain is, as one immutable value. A snapshot is a reference to it, and so is a fork's beginning.
 */
export interface EthState {
  readonly head: Block;
  readonly world: World;
  /** Blocks by number; those that are long past as bytes. */
  readonly blocks: PersistentMap<Block | Uint8Array>;
  /** Numbers by hash (latin1). */
  readonly numbers: PersistentMap<number>;
  /** The worlds behind the latest blocks before the head, by number: each is what the next block was built on. */
  readonly worlds: PersistentMap<World>;
  /** Where a transaction is, by its hash (latin1). */
  readonly transactions: PersistentMap<TransactionPlace>;
  readonly pool: Pool;
  readonly settings: Settings;
  /** Bytes of all blocks as they are stored. */
  readonly blockBytes: number;
}

export interface TransactionPlace {
  readonly block: number;
  readonly index: number;
}

/** A transaction with what its block made of it. */
export interface MinedTransaction {
  readonly tx: Transaction;
  readonly receipt: Receipt;
  readonly block: Block;
  readonly index: number;
}

export type BlockTag = 'latest' | 'earliest' | 'pending' | 'safe' | 'finalized';
export type BlockId = BlockTag | bigint | Uint8Array;

/** How far behind the head blocks count as safe and as finalized: one and two epochs of 32 slots. */
const SAFE_DISTANCE = 32n;
const FINALIZED_DISTANCE = 64n;

/** Blocks that stay decoded: clients look at the latest. */
const DECODED_BLOCKS = 128;

/** The number a block id stands for; `pending` stands for the head. Undefined where there is no such block. */
export function blockNumber(state: EthState, id: BlockId): bigint | undefined {
  const head = state.head.header.number;
  if (typeof id === 'bigint') return id >= 0n && id <= head && block(state, id) ? id : undefined;
  if (id instanceof Uint8Array) {
    const number = state.numbers.get(bytesToLatin1(id));
    return number === undefined ? undefined : BigInt(number);
  }
  switch (id) {
    case 'latest':
    case 'pending':
      return head;
    case 'earliest':
      return 0n;
    case 'safe':
      return head > SAFE_DISTANCE ? head - SAFE_DISTANCE : 0n;
    case 'finalized':
      return head > FINALIZED_DISTANCE ? head - FINALIZED_DISTANCE : 0n;
  }
}

export function blockOf(state: EthState, id: BlockId): Block | undefined {
  const number = blockNumber(state, id);
  return number === undefined ? undefined : block(state, number);
}

/** The block and the world behind it. @throws EthError for a block that is unknown or whose world is no longer kept */
export function worldAt(state: EthState, id: BlockId): { block: Block; world: World } {
  const found = blockOf(state, id);
  if (!found) throw new EthError('header not found');
  if (found.hash === state.head.hash) return { block: found, world: state.world };
  const world = state.worlds.get(String(found.header.number));
  if (!world) {
    throw new EthError(
      `state of block ${found.header.number} is no longer kept (historyBlocks says how many are)`,
    );
  }
  return { block: found, world };
}

export function transactionOf(state: EthState, hash: Uint8Array): MinedTransaction | undefined {
  const place = state.transactions.get(bytesToLatin1(hash));
  if (!place) return undefined;
  const found = block(state, BigInt(place.block))!;
  const { index } = place;
  return { tx: found.transactions[index]!, receipt: found.receipts[index]!, block: found, index };
}

/** Hashes of earlier blocks as code sees them. */
export function blockHashes(state: EthState): (number: bigint) => Uint8Array {
  return (number) => block(state, number)?.hash ?? new Uint8Array(32);
}

/** The state behind one block more. */
export function append(
  state: EthState,
  { block: added, world }: AssembledBlock,
  historyBlocks: number,
): EthState {
  const number = Number(added.header.number);
  let transactions = state.transactions;
  added.transactions.forEach((tx, index) => {
    transactions = transactions.set(bytesToLatin1(tx.hash), { block: number, index });
  });
  let blocks = state.blocks.set(String(number), added);
  const past = number - DECODED_BLOCKS;
  const old = blocks.get(String(past));
  if (old && !(old instanceof Uint8Array))
    blocks = blocks.set(String(past), encodeStoredBlock(old));
  return {
    ...state,
    head: added,
    world,
    blocks,
    numbers: state.numbers.set(bytesToLatin1(added.hash), number),
    worlds: state.worlds
      .set(String(number - 1), state.world)
      .delete(String(number - historyBlocks)),
    transactions,
    pool: state.pool.without(added.transactions.map((tx) => tx.hash)),
    settings: { ...state.settings, ...nextBlockSettings },
    blockBytes: state.blockBytes + encodeStoredBlock(added).length,
  };
}

/** The chain up to a block, as if the later ones had never been. Its world must still be kept. */
export function rewind(state: EthState, id: BlockId): EthState {
  const { block: head, world } = worldAt(state, id);
  let { blocks, numbers, worlds, transactions, blockBytes } = state;
  for (let number = state.head.header.number; number > head.header.number; number--) {
    const gone = block(state, number)!;
    blocks = blocks.delete(String(number));
    worlds = worlds.delete(String(number - 1n));
    numbers = numbers.delete(bytesToLatin1(gone.hash));
    for (const tx of gone.transactions) transactions = transactions.delete(bytesToLatin1(tx.hash));
    blockBytes -= encodeStoredBlock(gone).length;
  }
  return { ...state, head, world, blocks, numbers, worlds, transactions, blockBytes };
}

function block(state: EthState, number: bigint): Block | undefined {
  const entry = state.blocks.get(String(number));
  return entry instanceof Uint8Array ? decodeStoredBlock(entry) : entry;
}
