import { bytesToHex } from '@polyvisor/bytes/hex';
import { bytesToLatin1 } from '@polyvisor/bytes/latin1';
import { encodeRlp, type RlpItem } from '@polyvisor/codec/rlp';
import { keccak256 } from '@polyvisor/crypto/keccak';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PersistentMap } from './map.ts';
import { orderedTrieRoot } from './ordered-root.ts';
import { EMPTY_ROOT, MerkleTrie } from './trie.ts';

const SEED = 7;

/** Few distinct keys, so that sets, overwrites and deletes meet. */
const operations = fc.array(
  fc.record({ key: fc.integer({ min: 0, max: 60 }), value: fc.integer({ min: 0, max: 3 }) }),
  { maxLength: 200 },
);
const trieKey = (n: number): string => bytesToLatin1(keccak256(Uint8Array.of(n)));

describe(`persistent map (seed ${SEED})`, () => {
  test('behaves as a Map, and old versions stay', () => {
    fc.assert(
      fc.property(operations, (list) => {
        let map = PersistentMap.empty<number>();
        const model = new Map<string, number>();
        const versions: [PersistentMap<number>, Map<string, number>][] = [];
        for (const { key, value } of list) {
          if (value === 0) {
            map = map.delete(`k${key}`);
            model.delete(`k${key}`);
          } else {
            map = map.set(`k${key}`, value);
            model.set(`k${key}`, value);
          }
          versions.push([map, new Map(model)]);
        }
        for (const [version, expected] of versions) {
          expect(version.size).toBe(expected.size);
          expect(new Map(version.entries())).toEqual(expected);
        }
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  test('diff gives what turns one version into the other', () => {
    fc.assert(
      fc.property(operations, operations, (first, second) => {
        const apply = (map: PersistentMap<number>, list: typeof first): PersistentMap<number> =>
          list.reduce(
            (m, { key, value }) => (value ? m.set(`k${key}`, value) : m.delete(`k${key}`)),
            map,
          );
        const before = apply(PersistentMap.empty<number>(), first);
        const after = apply(before, second);
        let patched = before;
        for (const change of PersistentMap.diff(before, after)) {
          expect(change.before).toBe(before.get(change.key));
          patched =
            change.after === undefined
              ? patched.delete(change.key)
              : patched.set(change.key, change.after);
        }
        expect(new Map(patched.entries())).toEqual(new Map(after.entries()));
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  test('keys with equal hashes are kept apart', () => {
    let map = PersistentMap.empty<number>();
    for (let i = 0; i < 100_000; i++) map = map.set(`key ${i}`, i);
    expect(map.size).toBe(100_000);
    for (let i = 0; i < 100_000; i += 997) expect(map.get(`key ${i}`)).toBe(i);
    for (let i = 0; i < 100_000; i++) map = map.delete(`key ${i}`);
    expect(map.size).toBe(0);
  });
});

describe(`Merkle-Patricia trie (seed ${SEED})`, () => {
  test('has the root of the obvious construction after any sets and deletes', () => {
    fc.assert(
      fc.property(operations, (list) => {
        let trie = MerkleTrie.empty;
        const model = new Map<string, string>();
        for (const { key, value } of list) {
          // Values from one byte to longer than a hash: nodes are inlined or hashed.
          const text = value === 0 ? '' : 'v'.repeat(value === 3 ? 40 : value);
          trie = trie.set(trieKey(key), text);
          if (text) model.set(trieKey(key), text);
          else model.delete(trieKey(key));
        }
        expect(bytesToHex(trie.root())).toBe(bytesToHex(referenceRoot(model)));
        expect([...trie.entries()].length).toBe(model.size);
        expect(new Map(trie.entries())).toEqual(model);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('an empty trie has the known root', () => {
    expect(bytesToHex(MerkleTrie.empty.root())).toBe(
      '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421',
    );
    expect(orderedTrieRoot([])).toEqual(EMPTY_ROOT);
  });

  test('a proof is the nodes from the root to the key', () => {
    let trie = MerkleTrie.empty;
    for (let i = 0; i < 50; i++) trie = trie.set(trieKey(i), 'value '.repeat(8));
    const proof = trie.proof(trieKey(3));
    expect(keccak256(proof[0]!)).toEqual(trie.root());
    for (let i = 1; i < proof.length; i++) {
      expect(bytesToHex(proof[i - 1]!)).toContain(bytesToHex(keccak256(proof[i]!)).slice(2));
    }
  });
});

/** The trie by recursion over all entries. */
function referenceRoot(entries: ReadonlyMap<string, string>): Uint8Array {
  const list = [...entries].map(([key, value]): [number[], Uint8Array] => [
    [...key].flatMap((c) => [c.charCodeAt(0) >> 4, c.charCodeAt(0) & 15]),
    Uint8Array.from(value, (c) => c.charCodeAt(0)),
  ]);
  if (list.length === 0) return EMPTY_ROOT;
  const prefix = (path: number[], leaf: boolean): Uint8Array => {
    const flag = (leaf ? 2 : 0) + (path.length % 2);
    const digits = path.length % 2 ? [flag, ...path] : [flag, 0, ...path];
    return Uint8Array.from(
      { length: digits.length / 2 },
      (_, i) => digits[2 * i]! * 16 + digits[2 * i + 1]!,
    );
  };
  const node = (items: [number[], Uint8Array][]): RlpItem => {
    if (items.length === 1) return [prefix(items[0]![0], true), items[0]![1]];
    let shared = 0;
    while (items.every(([path]) => path[shared] === items[0]![0][shared])) shared++;
    if (shared) {
      const rest = items.map(([path, value]): [number[], Uint8Array] => [
        path.slice(shared),
        value,
      ]);
      return [prefix(items[0]![0].slice(0, shared), false), reference(rest)];
    }
    const children = Array.from({ length: 16 }, (_, i) => items.filter(([path]) => path[0] === i));
    return [
      ...children.map((below) =>
        below.length
          ? reference(below.map(([path, value]) => [path.slice(1), value]))
          : new Uint8Array(0),
      ),
      new Uint8Array(0),
    ];
  };
  const reference = (items: [number[], Uint8Array][]): RlpItem => {
    const item = node(items);
    const bytes = encodeRlp(item);
    return bytes.length < 32 ? item : keccak256(bytes);
  };
  return keccak256(encodeRlp(node(list)));
}
