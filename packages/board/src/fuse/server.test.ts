import { beforeEach, describe, expect, test } from 'vitest';
import { StateReader, StateWriter } from '../state.ts';
import { FuseClient, type FuseAnswer } from '../testing/fuse-client.ts';
import { MODE_DIRECTORY, MODE_FILE, faultNumbers } from './file-tree.ts';
import { EXTENDED_BYTES_MAX, MemoryTree } from './memory-tree.ts';
import { FuseServer, OPEN_DIRECTORIES_MAX, TRANSFER_BYTES_MAX } from './server.ts';

const ROOT = 1;
const BYTES_MAX = 65_536;
const NODES_MAX = 16;
let nowNs: bigint;
let tree: MemoryTree;
let server: FuseServer;
let client: FuseClient;

beforeEach(() => {
  nowNs = 1_000_000_000n;
  tree = new MemoryTree({ now: () => nowNs, bytesMax: BYTES_MAX, nodesMax: NODES_MAX });
  server = new FuseServer(tree);
  client = new FuseClient(server);
});

const nodeOf = ({ error, view }: FuseAnswer) => {
  expect(error).toBe(0);
  return Number(view.getBigUint64(0, true));
};
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytesOf = (value: string) => new TextEncoder().encode(value);
const makeFile = (name: string, directory = ROOT) =>
  nodeOf(client.ask('CREATE', directory, [0, MODE_FILE | 0o644, 0, 0, name]));
const makeDirectory = (name: string, directory = ROOT) =>
  nodeOf(client.ask('MKDIR', directory, [0o755, 0, name]));
const write = (node: number, offset: bigint, data: Uint8Array) =>
  client.ask('WRITE', node, [0n, offset, data.length, 0, 0n, 0, 0, data]);
const read = (node: number, offset: bigint, size: number, room?: number) =>
  client.ask('READ', node, [0n, offset, size, 0, 0n, 0, 0], room);
const lookup = (name: string, directory = ROOT) => client.ask('LOOKUP', directory, [name]);
const sizeOf = (node: number) =>
  Number(client.ask('GETATTR', node, [0, 0, 0n]).view.getBigUint64(24, true));
/** `valid` and what it names; the rest is zero. */
const setAttributes = (
  node: number,
  valid: number,
  fields: { size?: bigint; mode?: number; seconds?: bigint } = {},
) => {
  const { size = 0n, mode = 0, seconds = 0n } = fields;
  const times = [seconds, seconds, 0n, 5, 6, 0];
  return client.ask('SETATTR', node, [valid, 0, 0n, size, 0n, ...times, mode, 0, 7, 8, 0]);
};
function list(
  node: number,
  operation: 'READDIR' | 'READDIRPLUS' = 'READDIR',
  room = 2 ** 16,
): string[] {
  const handle = client.ask('OPENDIR', node, [0, 0]).view.getBigUint64(0, true);
  const names: string[] = [];
  for (let offset = 0n; ;) {
    const { bytes, view } = client.ask(
      operation,
      node,
      [handle, offset, room, 0, 0n, 0, 0],
      room + 16,
    );
    if (bytes.length === 0) break;
    for (let at = 0; at < bytes.length;) {
      if (operation === 'READDIRPLUS') at += 128;
      const length = view.getUint32(at + 16, true);
      offset = view.getBigUint64(at + 8, true);
      names.push(text(bytes.subarray(at + 24, at + 24 + length)));
      at += (24 + length + 7) & ~7;
    }
  }
  client.ask('RELEASEDIR', node, [handle, 0, 0, 0n]);
  return names;
}

test('INIT agrees on the version, on what is known of the flags, and on 1 MiB a transfer', () => {
  const { view } = client.ask('INIT', ROOT, [7, 38, 4096, 0xffff_ffff]);
  expect([view.getUint32(0, true), view.getUint32(4, true)]).toEqual([7, 38]);
  expect(view.getUint32(12, true)).toBe(0xc4_6029);
  expect([view.getUint32(20, true), view.getUint16(28, true)]).toEqual([TRANSFER_BYTES_MAX, 256]);
});

describe('files', () => {
  test('what is written is read, up to the end', () => {
    const node = makeFile('a');
    expect(write(node, 3n, bytesOf('hello')).view.getUint32(0, true)).toBe(5);
    expect([...read(node, 0n, 100).bytes]).toEqual([0, 0, 0, ...bytesOf('hello')]);
    expect(text(read(node, 6n, 100).bytes)).toBe('lo');
    expect(text(read(node, 3n, 2).bytes)).toBe('he');
    expect(read(node, 9n, 100).bytes).toHaveLength(0);
    expect(text(read(node, 3n, 100, 16 + 3).bytes)).toBe('hel');
  });

  test('belong to who made them', () => {
    const { view } = client.ask('GETATTR', makeFile('a'), [0, 0, 0n]);
    const at = 16 + 60;
    expect([0, 1, 2, 3].map((i) => view.getUint32(at + 4 * i, true))).toEqual([
      MODE_FILE | 0o644,
      1,
      1000,
      100,
    ]);
  });

  test('shrink and grow with zeros; opening may empty them', () => {
    const node = makeFile('a');
    write(node, 0n, bytesOf('hello'));
    setAttributes(node, 8, { size: 2n });
    setAttributes(node, 8, { size: 4n });
    expect([...read(node, 0n, 100).bytes]).toEqual([0x68, 0x65, 0, 0]);
    client.ask('OPEN', node, [0o1000, 0]);
    expect(sizeOf(node)).toBe(0);
  });

  test('have permissions, owners and times that can be set', () => {
    const node = makeFile('a');
    const { view } = setAttributes(node, 1 | 2 | 4 | 16 | 32, { mode: 0o177600, seconds: 99n });
    expect(view.getUint32(16 + 60, true)).toBe(MODE_FILE | 0o7600);
    expect([view.getUint32(16 + 68, true), view.getUint32(16 + 72, true)]).toEqual([7, 8]);
    expect([view.getBigUint64(16 + 24, true), view.getUint32(16 + 48, true)]).toEqual([99n, 5]);
    nowNs = 5_000_000_000n;
    const now = setAttributes(node, 32 | 256).view;
    expect(now.getBigUint64(16 + 32, true)).toBe(5n);
  });

  test.each([
    [BYTES_MAX - 1, 0],
    [BYTES_MAX, 0],
    [BYTES_MAX + 1, -faultNumbers.ENOSPC],
  ])('of %i bytes in a tree of 65536 answer %i', (size, error) => {
    const node = makeFile('a');
    expect(setAttributes(node, 8, { size: BigInt(size) }).error).toBe(error);
    expect(write(node, BigInt(size) - 1n, Uint8Array.of(1)).error).toBe(error);
  });

  test('an offset beyond all numbers is too big; a write of nothing changes nothing', () => {
    const node = makeFile('a');
    expect(write(node, -1n, Uint8Array.of(1)).error).toBe(-faultNumbers.EFBIG);
    expect(write(node, 100n, new Uint8Array(0)).error).toBe(0);
    expect(sizeOf(node)).toBe(0);
  });
});

describe('names', () => {
  test('are found, and gone once removed', () => {
    const node = makeFile('a');
    expect(nodeOf(lookup('a'))).toBe(node);
    client.ask('UNLINK', ROOT, ['a']);
    expect(lookup('a').error).toBe(-faultNumbers.ENOENT);
  });

  test('a node without a name lives until the kernel forgets it', () => {
    const node = makeFile('a');
    lookup('a');
    write(node, 0n, bytesOf('x'));
    client.ask('UNLINK', ROOT, ['a']);
    expect(text(read(node, 0n, 9).bytes)).toBe('x');
    expect(client.send(2, node, [1n], 0)).toBeUndefined();
    expect(text(read(node, 0n, 9).bytes)).toBe('x');
    client.send(42, 0, [1, 0, BigInt(node), 1n], 0);
    expect(read(node, 0n, 9).error).toBe(-faultNumbers.ENOENT);
    expect(tree.statistics().bytesFree).toBe(BYTES_MAX);
  });

  test('several may lead to one file', () => {
    const node = makeFile('a');
    expect(nodeOf(client.ask('LINK', ROOT, [BigInt(node), 'b']))).toBe(node);
    client.ask('UNLINK', ROOT, ['a']);
    expect(nodeOf(lookup('b'))).toBe(node);
    expect(client.ask('LINK', ROOT, [BigInt(makeDirectory('d')), 'c']).error).toBe(
      -faultNumbers.EISDIR,
    );
  });

  test('a symbolic link tells where it points', () => {
    const node = nodeOf(client.ask('SYMLINK', ROOT, ['link', '/to/there']));
    expect(text(client.ask('READLINK', node).bytes)).toBe('/to/there');
    expect(client.ask('READLINK', makeFile('a')).error).toBe(-faultNumbers.EINVAL);
  });

  test('a device node has its number', () => {
    const node = nodeOf(client.ask('MKNOD', ROOT, [0o020600, 0x501, 0, 0, 'console']));
    const { view } = client.ask('GETATTR', node, [0, 0, 0n]);
    expect([view.getUint32(16 + 60, true), view.getUint32(16 + 76, true)]).toEqual([
      0o020600, 0x501,
    ]);
  });

  test.each<[string, string, number]>([
    ['exists', 'a', faultNumbers.EEXIST],
    ['is empty', '', faultNumbers.EINVAL],
    ['is a dot', '.', faultNumbers.EINVAL],
    ['is two dots', '..', faultNumbers.EINVAL],
    ['has a slash', 'x/y', faultNumbers.EINVAL],
    ['has 256 bytes', 'x'.repeat(256), faultNumbers.ENAMETOOLONG],
  ])('one that %s is refused', (_, name, fault) => {
    makeFile('a');
    expect(client.ask('MKDIR', ROOT, [0o755, 0, name]).error).toBe(-fault);
  });

  test.each([254, 255])('one of %i bytes is fine', (length) => {
    makeFile('x'.repeat(length));
    expect(list(ROOT)).toEqual(['.', '..', 'x'.repeat(length)]);
  });

  test('a tree holds so many nodes', () => {
    for (let i = 1; i < NODES_MAX; i++) makeFile(`f${i}`);
    expect(client.ask('MKDIR', ROOT, [0o755, 0, 'more']).error).toBe(-faultNumbers.ENOSPC);
  });
});

describe('directories', () => {
  test.each(['READDIR', 'READDIRPLUS'] as const)('are listed by %s, in pieces', (operation) => {
    for (const name of ['a', 'bb', 'ccccccccc']) makeFile(name);
    const all = ['.', '..', 'a', 'bb', 'ccccccccc'];
    expect(list(ROOT, operation)).toEqual(all);
    expect(list(ROOT, operation, 200)).toEqual(all);
  });

  test('a listing is what was there when it was opened', () => {
    makeFile('a');
    const handle = client.ask('OPENDIR', ROOT, [0, 0]).view.getBigUint64(0, true);
    client.ask('UNLINK', ROOT, ['a']);
    const { bytes } = client.ask('READDIRPLUS', ROOT, [handle, 2n, 4096, 0, 0n, 0, 0]);
    expect(text(bytes.subarray(128 + 24, 128 + 25))).toBe('a');
  });

  test('count their subdirectories as links, and go when they are empty', () => {
    const node = makeDirectory('d');
    makeDirectory('e', node);
    expect(client.ask('GETATTR', node, [0, 0, 0n]).view.getUint32(16 + 64, true)).toBe(3);
    expect(client.ask('RMDIR', ROOT, ['d']).error).toBe(-faultNumbers.ENOTEMPTY);
    client.ask('RMDIR', node, ['e']);
    expect(client.ask('RMDIR', ROOT, ['d']).error).toBe(0);
    expect(client.ask('MKDIR', node, [0, 0, 'late']).error).toBe(-faultNumbers.ENOENT);
  });

  test('are not files, nor files them', () => {
    const directory = makeDirectory('d');
    const file = makeFile('a');
    expect(read(directory, 0n, 1).error).toBe(-faultNumbers.EISDIR);
    expect(client.ask('UNLINK', ROOT, ['d']).error).toBe(-faultNumbers.EISDIR);
    expect(client.ask('RMDIR', ROOT, ['a']).error).toBe(-faultNumbers.ENOTDIR);
    expect(lookup('x', file).error).toBe(-faultNumbers.ENOTDIR);
  });

  test('so many are open at once', () => {
    for (let i = 0; i < OPEN_DIRECTORIES_MAX; i++) client.ask('OPENDIR', ROOT, [0, 0]);
    expect(client.ask('OPENDIR', ROOT, [0, 0]).error).toBe(-faultNumbers.ENFILE);
    client.ask('RELEASEDIR', ROOT, [5n, 0, 0, 0n]);
    expect(client.ask('OPENDIR', ROOT, [0, 0]).error).toBe(0);
  });
});

test.each([
  [11, -faultNumbers.ENFILE],
  [12, 0],
  [13, 0],
])('with %i entries to remember, a third opening of four entries answers %i', (max, error) => {
  client = new FuseClient(new FuseServer(tree, max));
  makeFile('a');
  makeFile('b');
  client.ask('OPENDIR', ROOT, [0, 0]);
  const handle = client.ask('OPENDIR', ROOT, [0, 0]).view.getBigUint64(0, true);
  expect(client.ask('OPENDIR', ROOT, [0, 0]).error).toBe(error);
  client.ask('RELEASEDIR', ROOT, [handle, 0, 0, 0n]);
  if (error !== 0) expect(client.ask('OPENDIR', ROOT, [0, 0]).error).toBe(0);
});

describe('renaming', () => {
  const rename = (from: number, name: string, to: number, newName: string, flags = 0) =>
    client.ask('RENAME2', from, [BigInt(to), flags, 0, name, newName]).error;

  test('moves, and replaces what was there', () => {
    const directory = makeDirectory('d');
    const a = makeFile('a');
    makeFile('b', directory);
    expect(rename(ROOT, 'a', directory, 'b')).toBe(0);
    expect(nodeOf(lookup('b', directory))).toBe(a);
    expect(list(ROOT)).toEqual(['.', '..', 'd']);
    expect(client.ask('RENAME', directory, [1n, 'b', 'c']).error).toBe(0);
    expect(nodeOf(lookup('c'))).toBe(a);
  });

  test('exchanges, or insists on a new name', () => {
    const [a, b] = [makeFile('a'), makeFile('b')];
    expect(rename(ROOT, 'a', ROOT, 'b', 1)).toBe(-faultNumbers.EEXIST);
    expect(rename(ROOT, 'a', ROOT, 'b', 2)).toBe(0);
    expect([nodeOf(lookup('a')), nodeOf(lookup('b'))]).toEqual([b, a]);
    expect(rename(ROOT, 'a', ROOT, 'c', 2)).toBe(-faultNumbers.ENOENT);
    expect(rename(ROOT, 'a', ROOT, 'c', 3)).toBe(-faultNumbers.EINVAL);
  });

  test('does not put a directory into itself, nor over a file', () => {
    const directory = makeDirectory('d');
    const inner = makeDirectory('e', directory);
    makeFile('a');
    expect(rename(ROOT, 'd', inner, 'd')).toBe(-faultNumbers.EINVAL);
    expect(rename(ROOT, 'd', ROOT, 'a')).toBe(-faultNumbers.ENOTDIR);
    expect(rename(ROOT, 'a', ROOT, 'd')).toBe(-faultNumbers.EISDIR);
    expect(rename(directory, 'e', ROOT, 'e')).toBe(0);
    expect(tree.parent(inner)).toBe(ROOT);
  });

  test('of two names of one file does nothing', () => {
    const a = makeFile('a');
    client.ask('LINK', ROOT, [BigInt(a), 'b']);
    expect(rename(ROOT, 'a', ROOT, 'b')).toBe(0);
    expect(list(ROOT)).toEqual(['.', '..', 'a', 'b']);
  });
});

describe('extended attributes', () => {
  const set = (node: number, name: string, value: Uint8Array, flags = 0) =>
    client.ask('SETXATTR', node, [value.length, flags, name, value]).error;

  test('are set, got, listed and removed', () => {
    const node = makeFile('a');
    expect(set(node, 'user.x', bytesOf('value'))).toBe(0);
    expect(client.ask('GETXATTR', node, [0, 0, 'user.x']).view.getUint32(0, true)).toBe(5);
    expect(text(client.ask('GETXATTR', node, [5, 0, 'user.x']).bytes)).toBe('value');
    expect(client.ask('GETXATTR', node, [4, 0, 'user.x']).error).toBe(-faultNumbers.ERANGE);
    expect(text(client.ask('LISTXATTR', node, [100, 0]).bytes)).toBe('user.x\0');
    expect(client.ask('REMOVEXATTR', node, ['user.x']).error).toBe(0);
    expect(client.ask('GETXATTR', node, [5, 0, 'user.x']).error).toBe(-faultNumbers.ENODATA);
    expect(client.ask('REMOVEXATTR', node, ['user.x']).error).toBe(-faultNumbers.ENODATA);
  });

  test('are new or old as is asked for', () => {
    const node = makeFile('a');
    expect(set(node, 'x', bytesOf('1'), 2)).toBe(-faultNumbers.ENODATA);
    expect(set(node, 'x', bytesOf('1'), 1)).toBe(0);
    expect(set(node, 'x', bytesOf('1'), 1)).toBe(-faultNumbers.EEXIST);
  });

  test.each([
    [-1, 0],
    [0, 0],
    [1, -faultNumbers.ENOSPC],
  ])('up to their limit and %i bytes answer %i', (more, error) => {
    expect(set(makeFile('a'), 'x', new Uint8Array(EXTENDED_BYTES_MAX - 1 + more))).toBe(error);
  });
});

test('statistics tell what is left', () => {
  setAttributes(makeFile('a'), 8, { size: 8192n });
  const { view } = client.ask('STATFS', ROOT);
  expect([0, 8, 24, 32].map((at) => Number(view.getBigUint64(at, true)))).toEqual([16, 14, 16, 14]);
});

test('a sealed tree is read only', () => {
  const node = makeFile('a');
  tree.seal();
  expect(write(node, 0n, bytesOf('x')).error).toBe(-faultNumbers.EROFS);
  expect(client.ask('UNLINK', ROOT, ['a']).error).toBe(-faultNumbers.EROFS);
  expect(setAttributes(node, 1, { mode: 0 }).error).toBe(-faultNumbers.EROFS);
  expect(read(node, 0n, 1).error).toBe(0);
});

test('what is unknown or cut short is an error, and what is no request has no answer', () => {
  expect(client.send(99, ROOT, [], 100)).toHaveLength(16);
  expect(client.ask('FLUSH', ROOT, [0n, 0, 0, 0n]).error).toBe(-faultNumbers.ENOSYS);
  expect(client.ask('READ', ROOT).error).toBe(-faultNumbers.EINVAL);
  expect(client.ask('UNLINK', ROOT, [bytesOf('no end')]).error).toBe(-faultNumbers.EINVAL);
  expect(client.ask('GETATTR', 77, [0, 0, 0n]).error).toBe(-faultNumbers.ENOENT);
  expect(client.ask('STATFS', ROOT, [], 20).error).toBe(-faultNumbers.EINVAL);
  expect(client.send(17, ROOT, [], 15)).toBeUndefined();
  expect(client.send(36, ROOT, [0n], 100)).toBeUndefined();
  expect(server.serve(new Uint8Array(39), 100)).toBeUndefined();
});

test('state goes on in another server over the same tree', () => {
  const node = makeFile('a');
  const handle = client.ask('OPENDIR', ROOT, [0, 0]).view.getBigUint64(0, true);
  client.ask('UNLINK', ROOT, ['a']);
  const out = new StateWriter();
  server.saveState(out);
  const other = new FuseServer(tree);
  other.loadState(new StateReader(out.finish()));
  client = new FuseClient(other);
  const { bytes } = client.ask('READDIR', ROOT, [handle, 2n, 4096, 0, 0n, 0, 0]);
  expect(text(bytes.subarray(24, 25))).toBe('a');
  client.send(2, node, [1n], 0);
  expect(tree.statistics().nodesFree).toBe(NODES_MAX - 1);
});

test('state of another tree is refused', () => {
  makeFile('a');
  const out = new StateWriter();
  server.saveState(out);
  const other = new FuseServer(new MemoryTree({ now: () => 0n }));
  expect(() => other.loadState(new StateReader(out.finish()))).toThrow('another tree');
});

test('the root is a directory', () => {
  const { view } = client.ask('GETATTR', ROOT, [0, 0, 0n]);
  expect(view.getUint32(16 + 60, true)).toBe(MODE_DIRECTORY | 0o755);
});
