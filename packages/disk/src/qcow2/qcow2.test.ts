import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HostError } from '@polyvisor/errors/host-error';
import type { BlockDevice } from '../block-device.ts';
import { memoryFile } from '../file-door.ts';
import { openImage } from '../image.ts';
import type { ImageDoors } from '../image.ts';
import { nodeDecompress } from '../node-decompress.ts';
import { nodeImageDoors } from '../node-images.ts';

const SEED = 20_261_125;
const CLUSTER = 512;
/** L1 at 1, L2 at 2, data from 3 on, in clusters. */
const L1 = CLUSTER;
const L2 = 2 * CLUSTER;
const DATA = 3 * CLUSTER;

interface Made {
  readonly version?: 2 | 3;
  readonly bytes?: number;
  readonly isZstd?: boolean;
  readonly backing?: readonly [name: string, format: string | undefined];
  readonly entries: readonly bigint[];
  readonly data?: Uint8Array;
}

/** A small image by hand: clusters of 512 bytes, one L2 table. */
function make({ version = 3, bytes = 8 * CLUSTER, isZstd, backing, entries, data }: Made) {
  const image = new Uint8Array(DATA + (data?.length ?? 0));
  const view = new DataView(image.buffer);
  view.setUint32(0, 0x514649fb);
  view.setUint32(4, version);
  view.setUint32(20, 9);
  view.setBigUint64(24, BigInt(bytes));
  view.setUint32(36, 1);
  view.setBigUint64(40, BigInt(L1));
  view.setBigUint64(72, isZstd === true ? 8n : 0n);
  view.setUint32(100, 112);
  view.setUint8(104, isZstd === true ? 1 : 0);
  if (backing) {
    const [name, format] = backing;
    if (format !== undefined) {
      view.setUint32(112, 0xe2792aca);
      view.setUint32(116, format.length);
      image.set(new TextEncoder().encode(format), 120);
    }
    view.setBigUint64(8, 200n);
    view.setUint32(16, name.length);
    image.set(new TextEncoder().encode(name), 200);
  }
  view.setBigUint64(L1, BigInt(L2) | (1n << 63n));
  entries.forEach((entry, index) => view.setBigUint64(L2 + index * 8, entry));
  image.set(data ?? [], DATA);
  return image;
}

function doors(files: Readonly<Record<string, Uint8Array>>): ImageDoors {
  return {
    decompress: nodeDecompress,
    open: (name) => memoryFile(files[name] ?? new Uint8Array(0)),
    resolve: (_of, backing) => backing,
  };
}

function openOne(image: Uint8Array): BlockDevice {
  return openImage('a', 'qcow2', doors({ a: image }));
}

function contentOf(disk: BlockDevice): Uint8Array {
  const content = new Uint8Array(disk.bytes);
  disk.read(0, content);
  return content;
}

const filled = (value: number): Uint8Array => new Uint8Array(CLUSTER).fill(value);
const code = (name: string): unknown => expect.objectContaining({ code: name });

describe('clusters', () => {
  test('data, zero, not there', () => {
    const disk = openOne(make({ entries: [BigInt(DATA), 1n, 0n], data: filled(7) }));
    const expected = new Uint8Array(8 * CLUSTER);
    expected.set(filled(7));
    expect(contentOf(disk)).toEqual(expected);
  });

  test.each([false, true])('compressed, with zstd: %s', (isZstd) => {
    const content = filled(9);
    const packed = isZstd ? zstdCompressSync(content) : deflateRawSync(content);
    const data = new Uint8Array(600);
    data.set(packed, 30);
    const entry = (1n << 62n) | BigInt(DATA + 30);
    expect(contentOf(openOne(make({ isZstd, entries: [entry], data }))).subarray(0, 512)).toEqual(
      content,
    );
  });

  test('from a backing image that is shorter', () => {
    const top = make({ backing: ['b', 'raw'], entries: [0n, BigInt(DATA)], data: filled(2) });
    const disk = openImage('a', 'qcow2', doors({ a: top, b: filled(1).subarray(0, 100) }));
    const content = contentOf(disk);
    expect([content[99], content[100], content[512]]).toEqual([1, 0, 2]);
  });

  test('an image takes no writes', () => {
    expect(() => openOne(make({ entries: [] })).write(0, filled(1))).toThrow(
      code('disk-read-only'),
    );
  });
});

describe('what is refused', () => {
  test.each<[string, Made, string]>([
    ['an L2 entry that is not aligned', { entries: [BigInt(DATA + 512 * 9)] }, 'disk-damaged'],
    ['zero clusters in version 2', { version: 2, entries: [1n] }, 'disk-damaged'],
    ['broken compression', { entries: [(1n << 62n) | 512n], data: filled(255) }, 'disk-damaged'],
    ['compressed past the end', { entries: [(1n << 62n) | 99_999n] }, 'disk-damaged'],
  ])('on reading: %s', (_name, made, fault) => {
    expect(() => contentOf(openOne(make(made)))).toThrow(code(fault));
  });

  test.each<[string, number, number, string]>([
    ['another magic', 0, 1, 'image-damaged'],
    ['version 4', 4, 4, 'image-not-supported'],
    ['clusters of 2^8 bytes', 20, 8, 'image-damaged'],
    ['clusters of 2^22 bytes', 20, 22, 'image-damaged'],
    ['encryption', 32, 1, 'image-not-supported'],
    ['an L1 table that is too short', 36, 0, 'image-damaged'],
    ['an L1 table over 32 MiB', 36, 4 * 2 ** 20 + 1, 'image-damaged'],
    ['an L1 table after the end', 44, 99 * CLUSTER, 'image-damaged'],
    ['data in another file', 76, 4, 'image-not-supported'],
    ['a feature that nobody knows', 76, 32, 'image-not-supported'],
    ['a header longer than a cluster', 100, 520, 'image-damaged'],
  ])('on opening: %s', (_name, offset, value, fault) => {
    const image = make({ entries: [] });
    new DataView(image.buffer).setUint32(offset, value);
    expect(() => openOne(image)).toThrow(code(fault));
  });

  test('a chain without an end', () => {
    expect(() => openOne(make({ backing: ['a', 'qcow2'], entries: [] }))).toThrow(
      code('image-damaged'),
    );
  });

  test('a backing file of a format that is not said', () => {
    expect(() => openOne(make({ backing: ['a', undefined], entries: [] }))).toThrow(
      code('image-not-supported'),
    );
  });

  test('whatever bytes are changed, a read answers or throws a HostError', () => {
    const entries = [BigInt(DATA), 1n, (1n << 62n) | BigInt(DATA + 512), 0n];
    const good = make({
      entries,
      backing: ['b', 'raw'],
      data: Uint8Array.of(...filled(3), ...deflateRawSync(filled(4)), ...filled(0)),
    });
    const change = fc.tuple(
      fc.oneof(
        fc.nat(255),
        fc.nat(100).map((at) => L1 + at),
        fc.nat(good.length - 1),
      ),
      fc.nat(255),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(), (changes, cut) => {
        const bad = good.slice(0, cut % 4 === 0 ? cut % good.length : good.length);
        for (const [at, value] of changes) bad[at] = value;
        try {
          const disk = openImage('a', 'qcow2', doors({ a: bad, b: filled(1) }));
          disk.read(0, new Uint8Array(Math.min(disk.bytes, 8 * CLUSTER)));
        } catch (error) {
          expect(error).toBeInstanceOf(HostError);
        }
      }),
      { seed: SEED, numRuns: 3000 },
    );
  });
});

function hasQemuImg(): boolean {
  try {
    execFileSync('qemu-img', ['--version']);
    return true;
  } catch {
    return false;
  }
}
const isThere = hasQemuImg();
if (!isThere) console.warn('qemu-img is not installed: qcow2 is checked against itself only');

describe.skipIf(!isThere)('images made by qemu-img', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'polyvisor-qcow2-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const qemuImg = (...args: string[]): void => {
    execFileSync('qemu-img', args, { cwd: directory });
  };
  const path = (name: string): string => join(directory, name);

  /** Compressible and not, zeros between, and an end off every boundary of clusters. */
  function content(seed: number): Uint8Array {
    const bytes = new Uint8Array(3 * 1024 * 1024 + 512);
    for (let at = 0; at < bytes.length; at++) {
      const part = Math.floor(at / 100_000) % 3;
      if (part === 0) bytes[at] = seed;
      else if (part === 1) bytes[at] = Math.imul(at + seed, 0x9e3779b1) >>> 24;
    }
    return bytes;
  }

  test.each([
    ['plain', []],
    ['version 2', ['-o', 'compat=0.10']],
    ['small clusters', ['-o', 'cluster_size=512']],
    ['large clusters', ['-o', 'cluster_size=2M']],
    ['deflate', ['-c']],
    ['deflate in large clusters', ['-c', '-o', 'cluster_size=2M']],
    ['deflate in small clusters', ['-c', '-o', 'cluster_size=512']],
    ['zstd', ['-c', '-o', 'compression_type=zstd']],
    ['subclusters', ['-o', 'extended_l2=on,cluster_size=128k']],
    ['subclusters, compressed', ['-c', '-o', 'extended_l2=on']],
  ])('%s', (_name, options) => {
    writeFileSync(path('raw'), content(5));
    qemuImg('convert', '-O', 'qcow2', ...options, 'raw', 'image');
    using files = nodeImageDoors(directory);
    const disk = openImage(path('image'), 'qcow2', files);
    expect(Buffer.compare(contentOf(disk), content(5))).toBe(0);
  });

  test.each([[[]], [['-o', 'extended_l2=on']]])('a chain of three, %j', (options) => {
    writeFileSync(path('base.raw'), content(5));
    qemuImg('create', '-f', 'qcow2', '-b', 'base.raw', '-F', 'raw', ...options, 'middle');
    const top = ['-b', 'middle', '-F', 'qcow2', ...options, 'top', '4M'];
    qemuImg('create', '-f', 'qcow2', ...top);
    const io = (name: string, ...commands: string[]): void => {
      execFileSync('qemu-io', [...commands.flatMap((c) => ['-c', c]), path(name)]);
    };
    io('middle', 'write -P 17 70000 90000', 'write -z 1M 64k');
    io('top', 'write -P 18 100000 1000', 'discard 2M 128k', 'write -P 19 3900k 4k');
    qemuImg('convert', '-O', 'raw', 'top', 'flat');
    using files = nodeImageDoors(directory);
    const disk = openImage(path('top'), 'qcow2', files);
    expect(Buffer.compare(contentOf(disk), readFileSync(path('flat')))).toBe(0);
  });

  test('a backing file elsewhere is not opened, by way of a link neither', () => {
    qemuImg('create', '-f', 'qcow2', '-u', '-b', '/etc/passwd', '-F', 'raw', 'image', '1M');
    symlinkSync('/etc/passwd', path('link'));
    qemuImg('create', '-f', 'qcow2', '-u', '-b', 'link', '-F', 'raw', 'second', '1M');
    using files = nodeImageDoors(directory);
    for (const name of ['image', 'second']) {
      expect(() => openImage(path(name), 'qcow2', files)).toThrow(code('image-backing'));
    }
  });
});
