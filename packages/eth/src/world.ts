import { bigIntToMinimalBytes } from '@polyvisor/bytes/bytes';
import { bytesToLatin1, latin1ToBytes } from '@polyvisor/bytes/latin1';
import { encodeRlp, rlpInteger } from '@polyvisor/codec/rlp';
import { KECCAK_EMPTY, keccak256Latin1 } from '@polyvisor/crypto/keccak';
import { PersistentMap } from '@polyvisor/store/map';
import { MerkleTrie } from '@polyvisor/store/trie';

/** An account with all its storage, as a value. */
export interface WorldAccount {
  readonly nonce: bigint;
  readonly balance: bigint;
  readonly codeHash: Uint8Array;
  /** Slot values without leading zeros by 32-byte key; both as latin1 strings. */
  readonly slots: PersistentMap<string>;
  /** The same slots as the storage root commits to them. */
  readonly trie: MerkleTrie;
}

/**
 * The state of all accounts at one moment. Immutable: keeping a version is keeping a reference, and versions share
 * what is equal. Addresses, hashes and slot keys are latin1 strings of 20 and 32 bytes.
 */
export class World {
  readonly accounts: PersistentMap<WorldAccount>;
  readonly codes: PersistentMap<Uint8Array>;
  /** Slots of all accounts together. */
  readonly slotCount: number;
  /** Bytes of all codes together. */
  readonly codeBytes: number;
  readonly #trie: MerkleTrie;

  private constructor(
    accounts: PersistentMap<WorldAccount>,
    codes: PersistentMap<Uint8Array>,
    trie: MerkleTrie,
    slotCount: number,
    codeBytes: number,
  ) {
    this.accounts = accounts;
    this.codes = codes;
    this.slotCount = slotCount;
    this.codeBytes = codeBytes;
    this.#trie = trie;
  }

  static readonly empty: World = new World(
    PersistentMap.empty(),
    PersistentMap.empty(),
    MerkleTrie.empty,
    0,
    0,
  );

  account(address: Uint8Array): WorldAccount | undefined {
    return this.accounts.get(bytesToLatin1(address));
  }

  code(codeHash: Uint8Array): Uint8Array {
    return this.codes.get(bytesToLatin1(codeHash)) ?? NO_CODE;
  }

  codeAt(address: Uint8Array): Uint8Array {
    const account = this.account(address);
    return account ? this.code(account.codeHash) : NO_CODE;
  }

  /** Without leading zeros. */
  slot(address: Uint8Array, key: Uint8Array): Uint8Array {
    return latin1ToBytes(this.account(address)?.slots.get(bytesToLatin1(key)) ?? '');
  }

  /** Root of the state trie. */
  root(): Uint8Array {
    return this.#trie.root();
  }

  /** RLP of the trie's nodes on the way to the account. @see EIP-1186 */
  accountProof(address: Uint8Array): Uint8Array[] {
    return this.#trie.proof(hashedKey(bytesToLatin1(address)));
  }

  storageProof(address: Uint8Array, key: Uint8Array): Uint8Array[] {
    return this.account(address)?.trie.proof(hashedKey(bytesToLatin1(key))) ?? [];
  }

  /** The world with other accounts; undefined removes one. */
  with(
    changes: Iterable<readonly [address: string, account: WorldAccount | undefined]>,
    codes: Iterable<readonly [hash: string, code: Uint8Array]> = [],
  ): World {
    let { accounts, codes: allCodes, slotCount, codeBytes } = this;
    let trie = this.#trie;
    for (const [address, account] of changes) {
      slotCount += (account?.slots.size ?? 0) - (accounts.get(address)?.slots.size ?? 0);
      accounts = account ? accounts.set(address, account) : accounts.delete(address);
      trie = trie.set(hashedKey(address), account ? encodeAccount(account) : '');
    }
    for (const [hash, code] of codes) {
      if (allCodes.has(hash)) continue;
      allCodes = allCodes.set(hash, code);
      codeBytes += code.length;
    }
    return new World(accounts, allCodes, trie, slotCount, codeBytes);
  }
}

export const NO_CODE: Uint8Array = new Uint8Array(0);

export const EMPTY_ACCOUNT: WorldAccount = {
  nonce: 0n,
  balance: 0n,
  codeHash: KECCAK_EMPTY,
  slots: PersistentMap.empty(),
  trie: MerkleTrie.empty,
};

/** The account with other slots. Values are without leading zeros; an empty one removes the slot. */
export function withSlots(
  account: WorldAccount,
  changes: Iterable<readonly [key: string, value: string]>,
): WorldAccount {
  let { slots, trie } = account;
  for (const [key, value] of changes) {
    slots = value === '' ? slots.delete(key) : slots.set(key, value);
    trie = trie.set(hashedKey(key), value === '' ? '' : rlpOfShortString(value));
  }
  return { ...account, slots, trie };
}

/** A slot's value as the world holds it: without leading zeros. */
export function slotValue(value: bigint): string {
  return bytesToLatin1(bigIntToMinimalBytes(value));
}

/** Keccak-256 of a key. The same accounts and slots change again and again, so hashes are remembered. */
export function hashedKey(key: string): string {
  let hash = hashes.get(key);
  if (hash === undefined) {
    if (hashes.size >= HASHES_MAX) hashes.clear();
    hash = keccak256Latin1(latin1ToBytes(key));
    hashes.set(key, hash);
  }
  return hash;
}

const HASHES_MAX = 16_384;
const hashes = new Map<string, string>();

/** At most 32 bytes. @see Yellow Paper, appendix B */
function rlpOfShortString(value: string): string {
  const isItsOwnCode = value.length === 1 && value.charCodeAt(0) < 0x80;
  return isItsOwnCode ? value : String.fromCharCode(0x80 + value.length) + value;
}

/** @see Yellow Paper, section 4.1 */
function encodeAccount(account: WorldAccount): string {
  return bytesToLatin1(
    encodeRlp([
      rlpInteger(account.nonce),
      rlpInteger(account.balance),
      account.trie.root(),
      account.codeHash,
    ]),
  );
}
