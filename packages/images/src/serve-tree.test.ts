import { expect, test } from 'vitest';
import { MemoryTree } from '@polyvisor/board/fuse/memory-tree';
import type { FileNode } from './file-tree.ts';
import { insert } from './file-tree.ts';
import { fillTree, readTree } from './serve-tree.ts';
import { ROOT_FILE, file, symlink, treeOf } from './testing/make-deb.ts';

test('a guest sees the files, with links, devices, owners and times', () => {
  const shared = file('text', 0o4755);
  const attributes = { mode: 0o620, uid: 5, gid: 7, modifiedSeconds: 99 };
  const console: FileNode = { kind: 'character', attributes, major: 5, minor: 300 };
  const root = treeOf({ 'usr/bin/a': shared, b: shared, bin: symlink('usr/bin'), console });
  const xattrs = new Map([['user.x', Uint8Array.of(1)]]);
  insert(root, 'x', {
    kind: 'file',
    attributes: { ...ROOT_FILE, xattrs },
    content: new Uint8Array(0),
  });
  const tree = new MemoryTree({ now: () => 0n });
  fillTree(tree, root);

  const at = (name: string, directory = tree.root): number => tree.lookup(directory, name);
  const a = at('a', at('bin', at('usr')));
  expect(tree.attributes(a)).toMatchObject({ mode: 0o104755, links: 2, size: 4 });
  expect(at('b')).toBe(a);
  const content = new Uint8Array(4);
  tree.read(a, 0, content);
  expect(Buffer.from(content).toString()).toBe('text');
  expect(Buffer.from(tree.target(at('bin'))).toString()).toBe('usr/bin');
  expect(tree.attributes(at('console'))).toMatchObject({
    mode: 0o020620,
    userId: 5,
    groupId: 7,
    device: 0x10052c,
    modifiedNs: 99_000_000_000n,
  });
  expect(tree.extended(at('x'))).toEqual(xattrs);
  expect(tree.attributes(at('usr')).modifiedNs).toBe(0n);
  expect(readTree(tree)).toEqual(root);
});

test('what a guest changes is read back', () => {
  const tree = new MemoryTree({ now: () => 5_000_000_000n });
  fillTree(tree, treeOf({ a: 'old', b: 'gone' }));
  tree.write(tree.lookup(tree.root, 'a'), 0, Buffer.from('new'));
  tree.remove(tree.root, 'b', false);
  tree.create(tree.root, 'pipe', { mode: 0o010600, userId: 1, groupId: 2 });
  const attributes = { uid: 1, gid: 2, modifiedSeconds: 5 };
  const { children } = readTree(tree);
  expect([...children.keys()]).toEqual(['a', 'pipe']);
  expect(children.get('a')).toMatchObject({ content: new Uint8Array(Buffer.from('new')) });
  expect(children.get('pipe')).toEqual({
    kind: 'fifo',
    attributes: { ...attributes, mode: 0o600 },
  });
});
