import { describe, expect, test } from 'vitest';
import { SnapshotTree } from './snapshots.ts';

const facts = (name?: string): { name: string | undefined; takenAtMs: number; head: string } => ({
  name,
  takenAtMs: 1,
  head: '0',
});

describe('the tree', () => {
  test('snapshots in a row are each the child of the one before', () => {
    const tree = new SnapshotTree<string>();
    tree.take('a', facts());
    tree.take('b', facts());
    expect(tree.list().map(({ id, parent }) => [id, parent])).toEqual([
      ['s1', undefined],
      ['s2', 's1'],
    ]);
  });

  test('after going back, the next snapshot is a sibling', () => {
    const tree = new SnapshotTree<string>();
    tree.take('a', facts('root'));
    tree.take('b', facts());
    tree.moveTo('root');
    expect(tree.take('c', facts()).parent).toBe('s1');
    expect(tree.currentId).toBe('s3');
  });

  test('a state is found by id and by name', () => {
    const tree = new SnapshotTree<string>();
    tree.take('a', facts('before'));
    expect([tree.state('s1'), tree.state('before')]).toEqual(['a', 'a']);
  });

  test('children of a removed snapshot become its parent’s', () => {
    const tree = new SnapshotTree<string>();
    for (const state of ['a', 'b', 'c']) tree.take(state, facts());
    const { children } = tree.remove('s2');
    expect(children).toMatchObject([{ id: 's3', parent: 's1' }]);
    expect(tree.list().map(({ id }) => id)).toEqual(['s1', 's3']);
  });

  test('removing the current snapshot makes its parent current', () => {
    const tree = new SnapshotTree<string>();
    tree.take('a', facts());
    tree.take('b', facts());
    tree.remove('s2');
    expect(tree.currentId).toBe('s1');
  });

  test('ids are never given twice, adopted ones included', () => {
    const tree = new SnapshotTree<string>();
    tree.adopt({ id: 's7', parent: undefined, ...facts() }, () => 'x');
    expect(tree.take('y', facts()).id).toBe('s8');
    tree.remove('s8');
    expect(tree.take('z', facts()).id).toBe('s9');
  });

  test('an adopted state is loaded once, when first asked for', () => {
    const tree = new SnapshotTree<string>();
    let loads = 0;
    tree.adopt({ id: 's1', parent: undefined, ...facts() }, () => `load ${++loads}`);
    expect([tree.state('s1'), tree.state('s1'), loads]).toEqual(['load 1', 'load 1', 1]);
  });
});

describe('mistakes', () => {
  test('an unknown snapshot names those that exist', () => {
    const tree = new SnapshotTree<string>();
    tree.take('a', facts('before'));
    expect(() => tree.state('after')).toThrow(
      expect.objectContaining({ code: 'no-snapshot', hint: 'it has before' }),
    );
  });

  test('a name is taken once', () => {
    const tree = new SnapshotTree<string>();
    tree.take('a', facts('x'));
    expect(() => tree.take('b', facts('x'))).toThrow(
      expect.objectContaining({ code: 'snapshot-name-taken' }),
    );
  });

  test('the limit is the last one that fits', () => {
    const tree = new SnapshotTree<string>({ snapshotsMax: 3 });
    for (const state of ['a', 'b', 'c']) tree.take(state, facts());
    expect(() => tree.take('d', facts())).toThrow(
      expect.objectContaining({ code: 'snapshots-full' }),
    );
  });
});
