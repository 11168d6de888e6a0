import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { HostError } from '@polyvisor/errors/host-error';
import { insert, lookUp, makeDirectory, walk } from '../file-tree.ts';
import type { DirectoryNode, FileNode } from '../file-tree.ts';
import { ROOT_FILE, file, makeDeb, symlink, treeOf, writeAr } from '../testing/make-deb.ts';
import { readAr } from './ar.ts';
import { decompress, hasXz } from './compression.ts';
import { readCpio, writeCpio } from './cpio.ts';
import { isTar, readTar, writeTar } from './tar.ts';
import { unpackTar } from './unpack.ts';

const SEED = 20_261_125;
const ENTRIES_MAX = 10_000;
const code = (name: string): unknown => expect.objectContaining({ code: name });

function untar(archive: Uint8Array): DirectoryNode {
  const root = makeDirectory();
  unpackTar(root, archive, ENTRIES_MAX);
  return root;
}

const name = fc.oneof(
  fc.stringMatching(/^[a-z]{1,8}$/),
  fc.constantFrom('ü', 'a b', '\xe6\xbc\xa2', 'x'.repeat(120), 'y'.repeat(255)),
);
const attributes = fc.record({
  mode: fc.nat(0o7777),
  uid: fc.constantFrom(0, 1000, 0o7777777, 0o10000000),
  gid: fc.constantFrom(0, 1000, 65_534),
  modifiedSeconds: fc.nat(2 ** 31 - 1),
});
const node: fc.Arbitrary<FileNode> = fc.oneof(
  fc.record({
    kind: fc.constant('file' as const),
    attributes,
    content: fc.uint8Array({ maxLength: 1200 }),
  }),
  fc.record({
    kind: fc.constant('symlink' as const),
    attributes,
    target: fc.constantFrom('a', '../b', 'é', 'z'.repeat(200)),
  }),
  fc.record({
    kind: fc.constantFrom('character' as const, 'block' as const),
    attributes,
    major: fc.nat(255),
    minor: fc.nat(255),
  }),
  fc.record({ kind: fc.constant('fifo' as const), attributes }),
);
/** A tree of files in directories, some of them with two names. */
const tree = fc
  .array(fc.tuple(fc.array(name, { maxLength: 2 }), name, node, fc.boolean()), { maxLength: 12 })
  .map((files) => {
    const root = makeDirectory();
    for (const [directories, last, made, isTwice] of files) {
      // Only names of their own: a file must not be in the way of a directory, nor a link lead elsewhere.
      const path = [
        ...directories.map((each) => `d-${each}`.slice(0, 200)),
        `f-${last}`.slice(0, 200),
      ];
      insert(root, path.join('/'), made);
      if (isTwice) insert(root, `l-${last}`.slice(0, 200), made);
    }
    return root;
  });

/** What is in a tree, with which names are the same file. */
function listing(root: DirectoryNode): unknown[] {
  const first = new Map<FileNode, string>();
  return Array.from(walk(root), ([path, each]) => {
    const same = first.get(each) ?? path;
    first.set(each, same);
    const { attributes: about, kind } = each;
    const content = each.kind === 'file' ? Buffer.from(each.content).toString('hex') : '';
    const rest = each.kind === 'directory' ? {} : { ...each, content };
    return { path, same, ...rest, kind, mode: about.mode };
  });
}

describe('tar', () => {
  test('what is written is read again', () => {
    fc.assert(
      fc.property(tree, (root) => {
        expect(listing(untar(writeTar(root)))).toEqual(listing(root));
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  test('extended attributes survive', () => {
    const xattrs = new Map([['security.capability', Uint8Array.of(1, 0, 0, 2, 10, 61)]]);
    const ping: FileNode = {
      kind: 'file',
      attributes: { ...ROOT_FILE, xattrs },
      content: utf8ToBytes('x'),
    };
    const found = lookUp(untar(writeTar(treeOf({ ping }))), 'ping')!.attributes.xattrs!;
    expect(Array.from(found, ([key, value]) => [key, [...value]])).toEqual([
      ['security.capability', [1, 0, 0, 2, 10, 61]],
    ]);
  });

  test('what GNU tar writes is read, in both of its long forms', () => {
    const directory = mkdtempSync(join(tmpdir(), 'polyvisor-tar-'));
    try {
      const long = `${'d'.repeat(90)}/${'e'.repeat(90)}`;
      execFileSync('mkdir', ['-p', long], { cwd: directory });
      writeFileSync(join(directory, long, 'file'), 'long');
      execFileSync('ln', [join(long, 'file'), 'hard'], { cwd: directory });
      execFileSync('ln', ['-s', join(long, 'file'), 'soft'], { cwd: directory });
      for (const format of ['gnu', 'pax']) {
        const archive = execFileSync('tar', ['-c', `--format=${format}`, '.'], { cwd: directory });
        const root = untar(archive);
        const found = lookUp(root, `${long}/file`);
        expect(found).toMatchObject({ kind: 'file', content: Buffer.from('long') });
        expect(lookUp(root, 'hard')).toBe(found);
        expect(lookUp(root, 'soft')).toMatchObject({ target: `${long}/file` });
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test.each([
    [2, true],
    [3, false],
    [4, false],
  ])('three entries where %d may be fail: %s', (entriesMax, fails) => {
    const archive = writeTar(treeOf({ a: '', b: '', c: '' }));
    const read = (): unknown => [...readTar(archive, entriesMax)];
    if (fails) expect(read).toThrow(code('image-damaged'));
    else expect(read).not.toThrow();
  });

  test('files do not leave the tree', () => {
    const archive = (path: string): Uint8Array => {
      const bytes = writeTar(treeOf({ aaaaaaaaaaaa: 'x' }));
      bytes.set(utf8ToBytes(path.padEnd(12, '\0')));
      const sum = bytes
        .subarray(0, 512)
        .reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 32 : byte), 0);
      bytes.set(utf8ToBytes(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
      return bytes;
    };
    expect(() => untar(archive('../evil'))).toThrow(code('image-damaged'));
    expect([...walk(untar(archive('/abs')))].map(([path]) => path)).toEqual(['abs']);
    const root = treeOf({ out: symlink('../../../etc'), 'etc/passwd': 'root' });
    insert(root, 'out/passwd', file('changed'));
    expect(lookUp(root, 'etc/passwd')).toMatchObject({ content: utf8ToBytes('changed') });
  });

  test('a circle of links, and a file in the way', () => {
    const root = treeOf({ a: symlink('b'), b: symlink('a'), c: 'file' });
    expect(() => insert(root, 'a/x', file(''))).toThrow(code('image-damaged'));
    expect(() => insert(root, 'c/x', file(''))).toThrow(code('image-damaged'));
    expect(lookUp(root, 'c/x')).toBeUndefined();
  });
});

describe('cpio', () => {
  test('what is written is read again', () => {
    fc.assert(
      fc.property(tree, (root) => {
        expect(listing(readCpio(writeCpio(root), ENTRIES_MAX))).toEqual(listing(root));
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  test('archives that follow each other are one tree', () => {
    const both = concatBytes(
      writeCpio(treeOf({ a: '1' })),
      new Uint8Array(100),
      writeCpio(treeOf({ b: '2' })),
    );
    expect([...walk(readCpio(both, ENTRIES_MAX))].map(([path]) => path)).toEqual(['a', 'b']);
  });

  const cpio = spawnSync('cpio', ['--version']).status === 0;
  if (!cpio) console.warn('cpio is not installed: archives are checked against themselves only');
  test.skipIf(!cpio)('what GNU cpio writes is read, and it reads ours', () => {
    const directory = mkdtempSync(join(tmpdir(), 'polyvisor-cpio-'));
    try {
      writeFileSync(join(directory, 'a'), 'text');
      execFileSync('ln', ['a', 'b'], { cwd: directory });
      const options = {
        cwd: directory,
        input: 'a\nb\n',
        stdio: ['pipe', 'pipe', 'ignore'] as ('pipe' | 'ignore')[],
      };
      const archive = execFileSync('cpio', ['-o', '-H', 'newc'], options);
      const root = readCpio(archive, ENTRIES_MAX);
      expect(lookUp(root, 'a')).toMatchObject({ content: Buffer.from('text') });
      expect(lookUp(root, 'b')).toBe(lookUp(root, 'a'));
      const listed = execFileSync('cpio', ['-it'], { ...options, input: writeCpio(root) });
      expect(listed.toString()).toBe('a\nb\n');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('compression', () => {
  const content = utf8ToBytes('much the same '.repeat(100));

  test.each<[string, Uint8Array]>([
    ['none', content],
    ['gzip', gzipSync(content)],
    ['zstd', zstdCompressSync(content)],
  ])('%s, to the byte that may be', (_name, packed) => {
    expect(Buffer.compare(decompress(packed, content.length), content)).toBe(0);
    expect(() => decompress(packed, content.length - 1)).toThrow(code('image-damaged'));
  });

  if (!hasXz()) console.warn('xz is not installed: files compressed with it are not tested');
  test.skipIf(!hasXz())('xz, through its program', () => {
    const packed = execFileSync('xz', ['-c'], { input: content });
    expect(Buffer.compare(decompress(packed, content.length), content)).toBe(0);
    expect(() => decompress(packed, content.length - 1)).toThrow(code('image-damaged'));
    expect(() => decompress(packed.subarray(0, 40), 10_000)).toThrow(code('image-damaged'));
  });
});

test('ar has its members', () => {
  const members = { a: Uint8Array.of(1), 'b.tar': Uint8Array.of(2, 3) };
  expect(readAr(writeAr(members))).toEqual(new Map(Object.entries(members)));
});

test('whatever bytes are changed, reading answers or throws a HostError', () => {
  const small = treeOf({ a: 'text', b: symlink('a'), 'c/d': 'x', ['n'.repeat(150)]: 'long' });
  const archives: [Uint8Array, (bytes: Uint8Array) => unknown][] = [
    [writeTar(small), untar],
    [writeCpio(small), (bytes) => readCpio(bytes, ENTRIES_MAX)],
    [makeDeb({ control: 'Package: a', files: { a: 'b' } }), readAr],
    [writeTar(small), isTar],
  ];
  const change = fc.record({
    which: fc.nat(archives.length - 1),
    changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }),
    fixesSum: fc.boolean(),
  });
  fc.assert(
    fc.property(change, ({ which, changes, fixesSum }) => {
      const [good, read] = archives[which]!;
      const bytes = good.slice();
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      if (fixesSum) {
        bytes.fill(0x20, 148, 156);
        const sum = bytes.subarray(0, 512).reduce((all, byte) => all + byte, 0);
        bytes.set(utf8ToBytes(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
      }
      try {
        read(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(HostError);
      }
    }),
    { seed: SEED, numRuns: 5000 },
  );
});
