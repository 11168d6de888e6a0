import { bytesToBigInt, bytesToUtf8, equalBytes, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { bytesToHex } from '@polyvisor/bytes/hex';
import { bytesToLatin1, latin1ToBytes } from '@polyvisor/bytes/latin1';
import { decodeRlp, encodeRlp, rlpInteger } from '@polyvisor/codec/rlp';
import { KECCAK_EMPTY, keccak256 } from '@polyvisor/crypto/keccak';
import { HostError } from '@polyvisor/errors/host-error';
import { type Hardfork, isAtLeast } from '@polyvisor/evm/hardfork';
import { PersistentMap } from '@polyvisor/store/map';
import type { Change, Rows } from '@polyvisor/store/rows';
import type { Block } from './block.ts';
import { optionalFields } from './header.ts';
import { Pool, type PooledTransaction } from './pool.ts';
import { decodeSettings, encodeSettings } from './settings-json.ts';
import type { EthState, TransactionPlace } from './state.ts';
import { decodeStoredBlock, encodeStoredBlock, storedBlockIndex } from './stored-block.ts';
import { decodeTransactionOf } from './transaction.ts';
import { EMPTY_ACCOUNT, World, type WorldAccount, withSlots } from './world.ts';

/**
 * The durable form of a chain:
 *
 *     table         key                      value
 *     accounts      address                  RLP [nonce, balance, code hash]
 *     slots         address ‖ key            value without leading zeros
 *     codes         hash                     code
 *     blocks        number, decimal          `encodeStoredBlock`
 *     pool          transaction hash         RLP [arrival, sender, transaction]
 *     impersonated  address                  nothing
 *     chain         `head` | `settings`      number, decimal | JSON
 *
 * Keys of bytes are latin1. Indexes (numbers by hash, transactions by hash) follow from the blocks. Of the worlds
 * only the head's is kept: after a restart the states behind earlier blocks are no longer there.
 */
type Table = 'accounts' | 'slots' | 'codes' | 'blocks' | 'pool' | 'impersonated' | 'chain';

/** Rows that turn the durable form of one state into that of another; of nothing when `before` is undefined. */
export function* changesBetween(
  before: EthState | undefined,
  after: EthState,
): IterableIterator<Change> {
  yield* accountChanges(before?.world, after.world);
  yield* mapChanges('codes', before?.world.codes, after.world.codes, (code) => code);
  yield* blockChanges(before?.blocks, after.blocks);
  yield* mapChanges('pool', before?.pool.entries, after.pool.entries, encodePooled);
  const impersonated = before?.settings.impersonated;
  yield* mapChanges('impersonated', impersonated, after.settings.impersonated, () => NOTHING);
  yield* valueChange('head', before && encodeHead(before), encodeHead(after));
  yield* valueChange(
    'settings',
    before && encodeSettings(before.settings),
    encodeSettings(after.settings),
  );
}

export interface LoadOptions {
  /** The fork that the chain is to go on with: its blocks must have that fork's fields. */
  readonly hardfork: Hardfork;
}

/**
 * The state that rows describe.
 * @throws HostError `corrupt-state` when they contradict each other, the head's state root or the headers' hashes;
 *   `hardfork-mismatch` when the chain was made by another fork
 */
export function stateFromRows(rows: Rows, options: LoadOptions): EthState {
  try {
    return read(rows, options.hardfork);
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw corrupt(error instanceof Error ? error.message : String(error), error);
  }
}

function read(rows: Rows, fork: Hardfork): EthState {
  const chain = tableOf(rows, 'chain');
  const head = readChain(tableOf(rows, 'blocks'), decodeHead(chain.get('head')));
  const { header } = head.block;
  const isOfFork = optionalFields.every(
    ([name, since]) => (header[name] !== undefined) === isAtLeast(fork, since),
  );
  if (!isOfFork) {
    throw new HostError(
      'hardfork-mismatch',
      `the chain was made by another hardfork than ${fork}`,
      'start it with the hardfork that it was created with',
    );
  }
  const world = readWorld(rows);
  if (!equalBytes(world.root(), header.stateRoot)) {
    throw corrupt(`the accounts' root is not that of block ${header.number}`);
  }
  let impersonated = PersistentMap.empty<true>();
  for (const address of tableOf(rows, 'impersonated').keys()) {
    impersonated = impersonated.set(address, true);
  }
  const settings = chain.get('settings');
  if (!settings) throw corrupt('there are no settings');
  return {
    head: head.block,
    world,
    blocks: head.blocks,
    numbers: head.numbers,
    worlds: PersistentMap.empty<World>().set(String(header.number), world),
    transactions: head.transactions,
    pool: readPool(tableOf(rows, 'pool')),
    settings: decodeSettings(settings, impersonated),
    blockBytes: head.blockBytes,
  };
}

// --- blocks

interface Chain extends Pick<EthState, 'blocks' | 'numbers' | 'transactions' | 'blockBytes'> {
  readonly block: Block;
}

/** Blocks 0 to `head`, each of which must name the one before it. */
function readChain(rows: ReadonlyMap<string, Uint8Array>, head: number): Chain {
  let blocks = PersistentMap.empty<Block | Uint8Array>();
  let numbers = PersistentMap.empty<number>();
  let transactions = PersistentMap.empty<TransactionPlace>();
  let blockBytes = 0;
  let parentHash: Uint8Array | undefined;
  for (let number = 0; number <= head; number++) {
    const key = String(number);
    const bytes = rows.get(key);
    if (!bytes) throw corrupt(`block ${number} of ${head} is missing`);
    const index = storedBlockIndex(bytes);
    if (parentHash && !equalBytes(index.parentHash, parentHash)) {
      throw corrupt(`block ${number} does not follow block ${number - 1}`);
    }
    parentHash = index.hash;
    blocks = blocks.set(key, bytes);
    numbers = numbers.set(bytesToLatin1(index.hash), number);
    index.transactionHashes.forEach((hash, i) => {
      transactions = transactions.set(bytesToLatin1(hash), { block: number, index: i });
    });
    blockBytes += bytes.length;
  }
  if (rows.size !== head + 1) throw corrupt(`there are blocks behind the head, ${head}`);
  const block = decodeStoredBlock(rows.get(String(head))!);
  if (block.header.number !== BigInt(head)) throw corrupt(`block ${head} has another number`);
  return { block, blocks: blocks.set(String(head), block), numbers, transactions, blockBytes };
}

function* blockChanges(
  before: EthState['blocks'] = PersistentMap.empty(),
  after: EthState['blocks'],
): IterableIterator<Change> {
  for (const { key, before: old, after: now } of PersistentMap.diff(before, after)) {
    const value = now && storedBlock(now);
    // Blocks that are no longer the latest change their form in memory only.
    if (old && value && equalBytes(storedBlock(old), value)) continue;
    yield { table: 'blocks', key, value };
  }
}

function storedBlock(block: Block | Uint8Array): Uint8Array {
  return block instanceof Uint8Array ? block : encodeStoredBlock(block);
}

// --- accounts

function readWorld(rows: Rows): World {
  const codes = new Map<string, Uint8Array>();
  for (const [hash, code] of tableOf(rows, 'codes')) {
    if (bytesToLatin1(keccak256(code)) !== hash) throw corrupt('a code is not that of its hash');
    codes.set(hash, code);
  }
  const slots = new Map<string, [key: string, value: string][]>();
  for (const [key, value] of tableOf(rows, 'slots')) {
    const owner = key.slice(0, ADDRESS_SIZE);
    let entries = slots.get(owner);
    if (!entries) slots.set(owner, (entries = []));
    entries.push([key.slice(ADDRESS_SIZE), bytesToLatin1(value)]);
  }
  const accounts = new Map<string, WorldAccount>();
  for (const [address, row] of tableOf(rows, 'accounts')) {
    const [nonce, balance, codeHash] = decodeRlp(row) as [Uint8Array, Uint8Array, Uint8Array];
    if (!equalBytes(codeHash, KECCAK_EMPTY) && !codes.has(bytesToLatin1(codeHash))) {
      throw corrupt(`the code of ${bytesToHex(latin1ToBytes(address))} is missing`);
    }
    const account = {
      ...EMPTY_ACCOUNT,
      nonce: bytesToBigInt(nonce),
      balance: bytesToBigInt(balance),
      codeHash,
    };
    accounts.set(address, withSlots(account, slots.get(address) ?? []));
    slots.delete(address);
  }
  if (slots.size > 0) throw corrupt('there is storage without an account');
  return World.empty.with(accounts, codes);
}

function* accountChanges(before: World = World.empty, after: World): IterableIterator<Change> {
  for (const { key, before: old, after: now } of PersistentMap.diff(
    before.accounts,
    after.accounts,
  )) {
    const value = now && encodeAccount(now);
    if (!old || !value || !equalBytes(encodeAccount(old), value)) {
      yield { table: 'accounts', key, value };
    }
    const slots = now?.slots ?? EMPTY_ACCOUNT.slots;
    for (const change of mapChanges('slots', old?.slots, slots, latin1ToBytes)) {
      yield { ...change, key: key + change.key };
    }
  }
}

function encodeAccount({ nonce, balance, codeHash }: WorldAccount): Uint8Array {
  return encodeRlp([rlpInteger(nonce), rlpInteger(balance), codeHash]);
}

// --- the pool

function encodePooled({ arrival, tx }: PooledTransaction): Uint8Array {
  return encodeRlp([rlpInteger(arrival), tx.sender, tx.raw]);
}

function readPool(rows: ReadonlyMap<string, Uint8Array>): Pool {
  const entries = Array.from(rows, ([hash, row]): PooledTransaction => {
    const [arrival, sender, raw] = decodeRlp(row) as [Uint8Array, Uint8Array, Uint8Array];
    const tx = decodeTransactionOf(raw, sender);
    if (bytesToLatin1(tx.hash) !== hash) throw corrupt('a waiting transaction has another hash');
    return { arrival: Number(bytesToBigInt(arrival)), tx };
  });
  return Pool.of(entries);
}

// --- rows

const NOTHING = new Uint8Array(0);
const ADDRESS_SIZE = 20;

function* mapChanges<V>(
  table: Table,
  before: PersistentMap<V> = PersistentMap.empty(),
  after: PersistentMap<V>,
  encode: (value: V) => Uint8Array,
): IterableIterator<Change> {
  for (const { key, after: now } of PersistentMap.diff(before, after)) {
    yield { table, key, value: now === undefined ? undefined : encode(now) };
  }
}

function* valueChange(
  key: 'head' | 'settings',
  before: Uint8Array | undefined,
  value: Uint8Array,
): IterableIterator<Change> {
  if (!before || !equalBytes(before, value)) yield { table: 'chain', key, value };
}

function tableOf(rows: Rows, table: Table): ReadonlyMap<string, Uint8Array> {
  return rows.get(table) ?? NO_ROWS;
}

const NO_ROWS: ReadonlyMap<string, Uint8Array> = new Map();

function encodeHead({ head }: EthState): Uint8Array {
  return utf8ToBytes(String(head.header.number));
}

function decodeHead(value: Uint8Array | undefined): number {
  const text = value && bytesToUtf8(value);
  if (!text || !/^\d{1,15}$/.test(text)) throw corrupt('there is no head');
  return Number(text);
}

function corrupt(what: string, cause?: unknown): HostError {
  const message = `the stored chain is damaged: ${what}`;
  return new HostError('corrupt-state', message, 'restore it from a backup', { cause });
}
