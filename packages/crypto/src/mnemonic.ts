import { hmac } from '@noble/hashes/hmac.js';
import { pbkdf2 } from '@noble/hashes/pbkdf2.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bigIntToBytes, bytesToBigInt, concatBytes, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { SECP256K1_N, privateKeyToAddress } from './secp256k1.ts';

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
  const seed = pbkdf2(sha512, utf8ToBytes(mnemonic.normalize('NFKD')), utf8ToBytes('mnemonic'), {
    c: 2048,
    dkLen: 64,
  });
  const master = split(hmac(sha512, utf8ToBytes('Bitcoin seed'), seed));
  const parent = path
    .split('/')
    .filter((step) => step !== '' && step !== 'm')
    .map((step) => Number.parseInt(step, 10) + (step.endsWith("'") ? HARDENED : 0))
    .reduce(derive, master);
  return Array.from({ length: count }, (_, index) => {
    const privateKey = derive(parent, index).key;
    return { address: privateKeyToAddress(privateKey), privateKey };
  });
}

/** @see BIP-32, "Private parent key → private child key" */
function derive(parent: Node, index: number): Node {
  const isHardened = index >= HARDENED;
  const head = isHardened
    ? concatBytes(new Uint8Array(1), parent.key)
    : secp256k1.getPublicKey(parent.key, true);
  const child = split(
    hmac(sha512, parent.chainCode, concatBytes(head, bigIntToBytes(BigInt(index), 4))),
  );
  const key = (bytesToBigInt(child.key) + bytesToBigInt(parent.key)) % SECP256K1_N;
  return { key: bigIntToBytes(key, 32), chainCode: child.chainCode };
}

function split(bytes: Uint8Array): Node {
  return { key: bytes.slice(0, 32), chainCode: bytes.slice(32) };
}
