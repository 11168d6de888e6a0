import { bigIntToBytes, concatBytes, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { bytesToHex } from '@polyvisor/bytes/hex';
import { keccak256 } from '@polyvisor/crypto/keccak';
import { sign } from '@polyvisor/crypto/secp256k1';
import { EthError } from '@polyvisor/eth/errors';
import { keyOf } from './keys.ts';
import { type Method, method } from './method.ts';
import type { EthNode } from './node.ts';
import { address, anything, data, optional, text } from './parameters.ts';
import { typedDataHash } from './typed-data.ts';

export const signingMethods: readonly Method[] = [
  method({
    name: 'eth_accounts',
    aliases: ['eth_requestAccounts'],
    summary: 'Accounts whose keys the node holds.',
    answer: ({ accounts }) => accounts.map((account) => bytesToHex(account.address)),
  }),
  method({
    name: 'eth_sign',
    summary: 'Signs a message with the prefix of EIP-191.',
    parameters: [address, data],
    answer: (node, [account, message]) => signed(node, account, messageHash(message)),
  }),
  method({
    name: 'personal_sign',
    summary: 'As eth_sign, with the message first; a password is ignored.',
    parameters: [data, address, optional(text)],
    answer: (node, [message, account]) => signed(node, account, messageHash(message)),
  }),
  method({
    name: 'eth_signTypedData_v4',
    aliases: ['eth_signTypedData', 'eth_signTypedData_v3'],
    summary: 'Signs structured data (EIP-712), given as an object or as its JSON.',
    parameters: [address, anything],
    answer: (node, [account, typedData]) => signed(node, account, typedDataHash(typedData)),
  }),
];

/** @see EIP-191, version 0x45 */
function messageHash(message: Uint8Array): Uint8Array {
  const prefix = utf8ToBytes(`\u0019Ethereum Signed Message:\n${message.length}`);
  return keccak256(concatBytes(prefix, message));
}

/** r, s and v (27 or 28) in a row. */
function signed(node: EthNode, account: Uint8Array, digest: Uint8Array): string {
  const key = keyOf(node, account);
  if (!key) throw new EthError('unknown account');
  const { r, s, yParity } = sign(digest, key);
  const v = Uint8Array.of(27 + yParity);
  return bytesToHex(concatBytes(bigIntToBytes(r, 32), bigIntToBytes(s, 32), v));
}
