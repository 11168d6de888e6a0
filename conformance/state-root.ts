import { compareBytes } from '@polyvisor/bytes/bytes';
import { type RlpItem, encodeRlp, rlpInteger } from '@polyvisor/codec/rlp';
import { keccak256 } from '@polyvisor/crypto/keccak';

/** An account as fixtures describe it; storage by 32-byte keys in hexadecimal. */
export interface FixtureAccount {
  nonce: bigint;
  balance: bigint;
  codeHash: Uint8Array;
  storage: Map<string, Uint8Array>;
}

/**
 * Root of a state, computed the obvious way from all its accounts: a Merkle-Patricia trie by recursion over sorted
 * keys. It shares no code with the tries of the product, so it also checks them. @see Yellow Paper, appendix D
 */
export function stateRoot(accounts: ReadonlyMap<string, FixtureAccount>): Uint8Array {
  const entries = [...accounts].map(([address, account]): Entry => {
    const storage = [...account.storage]
      .filter(([, value]) => value.some((byte) => byte !== 0))
      .map(([key, value]): Entry => [nibbles(keccak256(fromHex(key))), encodeRlp(trim(value))]);
    const fields = [
      rlpInteger(account.nonce),
      rlpInteger(account.balance),
      root(storage),
      account.codeHash,
    ];
    return [nibbles(keccak256(fromHex(address))), encodeRlp(fields)];
  });
  return root(entries);
}

type Entry = [path: Uint8Array, value: Uint8Array];

function root(entries: Entry[]): Uint8Array {
  if (entries.length === 0) return keccak256(encodeRlp(new Uint8Array(0)));
  entries.sort((a, b) => compareBytes(a[0], b[0]));
  return keccak256(encodeRlp(node(entries, 0)));
}

function node(entries: readonly Entry[], depth: number): RlpItem {
  const [first] = entries as [Entry];
  if (entries.length === 1) return [hexPrefix(first[0].subarray(depth), true), first[1]];
  const last = entries.at(-1)!;
  let shared = depth;
  while (first[0][shared] === last[0][shared]) shared++;
  if (shared > depth) {
    return [hexPrefix(first[0].subarray(depth, shared), false), reference(entries, shared)];
  }
  const children: RlpItem[] = [];
  for (let nibble = 0; nibble < 16; nibble++) {
    const below = entries.filter(([path]) => path[depth] === nibble);
    children.push(below.length > 0 ? reference(below, depth + 1) : new Uint8Array(0));
  }
  return [...children, new Uint8Array(0)];
}

/** A node of 32 bytes or more stands as its hash, a smaller one as itself. */
function reference(entries: readonly Entry[], depth: number): RlpItem {
  const item = node(entries, depth);
  const bytes = encodeRlp(item);
  return bytes.length < 32 ? item : keccak256(bytes);
}

/** @see Yellow Paper, appendix C */
function hexPrefix(path: Uint8Array, isLeaf: boolean): Uint8Array {
  const isOdd = path.length % 2 === 1;
  const out = new Uint8Array(1 + (path.length >> 1));
  out[0] = (isLeaf ? 0x20 : 0) | (isOdd ? 0x10 | path[0]! : 0);
  for (let i = isOdd ? 1 : 0, at = 1; i < path.length; i += 2) {
    out[at++] = (path[i]! << 4) | path[i + 1]!;
  }
  return out;
}

function nibbles(key: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 * key.length);
  key.forEach((byte, i) => {
    out[2 * i] = byte >> 4;
    out[2 * i + 1] = byte & 15;
  });
  return out;
}

function trim(value: Uint8Array): Uint8Array {
  return value.subarray(value.findIndex((byte) => byte !== 0));
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/^0x/, ''), 'hex'));
}
