import { encodeRlp, rlpInteger, type RlpItem } from '@polyvisor/codec/rlp';
import { keccak256 } from '@polyvisor/crypto/keccak';
import { EMPTY_ROOT } from './trie.ts';

/**
 * Root of the trie that a list is committed to: transactions, receipts, withdrawals. Keys are the RLP of the indexes.
 * @see Yellow Paper, section 4.4.3
 */
export function orderedTrieRoot(values: readonly Uint8Array[]): Uint8Array {
  if (values.length === 0) return EMPTY_ROOT.slice();
  const entries = values.map((value, i): Entry => [nibblesOf(encodeRlp(rlpInteger(i))), value]);
  return keccak256(encodeRlp(node(entries, 0)));
}

type Entry = readonly [path: readonly number[], value: Uint8Array];

const NOTHING = new Uint8Array(0);

/** Keys differ in length, so one may end where others branch. */
function node(entries: readonly Entry[], depth: number): RlpItem {
  const [first] = entries as [Entry];
  if (entries.length === 1) return [hexPrefix(first[0].slice(depth), true), first[1]];
  let shared = depth;
  while (
    entries.every(([path]) => path[shared] !== undefined && path[shared] === first[0][shared])
  ) {
    shared++;
  }
  if (shared > depth) {
    return [hexPrefix(first[0].slice(depth, shared), false), reference(entries, shared)];
  }
  const children: Entry[][] = Array.from({ length: 16 }, () => []);
  let value: Uint8Array = NOTHING;
  for (const entry of entries) {
    const index = entry[0][depth];
    if (index === undefined) value = entry[1];
    else children[index]!.push(entry);
  }
  return [
    ...children.map((below) => (below.length ? reference(below, depth + 1) : NOTHING)),
    value,
  ];
}

function reference(entries: readonly Entry[], depth: number): RlpItem {
  const item = node(entries, depth);
  const bytes = encodeRlp(item);
  return bytes.length < 32 ? item : keccak256(bytes);
}

function hexPrefix(path: readonly number[], isLeaf: boolean): Uint8Array {
  const isOdd = path.length % 2 === 1;
  const flag = (isLeaf ? 2 : 0) + (isOdd ? 1 : 0);
  const digits = isOdd ? [flag, ...path] : [flag, 0, ...path];
  return Uint8Array.from(
    { length: digits.length / 2 },
    (_, i) => (digits[2 * i]! << 4) | digits[2 * i + 1]!,
  );
}

function nibblesOf(bytes: Uint8Array): number[] {
  return [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);
}
