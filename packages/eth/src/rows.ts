import { bytesToBigInt, bytesToUtf8, equalBytes, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { bytesToHex } from '@polyvisor/bytes/hex';
import { bytesToLatin1, latin1ToBytes } from '@polyvisor/bytes/latin1';
import { type RlpItem, decodeRlp, encodeRlp, rlpInteger } from '@polyvisor/codec/rlp';
import { KECCAK_EMPTY, keccak256 } from '@polyvisor/crypto/keccak';
import { AssertionError } from '@polyvisor/errors/assert';
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
 *     table         key                value
 *     accounts      address            RLP [nonce, balance, code hash]
 *     slots         address ‖ key      value without leading zeros
 *     codes         hash               code
 *     history       number, decimal    the rows of `accounts` and `slots` that lead from the world behind the next
 *                                      block back to the one behind this block
 *     blocks        number, decimal    `encodeStoredBlock`
 *     pool          transaction hash   RLP [arrival, sender, transaction]
 *     impersonated  address            nothing
 *     chain         `head`             number, decimal
 *                   `root`             root of the accounts: the head's, unless they were altered since
 *                   `settings`         JSON
 *
 * Keys of bytes are latin1. Indexes (numbers by hash, transactions by hash) follow from the blocks.
 */
type Table =
  | 'accounts'
  | 'slots'
  | 'codes'
  | 'history'
  | 'blocks'
  | 'pool'
  | 'impersonated'
  | 'chain';

/** Rows that turn the durable form of one state into that of another; of nothing when `before` is undefined. */
export function* changesBetween(
  before: EthState | undefined,
  after: EthState,
): IterableIterator<Change> {
  yield* accountChanges(before?.world, after.world);
  yield* mapChanges('codes', before?.world.codes, after.world.codes, (code) => code);
  yield* historyChanges(before, after);
  yield* blockChanges(before?.blocks, after.blocks);
  yield* mapChanges('pool', before?.pool.entries, after.pool.entries, encodePooled);
  const impersonated = before?.settings.impersonated;
  yield* mapChanges('impersonated', impersonated, after.settings.impersonated, () => NOTHING);
  yield* valueChange('head', before && encodeHead(before), encodeHead(after));
  yield* valueChange('root', before?.world.root(), after.world.root());
  yield* valueChange(
    'settings',
    before && encodeSettings(before.settings),
    encodeSettings(after.settings),
  );
}

export interface LoadOptions {
  /** The fork that the chain is to go on with: its blocks must have that fork's fields. */
  readonly hardfork: Hardfork;
  /** Blocks whose state can still be asked for. */
  readonly historyBlocks: number;
}

/**
 * The state that rows describe.
 * @throws HostError `corrupt-state` when they contradict each other, the accounts' root or the headers' hashes;
 *   `hardfork-mismatch` when the chain was made by another fork
 */
export function stateFromRows(rows: Rows, options: LoadOptions): EthState {
  try {
    return read(rows, options);
  } catch (error) {
    if (error instanceof HostError || error instanceof AssertionError) throw error;
    throw corrupt(error instanceof Error ? error.message : String(error), error);
  }
}

function read(rows: Rows, options: LoadOptions): EthState {
  const chain = tableOf(rows, 'chain');
  const number = decodeHead(chain.get('head'));
  const head = readChain(tableOf(rows, 'blocks'), number);
  const { header } = head.block;
  const isOfFork = optionalFields.every(
    ([name, since]) => (header[name] !== undefined) === isAtLeast(options.hardfork, since),
  );
  if (!isOfFork) {
    throw new HostError(
      'hardfork-mismatch',
      `the chain was made by another hardfork than ${options.hardfork}`,
      'start it with the hardfork that it was created with',
    );
  }
  const world = readWorld(rows);
  if (!equalBytes(world.root(), chain.get('root') ?? NOTHING)) {
    throw corrupt('the accounts do not have the root that they had');
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
    worlds: readWorlds(tableOf(rows, 'history'), number, world, options.historyBlocks),
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

type Row = readonly [key: string, value: Uint8Array | undefined];

/** The head's world, from all rows. */
function readWorld(rows: Rows): World {
  const world = withRows(World.empty, tableOf(rows, 'accounts'), tableOf(rows, 'slots'));
  const codes = tableOf(rows, 'codes');
  for (const [hash, code] of codes) {
    if (bytesToLatin1(keccak256(code)) !== hash) throw corrupt('a code is not that of its hash');
  }
  for (const [address, { codeHash }] of world.accounts.entries()) {
    if (!equalBytes(codeHash, KECCAK_EMPTY) && !codes.has(bytesToLatin1(codeHash))) {
      throw corrupt(`the code of ${bytesToHex(latin1ToBytes(address))} is missing`);
    }
  }
  return world.with([], codes);
}

/** The world with rows applied to it; those without a value remove. */
function withRows(world: World, accountRows: Iterable<Row>, slotRows: Iterable<Row>): World {
  const changed = new Map<string, WorldAccount | undefined>();
  for (const [address, row] of accountRows) {
    const account = world.accounts.get(address) ?? EMPTY_ACCOUNT;
    changed.set(address, row && { ...account, ...decodeAccount(row) });
  }
  const slots = new Map<string, [key: string, value: string][]>();
  for (const [key, value] of slotRows) {
    const owner = key.slice(0, ADDRESS_SIZE);
    let entries = slots.get(owner);
    if (!entries) slots.set(owner, (entries = []));
    entries.push([key.slice(ADDRESS_SIZE), value ? bytesToLatin1(value) : '']);
  }
  for (const [owner, entries] of slots) {
    const account = changed.has(owner) ? changed.get(owner) : world.accounts.get(owner);
    if (account) changed.set(owner, withSlots(account, entries));
    else if (entries.some(([, value]) => value !== '')) {
      throw corrupt(`${bytesToHex(latin1ToBytes(owner))} has storage and is no account`);
    }
  }
  return world.with(changed);
}

function* accountChanges(before: World = World.empty, after: World): IterableIterator<Change> {
  for (const change of PersistentMap.diff(before.accounts, after.accounts)) {
    const { key, before: old, after: now } = change;
    const value = now && encodeAccount(now);
    if (!old || !value || !equalBytes(encodeAccount(old), value)) {
      yield { table: 'accounts', key, value };
    }
    const slots = now?.slots ?? EMPTY_ACCOUNT.slots;
    for (const slot of mapChanges('slots', old?.slots, slots, latin1ToBytes)) {
      yield { ...slot, key: key + slot.key };
    }
  }
}

function encodeAccount({ nonce, balance, codeHash }: WorldAccount): Uint8Array {
  return encodeRlp([rlpInteger(nonce), rlpInteger(balance), codeHash]);
}

function decodeAccount(row: Uint8Array): Pick<WorldAccount, 'nonce' | 'balance' | 'codeHash'> {
  const [nonce, balance, codeHash] = decodeRlp(row) as [Uint8Array, Uint8Array, Uint8Array];
  return { nonce: bytesToBigInt(nonce), balance: bytesToBigInt(balance), codeHash };
}

// --- worlds before the head's, as the rows that lead back to them

/** The steps back that are not those of before: one has changed when either of its ends has. */
function* historyChanges(before: EthState | undefined, after: EthState): IterableIterator<Change> {
  const numbers = new Set<number>();
  if (before) numbers.add(numberOf(before) - 1);
  numbers.add(numberOf(after) - 1);
  for (const { key } of PersistentMap.diff(before?.worlds ?? NO_WORLDS, after.worlds)) {
    numbers.add(Number(key)).add(Number(key) - 1);
  }
  for (const number of numbers) {
    const [old, now] = [before && stepBack(before, number), stepBack(after, number)];
    if (old?.from === now?.from && old?.to === now?.to) continue;
    const value = now && encodeChanges(accountChanges(now.from, now.to));
    yield { table: 'history', key: String(number), value };
  }
}

/** The worlds behind a block's successor and behind itself; undefined where the latter is not kept. */
function stepBack(state: EthState, number: number): { from: World; to: World } | undefined {
  const to = state.worlds.get(String(number));
  if (!to) return undefined;
  const isLast = number + 1 === numberOf(state);
  return { from: isLast ? state.world : state.worlds.get(String(number + 1))!, to };
}

function readWorlds(
  rows: ReadonlyMap<string, Uint8Array>,
  head: number,
  headWorld: World,
  historyBlocks: number,
): PersistentMap<World> {
  let worlds = NO_WORLDS;
  let world = headWorld;
  for (let number = head - 1; number > head - historyBlocks; number--) {
    const row = rows.get(String(number));
    if (!row) break;
    const { accounts, slots } = decodeChanges(row);
    world = withRows(world, accounts, slots);
    worlds = worlds.set(String(number), world);
  }
  return worlds;
}

const NO_WORLDS = PersistentMap.empty<World>();

/** RLP of [is it an account or a slot?, key, value]; the value is left out where the row is gone. */
function encodeChanges(changes: Iterable<Change>): Uint8Array {
  const items = Array.from(changes, ({ table, key, value }): RlpItem => {
    const item = [rlpInteger(table === 'accounts' ? 0 : 1), latin1ToBytes(key)];
    return value ? [...item, value] : item;
  });
  return encodeRlp(items);
}

function decodeChanges(bytes: Uint8Array): { accounts: Row[]; slots: Row[] } {
  const accounts: Row[] = [];
  const slots: Row[] = [];
  for (const item of decodeRlp(bytes)) {
    const [kind, key, value] = item as [Uint8Array, Uint8Array, Uint8Array | undefined];
    (kind.length === 0 ? accounts : slots).push([bytesToLatin1(key), value]);
  }
  return { accounts, slots };
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
  key: 'head' | 'root' | 'settings',
  before: Uint8Array | undefined,
  value: Uint8Array,
): IterableIterator<Change> {
  if (!before || !equalBytes(before, value)) yield { table: 'chain', key, value };
}

function tableOf(rows: Rows, table: Table): ReadonlyMap<string, Uint8Array> {
  return rows.get(table) ?? NO_ROWS;
}

const NO_ROWS: ReadonlyMap<string, Uint8Array> = new Map();

function numberOf({ head }: EthState): number {
  return Number(head.header.number);
}

function encodeHead(state: EthState): Uint8Array {
  return utf8ToBytes(String(numberOf(state)));
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
