import { bytesToBigInt, concatBytes, equalBytes } from '@polyvisor/bytes/bytes';
import { type RlpItem, decodeRlp, encodeRlp, rlpInteger } from '@polyvisor/codec/rlp';
import { keccak256 } from '@polyvisor/crypto/keccak';
import {
  SECP256K1_N,
  type Signature,
  privateKeyToAddress,
  recoverAddress,
  sign,
} from '@polyvisor/crypto/secp256k1';
import { kzgVersionedHash } from '@polyvisor/crypto/kzg-hash';
import type { AccessListEntry, Authorization, TransactionMessage } from '@polyvisor/evm/world';
import { EthError } from './errors.ts';

export type TransactionType = 0 | 1 | 2 | 3 | 4;

export interface SignedAuthorization {
  readonly chainId: bigint;
  readonly address: Uint8Array;
  readonly nonce: bigint;
  readonly yParity: bigint;
  readonly r: bigint;
  readonly s: bigint;
}

/** A transaction's fields, whatever its type; those that a type lacks are zero, empty or undefined. */
export interface UnsignedTransaction {
  readonly type: TransactionType;
  /** Undefined in a legacy transaction that is not protected against replay (before EIP-155). */
  readonly chainId: bigint | undefined;
  readonly nonce: bigint;
  /** Types 0 and 1: the gas price. */
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  readonly gasLimit: bigint;
  readonly to: Uint8Array | undefined;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly accessList: readonly AccessListEntry[];
  readonly maxFeePerBlobGas: bigint;
  readonly blobVersionedHashes: readonly Uint8Array[];
  readonly authorizationList: readonly SignedAuthorization[];
}

export interface Transaction extends UnsignedTransaction {
  readonly yParity: 0 | 1;
  readonly r: bigint;
  readonly s: bigint;
  readonly hash: Uint8Array;
  readonly sender: Uint8Array;
  /** As blocks commit to it: without blobs. */
  readonly raw: Uint8Array;
}

/** Largest s of a signature since Homestead. @see EIP-2 */
const S_MAX = SECP256K1_N / 2n;

/** Reads what `eth_sendRawTransaction` takes. @throws EthError that says what is wrong */
export function decodeTransaction(bytes: Uint8Array): Transaction {
  const { tx, yParity, r, s } = decodeFields(bytes);
  return finish(tx, yParity, r, s);
}

/** Reads a transaction whose sender is known: one of a stored block, be it signed or impersonated. */
export function decodeTransactionOf(bytes: Uint8Array, sender: Uint8Array): Transaction {
  const { tx, yParity, r, s } = decodeFields(bytes);
  return { ...tx, yParity, r, s, sender, raw: bytes, hash: keccak256(bytes) };
}

interface Signed {
  readonly tx: UnsignedTransaction;
  readonly yParity: 0 | 1;
  readonly r: bigint;
  readonly s: bigint;
}

function decodeFields(bytes: Uint8Array): Signed {
  const first = bytes[0];
  if (first === undefined) throw new EthError('typed transaction too short');
  if (first >= 0xc0) return decodeLegacy(bytes);
  if (first < 1 || first > 4) throw new EthError('transaction type not supported');
  return decodeTyped(first as 1 | 2 | 3 | 4, bytes);
}

/** Signs with a private key. @param sender its address, where that is known already: deriving it takes as long */
export function signTransaction(
  tx: UnsignedTransaction,
  privateKey: Uint8Array,
  sender: Uint8Array = privateKeyToAddress(privateKey),
): Transaction {
  return signedBy(sender, tx, sign(signingHash(tx), privateKey));
}

/**
 * A transaction without a valid signature, as an impersonated sender sends it. Its hash commits to the sender, so
 * that equal transactions of different senders differ.
 */
export function unsignedTransaction(tx: UnsignedTransaction, sender: Uint8Array): Transaction {
  const s = bytesToBigInt(sender);
  const raw = encodeTransaction(tx, 0, 1n, s === 0n ? 1n : s);
  return { ...tx, yParity: 0, r: 1n, s, raw, hash: keccak256(raw), sender };
}

/** The digest that is signed. @see EIP-155, EIP-2930, EIP-1559, EIP-4844, EIP-7702 */
export function signingHash(tx: UnsignedTransaction): Uint8Array {
  const fields = payload(tx);
  if (tx.type === 0) {
    const replay = tx.chainId === undefined ? [] : [rlpInteger(tx.chainId), NOTHING, NOTHING];
    return keccak256(encodeRlp([...fields, ...replay]));
  }
  return keccak256(concatBytes(Uint8Array.of(tx.type), encodeRlp(fields)));
}

/** The authority of an EIP-7702 authorization; undefined where the signature is none. */
export function recoverAuthority(entry: SignedAuthorization): Uint8Array | undefined {
  if (entry.yParity > 1n || entry.s > S_MAX) return undefined;
  const fields = [rlpInteger(entry.chainId), entry.address, rlpInteger(entry.nonce)];
  const digest = keccak256(concatBytes(Uint8Array.of(0x05), encodeRlp(fields)));
  return recoverAddress(digest, entry.r, entry.s, entry.yParity === 1n ? 1 : 0);
}

/** The transaction as the engine takes it. */
export function messageOf(tx: UnsignedTransaction, sender: Uint8Array): TransactionMessage {
  return {
    ...tx,
    sender,
    authorizationList: tx.authorizationList.map((entry): Authorization => ({
      ...entry,
      authority: recoverAuthority(entry),
    })),
  };
}

const NOTHING = new Uint8Array(0);

/** The fields that come before the signature, in the order of the type's encoding. */
function payload(tx: UnsignedTransaction): RlpItem[] {
  const n = rlpInteger;
  const to = tx.to ?? NOTHING;
  const accessList = tx.accessList.map((e): RlpItem => [e.address, [...e.storageKeys]]);
  const tip = n(tx.maxPriorityFeePerGas);
  const cap = n(tx.maxFeePerGas);
  const [nonce, gas, value] = [n(tx.nonce), n(tx.gasLimit), n(tx.value)];
  const id = n(tx.chainId ?? 0n);
  switch (tx.type) {
    case 0:
      return [nonce, cap, gas, to, value, tx.data];
    case 1:
      return [id, nonce, cap, gas, to, value, tx.data, accessList];
    case 2:
      return [id, nonce, tip, cap, gas, to, value, tx.data, accessList];
    case 3: {
      const blobs: RlpItem[] = [n(tx.maxFeePerBlobGas), [...tx.blobVersionedHashes]];
      return [id, nonce, tip, cap, gas, to, value, tx.data, accessList, ...blobs];
    }
    case 4: {
      const list = tx.authorizationList.map((e): RlpItem => [
        n(e.chainId),
        e.address,
        n(e.nonce),
        n(e.yParity),
        n(e.r),
        n(e.s),
      ]);
      return [id, nonce, tip, cap, gas, to, value, tx.data, accessList, list];
    }
  }
}

export function encodeTransaction(
  tx: UnsignedTransaction,
  yParity: 0 | 1,
  r: bigint,
  s: bigint,
): Uint8Array {
  if (tx.type === 0) {
    const v = tx.chainId === undefined ? 27n : 35n + 2n * tx.chainId;
    const signature = [rlpInteger(v + BigInt(yParity)), rlpInteger(r), rlpInteger(s)];
    return encodeRlp([...payload(tx), ...signature]);
  }
  const fields = [...payload(tx), rlpInteger(yParity), rlpInteger(r), rlpInteger(s)];
  return concatBytes(Uint8Array.of(tx.type), encodeRlp(fields));
}

function finish(tx: UnsignedTransaction, yParity: 0 | 1, r: bigint, s: bigint): Transaction {
  const isLow = s <= S_MAX || (tx.type === 0 && tx.chainId === undefined);
  const sender = isLow ? recoverAddress(signingHash(tx), r, s, yParity) : undefined;
  if (!sender) throw new EthError('invalid sender');
  return signedBy(sender, tx, { yParity, r, s });
}

function signedBy(sender: Uint8Array, tx: UnsignedTransaction, signature: Signature): Transaction {
  const { yParity, r, s } = signature;
  const raw = encodeTransaction(tx, yParity, r, s);
  return { ...tx, yParity, r, s, sender, raw, hash: keccak256(raw) };
}

const none = {
  accessList: [],
  maxFeePerBlobGas: 0n,
  blobVersionedHashes: [],
  authorizationList: [],
} as const;

function decodeLegacy(bytes: Uint8Array): Signed {
  const f = new Fields(bytes, 9);
  const price = f.number(1);
  const v = f.number(6);
  const isProtected = v >= 35n;
  if (!isProtected && v !== 27n && v !== 28n) throw new EthError('invalid sender');
  const parity = isProtected ? (v - 35n) % 2n : v - 27n;
  const tx: UnsignedTransaction = {
    ...none,
    type: 0,
    chainId: isProtected ? (v - 35n) / 2n : undefined,
    nonce: f.number(0, 8),
    maxFeePerGas: price,
    maxPriorityFeePerGas: price,
    gasLimit: f.number(2, 8),
    to: f.recipient(3),
    value: f.number(4),
    data: f.bytes(5),
  };
  return { tx, yParity: parity === 1n ? 1 : 0, r: f.number(7), s: f.number(8) };
}

/** How many fields each type has, the signature's three included. */
const fieldCounts = { 1: 11, 2: 12, 3: 14, 4: 13 } as const;

function decodeTyped(type: 1 | 2 | 3 | 4, bytes: Uint8Array): Signed {
  const body = bytes.subarray(1);
  const f = new Fields(type === 3 ? withoutBlobs(body) : body, fieldCounts[type]);
  // Types from 2 on have two fee fields where type 1 has one price.
  const shift = type === 1 ? 0 : 1;
  const signature = fieldCounts[type] - 3;
  const parity = f.number(signature);
  if (parity > 1n) throw new EthError('invalid transaction v, r, s values');
  const tx: UnsignedTransaction = {
    ...none,
    type,
    chainId: f.number(0),
    nonce: f.number(1, 8),
    maxPriorityFeePerGas: f.number(2),
    maxFeePerGas: f.number(2 + shift),
    gasLimit: f.number(3 + shift, 8),
    to: f.recipient(4 + shift),
    value: f.number(5 + shift),
    data: f.bytes(6 + shift),
    accessList: f.accessList(7 + shift),
    maxFeePerBlobGas: type === 3 ? f.number(9) : 0n,
    blobVersionedHashes: type === 3 ? f.list(10).map((hash) => sized(hash, 32)) : [],
    authorizationList: type === 4 ? f.authorizations(9) : [],
  };
  const [r, s] = [f.number(signature + 1), f.number(signature + 2)];
  return { tx, yParity: parity === 1n ? 1 : 0, r, s };
}

/**
 * The transaction of a network wrapper, whose commitments must be those that it names. The blobs' own proofs are
 * not checked: nothing in the chain's state depends on them. @see EIP-4844 "Networking", EIP-7594
 */
function withoutBlobs(body: Uint8Array): Uint8Array {
  const items = decode(body);
  if (!Array.isArray(items) || !Array.isArray(items[0])) return body;
  const tx = items[0] as readonly RlpItem[];
  // Since Osaka a version number stands before the blobs.
  const commitments = items[items.length - 2];
  const hashes = tx[10];
  if (!Array.isArray(commitments) || !Array.isArray(hashes))
    throw new EthError('invalid blob sidecar');
  const areTheirs =
    commitments.length === hashes.length &&
    commitments.every((c, i) =>
      equalBytes(kzgVersionedHash(c as Uint8Array), hashes[i] as Uint8Array),
    );
  if (!areTheirs) throw new EthError('blob sidecar: commitments do not match the versioned hashes');
  return encodeRlp(tx);
}

function decode(bytes: Uint8Array): RlpItem {
  try {
    return decodeRlp(bytes);
  } catch (error) {
    throw new EthError(`rlp: ${(error as Error).message}`);
  }
}

function sized(item: RlpItem, size: number): Uint8Array {
  if (!(item instanceof Uint8Array) || item.length !== size) {
    throw new EthError(`rlp: expected ${size} bytes`);
  }
  return item;
}

function integer(item: RlpItem | undefined, sizeMax = 32): bigint {
  if (!(item instanceof Uint8Array) || item.length > sizeMax) {
    throw new EthError('rlp: input string too long');
  }
  if (item[0] === 0) throw new EthError('rlp: non-canonical integer (leading zero bytes)');
  return bytesToBigInt(item);
}

/** The fields of a transaction, each checked for its form as it is read. */
class Fields {
  readonly #items: readonly RlpItem[];

  constructor(bytes: Uint8Array, count: number) {
    const items = decode(bytes);
    if (items instanceof Uint8Array) throw new EthError('rlp: expected a list');
    if (items.length !== count) throw new EthError('rlp: wrong number of fields');
    this.#items = items;
  }

  bytes(index: number): Uint8Array {
    const item = this.#items[index];
    if (!(item instanceof Uint8Array)) throw new EthError('rlp: expected bytes');
    return item;
  }

  number(index: number, sizeMax = 32): bigint {
    return integer(this.#items[index], sizeMax);
  }

  list(index: number): readonly RlpItem[] {
    const item = this.#items[index];
    if (!item || item instanceof Uint8Array) throw new EthError('rlp: expected a list');
    return item;
  }

  recipient(index: number): Uint8Array | undefined {
    const bytes = this.bytes(index);
    return bytes.length === 0 ? undefined : sized(bytes, 20);
  }

  accessList(index: number): AccessListEntry[] {
    return this.list(index).map((entry) => {
      const [address, keys] = entry as readonly RlpItem[];
      if (!address || !keys || keys instanceof Uint8Array)
        throw new EthError('rlp: bad access list');
      return { address: sized(address, 20), storageKeys: keys.map((key) => sized(key, 32)) };
    });
  }

  authorizations(index: number): SignedAuthorization[] {
    return this.list(index).map((entry) => {
      if (entry instanceof Uint8Array || entry.length !== 6)
        throw new EthError('rlp: bad authorization');
      const [chainId, address, nonce, yParity, r, s] = entry;
      return {
        chainId: integer(chainId),
        address: sized(address!, 20),
        nonce: integer(nonce, 8),
        yParity: integer(yParity, 1),
        r: integer(r),
        s: integer(s),
      };
    });
  }
}
