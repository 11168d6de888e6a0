import { bytesToBigInt, padLeft } from '@polyvisor/bytes/bytes';
import { bytesToLatin1, latin1ToBytes } from '@polyvisor/bytes/latin1';
import { keccak256 } from '@polyvisor/crypto/keccak';
import type { Account, AccountEffect, WorldState } from '@polyvisor/evm/world';
import { EMPTY_ACCOUNT, type World, type WorldAccount, slotValue, withSlots } from './world.ts';

/** Hash of a block by its number; 32 zero bytes where it is not known. */
export type BlockHashes = (number: bigint) => Uint8Array;

/**
 * Changes over a world that are not part of it yet: the transactions of a block, or the overrides of a call. The
 * engine reads through it; tries are touched once, by `commit`.
 */
export class Overlay implements WorldState {
  readonly #base: World;
  readonly #blockHashes: BlockHashes;
  readonly #changed = new Map<string, ChangedAccount | undefined>();
  readonly #codes = new Map<string, Uint8Array>();

  constructor(base: World, blockHashes: BlockHashes) {
    this.#base = base;
    this.#blockHashes = blockHashes;
  }

  // --- as the engine reads it

  account(address: Uint8Array): Account | undefined {
    const key = bytesToLatin1(address);
    if (!this.#changed.has(key)) {
      const account = this.#base.accounts.get(key);
      return account && { ...account, hasStorage: account.slots.size > 0 };
    }
    const changed = this.#changed.get(key);
    return changed && { ...changed, hasStorage: hasStorage(changed) };
  }

  code(codeHash: Uint8Array): Uint8Array {
    return this.#codes.get(bytesToLatin1(codeHash)) ?? this.#base.code(codeHash);
  }

  storage(address: Uint8Array, key: Uint8Array): Uint8Array {
    const slot = bytesToLatin1(key);
    const owner = bytesToLatin1(address);
    const changed = this.#changed.get(owner);
    if (!changed && this.#changed.has(owner)) return ZERO;
    const account = changed?.base ?? this.#base.accounts.get(owner);
    const value = changed?.slots.get(slot) ?? account?.slots.get(slot);
    return value === undefined ? ZERO : padLeft(latin1ToBytes(value), 32);
  }

  blockHash(number: bigint): Uint8Array {
    return this.#blockHashes(number);
  }

  // --- changes

  apply(effects: readonly AccountEffect[]): void {
    for (const effect of effects) this.#apply(effect);
  }

  setBalance(address: Uint8Array, balance: bigint): void {
    this.#open(address).balance = balance;
  }

  /** Adding nothing makes no account. */
  addBalance(address: Uint8Array, amount: bigint): void {
    if (amount > 0n) this.#open(address).balance += amount;
  }

  setNonce(address: Uint8Array, nonce: bigint): void {
    this.#open(address).nonce = nonce;
  }

  setCode(address: Uint8Array, code: Uint8Array): void {
    const codeHash = keccak256(code);
    this.#codes.set(bytesToLatin1(codeHash), code);
    this.#open(address).codeHash = codeHash;
  }

  setStorage(address: Uint8Array, key: Uint8Array, value: bigint): void {
    this.#open(address).slots.set(bytesToLatin1(key), slotValue(value));
  }

  clearStorage(address: Uint8Array): void {
    const account = this.#open(address);
    account.base = { ...account.base, slots: EMPTY_ACCOUNT.slots, trie: EMPTY_ACCOUNT.trie };
    account.slots.clear();
  }

  /** The world with everything that was changed. */
  commit(): World {
    const accounts = Array.from(
      this.#changed,
      ([address, account]) => [address, account && closed(account)] as const,
    );
    return this.#base.with(accounts, this.#codes);
  }

  #apply(effect: AccountEffect): void {
    if (!effect.account) {
      this.#changed.set(bytesToLatin1(effect.address), undefined);
      return;
    }
    if (effect.storageCleared) this.clearStorage(effect.address);
    const account = this.#open(effect.address);
    account.nonce = effect.account.nonce;
    account.balance = effect.account.balance;
    account.codeHash = effect.account.codeHash;
    if (effect.code) this.#codes.set(bytesToLatin1(account.codeHash), effect.code);
    for (const [key, value] of effect.storage) {
      account.slots.set(bytesToLatin1(key), slotValue(bytesToBigInt(value)));
    }
  }

  /** The account to change; a new one where there is none. */
  #open(address: Uint8Array): ChangedAccount {
    const key = bytesToLatin1(address);
    let account = this.#changed.get(key);
    if (!account) {
      const isGone = this.#changed.has(key);
      const base = (isGone ? undefined : this.#base.accounts.get(key)) ?? EMPTY_ACCOUNT;
      const { nonce, balance, codeHash } = base;
      account = { base, nonce, balance, codeHash, slots: new Map() };
      this.#changed.set(key, account);
    }
    return account;
  }
}

interface ChangedAccount {
  /** Has the slots that were not changed. */
  base: WorldAccount;
  nonce: bigint;
  balance: bigint;
  codeHash: Uint8Array;
  readonly slots: Map<string, string>;
}

const ZERO = new Uint8Array(32);

function closed(account: ChangedAccount): WorldAccount {
  const { nonce, balance, codeHash } = account;
  return withSlots({ ...account.base, nonce, balance, codeHash }, account.slots);
}

function hasStorage(account: ChangedAccount): boolean {
  for (const value of account.slots.values()) if (value !== '') return true;
  if (account.slots.size === 0) return account.base.slots.size > 0;
  for (const [key] of account.base.slots.entries()) if (!account.slots.has(key)) return true;
  return false;
}
