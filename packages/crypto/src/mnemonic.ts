import { hmac } from '@noble/hashes/hmac.js';
import { pbkdf2 } from '@noble/hashes/pbkdf2.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { bigIntToBytes, bytesToBigInt, concatBytes, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { nodeCrypto } from './node-crypto.ts';
import { SECP256K1_N, privateKeyToAddress, publicKeyOf } from './secp256k1.ts';

export interface KeyedAccount {
  readonly address: Uint8Array;
  readonly privateKey: Uint8Array;
}

interface Node {
  readonly key: Uint8Array;
  readonly chainCode: Uint8Array;
}

const HARDENED = 0x8000_0000;

/** Accounts of a mnemonic under a derivation path, the account's index appended. @see BIP-39, BIP-32, BIP-44 */
export function mnemonicToAccounts(
  mnemonic: string,
  count: number,
  path = "m/44'/60'/0'/0/",
): KeyedAccount[] {
  const seed = seedOf(utf8ToBytes(mnemonic.normalize('NFKD')));
  const master = split(hmacSha512(utf8ToBytes('Bitcoin seed'), seed));
  const parent = path
    .split('/')
    .filter((step) => step !== '' && step !== 'm')
    .map((step) => Number.parseInt(step, 10) + (step.endsWith("'") ? HARDENED : 0))
    .reduce((node, index) => derive(node, headOf(node, index), index), master);
  // All accounts have one parent, whose public key is the slow part.
  const head = headOf(parent, 0);
  return Array.from({ length: count }, (_, index) => {
    const privateKey = derive(parent, head, index).key;
    return { address: privateKeyToAddress(privateKey), privateKey };
  });
}

/** @see BIP-39, "From mnemonic to seed"; no passphrase */
function seedOf(mnemonic: Uint8Array): Uint8Array {
  const salt = utf8ToBytes('mnemonic');
  const node = nodeCrypto();
  if (node === undefined) return pbkdf2(sha512, mnemonic, salt, { c: ROUNDS, dkLen: 64 });
  return node.pbkdf2Sync(mnemonic, salt, ROUNDS, 64, 'sha512');
}

const ROUNDS = 2048;

/** What of the parent a child derives from: its private key where the index is hardened, else its public key. */
function headOf(parent: Node, index: number): Uint8Array {
  return index >= HARDENED
    ? concatBytes(new Uint8Array(1), parent.key)
    : publicKeyOf(parent.key, 'compressed');
}

/** @see BIP-32, "Private parent key → private child key" */
function derive(parent: Node, head: Uint8Array, index: number): Node {
  const data = concatBytes(head, bigIntToBytes(BigInt(index), 4));
  const child = split(hmacSha512(parent.chainCode, data));
  const key = (bytesToBigInt(child.key) + bytesToBigInt(parent.key)) % SECP256K1_N;
  return { key: bigIntToBytes(key, 32), chainCode: child.chainCode };
}

function hmacSha512(key: Uint8Array, data: Uint8Array): Uint8Array {
  const node = nodeCrypto();
  if (node === undefined) return hmac(sha512, key, data);
  return node.createHmac('sha512', key).update(data).digest();
}

function split(bytes: Uint8Array): Node {
  return { key: bytes.slice(0, 32), chainCode: bytes.slice(32) };
}
