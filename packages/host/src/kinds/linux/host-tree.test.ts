import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { MODE_DIRECTORY, MODE_FILE, MODE_LINK } from '@polyvisor/board/fuse/file-tree';
import { FuseServer } from '@polyvisor/board/fuse/server';
import { FuseClient } from '@polyvisor/board/testing/fuse-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TemporaryDirectory } from '../../testing/temporary-directory.ts';
import { preciseSeconds } from './file-times.ts';
import { HostTree } from './host-tree.ts';

const own = { userId: process.getuid?.() ?? 0, groupId: process.getgid?.() ?? 0 };
const file = { mode: MODE_FILE | 0o640, ...own };
const folder = { mode: MODE_DIRECTORY | 0o755, ...own };

describe.skipIf(process.platform !== 'linux')('a folder of the host', () => {
  let directory: TemporaryDirectory;
  let shared: string;
  let outside: string;
  let tree: HostTree;
  const text = (node: number): string => {
    const into = new Uint8Array(100);
    return Buffer.from(into.subarray(0, tree.read(node, 0, into))).toString();
  };
  const held = (parent: number, name: string): number => {
    const node = tree.lookup(parent, name);
    tree.hold(node);
    return node;
  };
  const made = (parent: number, name: string, what = file): number => {
    const node = tree.create(parent, name, what);
    tree.hold(node);
    return node;
  };

  beforeEach(() => {
    directory = new TemporaryDirectory();
    shared = join(directory.path, 'shared');
    outside = join(directory.path, 'outside');
    mkdirSync(shared);
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret'), 'secret');
    tree = new HostTree(shared, { isReadOnly: false });
  });

  afterEach(() => {
    tree[Symbol.dispose]();
    directory[Symbol.dispose]();
  });

  test('is read and written as it is', () => {
    mkdirSync(join(shared, 'a'));
    writeFileSync(join(shared, 'a/b'), 'hello');
    const a = held(tree.root, 'a');
    const b = held(a, 'b');
    expect([text(b), tree.parent(a)]).toEqual(['hello', tree.root]);
    tree.write(b, 5, Buffer.from(' you'));
    tree.change(b, { mode: 0o600, modifiedNs: -1_500_000n });
    expect(readFileSync(join(shared, 'a/b'), 'utf8')).toBe('hello you');
    tree.change(b, { size: 3 });
    expect(tree.attributes(b)).toMatchObject({ size: 3, mode: MODE_FILE | 0o600 });
    tree.link(b, tree.root, 'c');
    expect([tree.lookup(tree.root, 'c'), tree.attributes(b).links]).toEqual([b, 2]);
    tree.rename({ directory: a, name: 'b' }, { directory: tree.root, name: 'd' }, 'replace');
    expect(readdirSync(shared).toSorted()).toEqual(['a', 'c', 'd']);
    expect(text(b)).toBe('hel');
    tree.remove(tree.root, 'a', true);
    expect(() => tree.lookup(tree.root, 'a')).toThrow('ENOENT');
  });

  test('makes files, folders and links with the permissions that it is told, and no devices', () => {
    const umask = process.umask(0o077);
    try {
      const sub = made(tree.root, 'sub', { ...folder, mode: MODE_DIRECTORY | 0o777 });
      made(sub, 'file', { ...file, mode: MODE_FILE | 0o666 });
      const content = Buffer.from('/etc/passwd');
      const link = tree.create(sub, 'link', { mode: MODE_LINK | 0o777, ...own, content });
      expect(Buffer.from(tree.target(link)).toString()).toBe('/etc/passwd');
    } finally {
      process.umask(umask);
    }
    expect(lstatSync(join(shared, 'sub')).mode & 0o777).toBe(0o777);
    expect(lstatSync(join(shared, 'sub/file')).mode & 0o777).toBe(0o666);
    expect(() => tree.create(tree.root, 'tty', { mode: 0o020600, ...own })).toThrow('EPERM');
  });

  test.each([
    ['of any bytes', '\xff\xfe\n"\\'],
    ['as long as can be', 'n'.repeat(255)],
  ])('has names %s', (_, name) => {
    made(tree.root, name);
    expect(tree.entries(tree.root).map((entry) => entry.name)).toEqual([name]);
    expect(() => tree.create(tree.root, name, file)).toThrow('EEXIST');
  });

  test('says so when a name is too long', () => {
    expect(() => tree.create(tree.root, 'n'.repeat(256), file)).toThrow('ENAMETOOLONG');
  });

  test('links that lead out of it are links, and nothing is behind them', () => {
    symlinkSync(outside, join(shared, 'way-out'));
    symlinkSync(join(outside, 'secret'), join(shared, 'file-out'));
    const [way, secret] = [held(tree.root, 'way-out'), held(tree.root, 'file-out')];
    expect(() => tree.lookup(way, 'secret')).toThrow(/ENOTDIR|ELOOP/);
    expect(() => tree.entries(way)).toThrow(/ENOTDIR|ELOOP/);
    expect(() => tree.create(way, 'new', file)).toThrow(/ENOTDIR|ELOOP/);
    expect(() => text(secret)).toThrow('EINVAL');
    expect(() => tree.write(secret, 0, Buffer.from('x'))).toThrow('EINVAL');
    expect(() => tree.change(secret, { size: 0 })).toThrow('EINVAL');
    expect(() => tree.change(secret, { mode: 0o777 })).toThrow('EINVAL');
    tree.change(secret, { modifiedNs: 0n, accessedNs: 0n });
    expect(lstatSync(join(outside, 'secret')).mtimeMs).not.toBe(0);
    expect(lstatSync(join(shared, 'file-out')).mtimeMs).toBe(0);
    expect(() => tree.create(tree.root, 'file-out', file)).toThrow('EEXIST');
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  });

  test('a folder that becomes a link while the guest has it leads nowhere', () => {
    mkdirSync(join(shared, 'a/b'), { recursive: true });
    const b = held(held(tree.root, 'a'), 'b');
    renameSync(join(shared, 'a/b'), join(shared, 'a/c'));
    symlinkSync(outside, join(shared, 'a/b'));
    // It was never opened before.
    expect(() => tree.lookup(b, 'secret')).toThrow(/ENOTDIR|ESTALE/);
  });

  test('a file that others replace is another, and one that becomes a link is not followed', () => {
    writeFileSync(join(shared, 'a'), 'first');
    const first = held(tree.root, 'a');
    writeFileSync(join(shared, 'new'), 'second');
    renameSync(join(shared, 'new'), join(shared, 'a'));
    expect(() => text(first)).toThrow('ESTALE');
    const second = held(tree.root, 'a');
    expect(text(second)).toBe('second');
    const third = made(tree.root, 'b');
    tree.release(third);
    rmSync(join(shared, 'b'));
    symlinkSync(join(outside, 'secret'), join(shared, 'b'));
    expect(() => tree.read(third, 0, new Uint8Array(9))).toThrow('ENOENT');
  });

  test('a pipe is not opened', () => {
    spawnSync('mkfifo', [join(shared, 'pipe')]);
    const pipe = held(tree.root, 'pipe');
    expect(() => text(pipe)).toThrow('EINVAL');
    expect(() => tree.write(pipe, 0, Buffer.from('x'))).toThrow('EINVAL');
  });

  test('what is removed or replaced lives while it is held', () => {
    const a = made(tree.root, 'a');
    tree.write(a, 0, Buffer.from('kept'));
    tree.remove(tree.root, 'a', false);
    const b = made(tree.root, 'b');
    tree.write(b, 0, Buffer.from('old'));
    made(tree.root, 'c');
    tree.rename(
      { directory: tree.root, name: 'c' },
      { directory: tree.root, name: 'b' },
      'replace',
    );
    for (let i = 0; i < 100; i++) tree.write(made(tree.root, `f${i}`), 0, Buffer.from('x'));
    expect([text(a), text(b), tree.attributes(a).links]).toEqual(['kept', 'old', 0]);
    tree.write(a, 4, Buffer.from('!'));
    expect(text(a)).toBe('kept!');
    tree.release(a);
    expect(() => text(a)).toThrow('ENOENT');
  });

  test('read-only, nothing in it changes', () => {
    writeFileSync(join(shared, 'a'), 'x');
    linkSync(join(shared, 'a'), join(shared, 'b'));
    using fixed = new HostTree(shared, { isReadOnly: true });
    const a = fixed.lookup(fixed.root, 'a');
    fixed.hold(a);
    const place = { directory: fixed.root, name: 'a' };
    for (const change of [
      () => fixed.write(a, 0, Buffer.from('y')),
      () => fixed.change(a, { size: 0 }),
      () => fixed.create(fixed.root, 'c', file),
      () => fixed.link(a, fixed.root, 'c'),
      () => fixed.remove(fixed.root, 'a', false),
      () => fixed.rename(place, { ...place, name: 'c' }, 'replace'),
    ]) {
      expect(change).toThrow('EROFS');
    }
    expect(readFileSync(join(shared, 'b'), 'utf8')).toBe('x');
  });

  test.each([
    [2, 'ENFILE'],
    [3, undefined],
  ])('with a limit of %i nodes, two beside the root: %s', (nodesMax, fault) => {
    for (const name of ['a', 'b']) writeFileSync(join(shared, name), '');
    using small = new HostTree(shared, { isReadOnly: false, nodesMax });
    small.hold(small.lookup(small.root, 'a'));
    const hold = () => small.hold(small.lookup(small.root, 'b'));
    if (fault === undefined) expect(hold).not.toThrow();
    else expect(hold).toThrow(fault);
  });

  test('a kernel hears of errors by number, and asks again for what others may change', () => {
    writeFileSync(join(shared, 'a'), 'x');
    const client = new FuseClient(new FuseServer(tree));
    const { error, view } = client.ask('LOOKUP', 1, ['a']);
    expect([error, view.getBigUint64(16, true)]).toEqual([0, 1n]);
    const node = Number(view.getBigUint64(0, true));
    expect(client.ask('UNLINK', 1, ['none']).error).toBe(-2);
    expect(client.ask('RMDIR', 1, ['a']).error).toBe(-20);
    expect(client.ask('LOOKUP', 1, ['..']).error).toBe(-22);
    expect(client.ask('LOOKUP', 1, ['../outside']).error).toBe(-22);
    expect(client.ask('GETXATTR', node, [8, 0, 'user.a']).error).toBe(-38);
    chmodSync(join(shared, 'a'), 0o600);
    expect(existsSync(join(shared, 'a'))).toBe(true);
  });

  test('that is not there is the host’s mistake', () => {
    const open = () => new HostTree(join(shared, 'none'), { isReadOnly: true });
    expect(open).toThrow(expect.objectContaining({ code: 'share-folder' }));
  });
});

test.each([0n, 1n, 999n, 1_700_000_000_123_457_001n, 1_764_072_000_000_001_999n])(
  'a time of %d ns is kept to the microsecond',
  (timeNs) => {
    const seconds = preciseSeconds(timeNs);
    const nanoseconds = BigInt(Math.trunc((seconds % 1) * 1e9));
    const stored = BigInt(Math.trunc(seconds)) * 1_000_000_000n + nanoseconds;
    expect(stored / 1000n).toBe(timeNs / 1000n);
  },
);
