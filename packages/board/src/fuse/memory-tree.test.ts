import { expect, test } from 'vitest';
import { MODE_DIRECTORY, MODE_FILE } from './file-tree.ts';
import { MemoryTree } from './memory-tree.ts';

const own = { userId: 0, groupId: 0 };
const bytesOf = (text: string) => new TextEncoder().encode(text);
const contents = (tree: MemoryTree, node: number) => {
  const out = new Uint8Array(tree.attributes(node).size);
  tree.read(node, 0, out);
  return new TextDecoder().decode(out);
};
const makeTree = (bytesMax = 1000) => new MemoryTree({ now: () => 0n, bytesMax });
const makeFile = (tree: MemoryTree, name: string, content = new Uint8Array(0)) =>
  tree.create(tree.root, name, { mode: MODE_FILE | 0o644, ...own, content });

test('a fork and its origin go their own ways', () => {
  const origin = makeTree();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => makeFile(origin, name, bytesOf(name))) as [
    number,
    number,
    number,
  ];
  const fork = origin.fork();
  fork.write(a, 0, bytesOf('x'));
  origin.write(b, 0, bytesOf('y'));
  fork.write(c, 1, bytesOf('more'));
  fork.change(b, { size: 0 });
  origin.remove(1, 'c', false);
  const made = fork.create(1, 'd', { mode: MODE_DIRECTORY | 0o755, ...own });
  expect([a, b, c].map((node) => contents(fork, node))).toEqual(['x', '', 'cmore']);
  expect([a, b].map((node) => contents(origin, node))).toEqual(['a', 'y']);
  expect(fork.lookup(1, 'd')).toBe(made);
  expect(() => origin.lookup(1, 'd')).toThrow('ENOENT');
  expect([origin, fork].map((tree) => tree.statistics().bytesFree)).toEqual([998, 994]);
});

test('content that a file was made with is not changed in place', () => {
  const tree = makeTree();
  const content = bytesOf('abc');
  const node = makeFile(tree, 'a', content);
  tree.write(node, 0, bytesOf('X'));
  tree.change(node, { size: 2 });
  expect(contents(tree, node)).toBe('Xb');
  expect(content).toEqual(bytesOf('abc'));
});

test.each([
  [9, true],
  [10, true],
  [11, false],
])('a file made of %i bytes fits into ten: %s', (length, fits) => {
  const make = () => makeFile(makeTree(10), 'a', new Uint8Array(length));
  if (fits) expect(make).not.toThrow();
  else expect(make).toThrow('ENOSPC');
});

test('a sealed tree has sealed forks', () => {
  const tree = makeTree();
  tree.seal();
  expect(() => makeFile(tree.fork(), 'a')).toThrow('EROFS');
});
