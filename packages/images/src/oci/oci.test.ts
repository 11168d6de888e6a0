import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeTar } from '../archive/tar.ts';
import { sha256Hex } from '../file-cache.ts';
import { lookUp, walk } from '../file-tree.ts';
import type { DirectoryNode } from '../file-tree.ts';
import { importImage } from '../import-image.ts';
import type { ImportOptions } from '../import-image.ts';
import { IMAGE_LIMITS } from '../limits.ts';
import { file, symlink, treeOf } from '../testing/make-deb.ts';
import { applyLayer } from './layers.ts';
import { readContainerImage } from './image.ts';
import type { ContainerImage, ImageChoice } from './image.ts';

const RISCV: ImageChoice = { architecture: 'riscv64' };
const code = (name: string): unknown => expect.objectContaining({ code: name });
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const digest = (bytes: Uint8Array): string => `sha256:${sha256Hex(bytes)}`;
const paths = (root: DirectoryNode): string[] => Array.from(walk(root), ([path]) => path);
const blob = (bytes: Uint8Array) =>
  ({ kind: 'file', attributes: file('').attributes, content: bytes }) as const;

const LOWER = writeTar(treeOf({ 'etc/a': 'lower', 'etc/b': 'lower', 'opt/x/y': '', keep: '' }));
const UPPER = writeTar(
  treeOf({
    'etc/a': 'upper',
    'etc/.wh.b': '',
    'opt/.wh..wh..opq': '',
    'opt/z': '',
    '.wh.gone': '',
  }),
);

function configFor(layers: readonly Uint8Array[], architecture = 'riscv64'): Buffer {
  return json({
    architecture,
    os: 'linux',
    config: { Env: ['A=1'], Entrypoint: ['/init'], Cmd: null, WorkingDir: '/srv', User: '1000' },
    rootfs: { type: 'layers', diff_ids: layers.map(digest) },
  });
}

/** An OCI layout: the layers, packed with gzip and zstd, for one architecture or two. */
function layout(
  change: { architectures?: string[]; blobs?: (blobs: Map<string, Uint8Array>) => void } = {},
) {
  const blobs = new Map<string, Uint8Array>();
  const put = (bytes: Uint8Array, rest = {}) => {
    blobs.set(`blobs/${digest(bytes).replace(':', '/')}`, bytes);
    return { digest: digest(bytes), size: bytes.length, ...rest };
  };
  const manifests = (change.architectures ?? ['riscv64']).map((architecture) => {
    const layers = [gzipSync(LOWER), zstdCompressSync(UPPER)].map((bytes) => put(bytes));
    const config = put(configFor([LOWER, UPPER], architecture));
    return put(json({ schemaVersion: 2, config, layers }), {
      platform: { architecture, os: 'linux' },
    });
  });
  const index = put(json({ schemaVersion: 2, manifests }));
  const annotations = { 'org.opencontainers.image.ref.name': 'a:1' };
  const top = json({ schemaVersion: 2, manifests: [{ ...index, annotations }] });
  change.blobs?.(blobs);
  const files = Object.fromEntries(Array.from(blobs, ([path, bytes]) => [path, blob(bytes)]));
  return writeTar(treeOf({ 'oci-layout': '{}', 'index.json': blob(top), ...files }));
}

/** What `docker save` wrote before it wrote layouts. */
function saved(): Uint8Array {
  const manifest = [
    { Config: 'c.json', RepoTags: ['a:1'], Layers: ['1/layer.tar', '2/layer.tar'] },
  ];
  return writeTar(
    treeOf({
      'manifest.json': blob(json(manifest)),
      'c.json': blob(configFor([LOWER, UPPER])),
      '1/layer.tar': blob(LOWER),
      '2/layer.tar': symlink('../3/layer.tar'),
      '0/layer.tar': blob(UPPER),
      '3/layer.tar': blob(UPPER),
    }),
  );
}

function read(archive: Uint8Array, choice = RISCV, limits = IMAGE_LIMITS): ContainerImage {
  return readContainerImage(archive, choice, limits)!;
}

describe('layers', () => {
  test('whiteouts hide what is below, not what is beside them', () => {
    const root = treeOf({ gone: '', stay: '' });
    applyLayer(root, LOWER, 100);
    applyLayer(root, UPPER, 100);
    expect(paths(root)).toEqual(['etc', 'etc/a', 'keep', 'opt', 'opt/z', 'stay']);
    expect(lookUp(root, 'etc/a')).toMatchObject({ content: Buffer.from('upper') });
  });

  test.each(['.wh.', '.wh..', '.wh...'])('%s hides nothing', (name) => {
    const layer = writeTar(treeOf({ [`etc/${name}`]: '' }));
    expect(() => applyLayer(treeOf({}), layer, 100)).toThrow(code('image-damaged'));
  });
});

describe('images', () => {
  test.each([
    ['an OCI layout', layout()],
    ['one for two architectures', layout({ architectures: ['amd64', 'riscv64'] })],
    ['what docker saved', saved()],
  ])('%s', (_name, archive) => {
    for (const choice of [RISCV, { ...RISCV, reference: 'a:1' }]) {
      const { root, config } = read(archive, choice);
      expect(paths(root)).toEqual(['etc', 'etc/a', 'keep', 'opt', 'opt/z']);
      expect(config).toMatchObject({
        env: ['A=1'],
        entrypoint: ['/init'],
        command: [],
        user: '1000',
      });
    }
  });

  test('for another architecture, or of another name', () => {
    for (const archive of [layout(), saved()]) {
      expect(() => read(archive, { architecture: 'amd64' })).toThrow(code('image-option'));
      expect(() => read(archive, { ...RISCV, reference: 'b' })).toThrow(code('image-option'));
    }
  });

  test('a blob that is not what it is called', () => {
    const change = (blobs: Map<string, Uint8Array>): void => {
      for (const path of blobs.keys()) blobs.set(path, Buffer.from('{}'));
    };
    expect(() => read(layout({ blobs: change }))).toThrow(code('image-damaged'));
    expect(() => read(layout({ blobs: (blobs) => blobs.clear() }))).toThrow(code('image-damaged'));
  });

  test('a layer that the configuration does not name', () => {
    const manifest = [{ Config: 'c', Layers: ['l'] }];
    const make = (layers: Uint8Array[]) =>
      writeTar(
        treeOf({
          'manifest.json': blob(json(manifest)),
          c: blob(configFor(layers)),
          l: blob(LOWER),
        }),
      );
    expect(() => read(make([UPPER]))).toThrow(code('image-damaged'));
    expect(() => read(make([]))).toThrow(code('image-damaged'));
    expect(paths(read(make([LOWER])).root)).toContain('keep');
  });

  test.each([
    [1, true],
    [2, false],
    [3, false],
  ])('two layers where %d may be fail: %s', (layersMax, fails) => {
    const run = (): unknown => read(layout(), RISCV, { ...IMAGE_LIMITS, layersMax });
    if (fails) expect(run).toThrow(code('image-damaged'));
    else expect(run).not.toThrow();
  });
});

describe('importing a file', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'polyvisor-import-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function take(content: Uint8Array, options: Partial<ImportOptions> = {}) {
    const path = join(directory, 'image');
    writeFileSync(path, content);
    return importImage(path, { ...RISCV, ...options });
  }

  test('an image, an archive of a root, a disk', () => {
    expect(take(gzipSync(layout()))).toMatchObject({ kind: 'root', config: { user: '1000' } });
    const plain = take(zstdCompressSync(LOWER));
    expect(plain.kind === 'root' && paths(plain.root)).toContain('etc/a');
    expect(take(new Uint8Array(1024), { format: 'raw' })).toEqual({
      kind: 'disk',
      format: 'raw',
      bytes: 1024,
    });
    expect(take(layout(), { format: 'tar' })).not.toHaveProperty('config');
  });

  test('what looks like nothing', () => {
    expect(() => take(new Uint8Array(1024))).toThrow(code('image-option'));
    expect(() => take(LOWER, { format: 'oci' })).toThrow(code('image-damaged'));
    expect(() => take(Buffer.from('QFI\xfbgarbage', 'latin1'))).toThrow(code('image-damaged'));
    expect(() => importImage(join(directory, 'none'), RISCV)).toThrow(code('disk-open'));
  });

  test.each([
    [LOWER.length - 1, true],
    [LOWER.length, false],
    [LOWER.length + 1, false],
  ])('an archive where %d bytes may be fails: %s', (unpackedBytesMax, fails) => {
    const run = (): unknown => take(gzipSync(LOWER), { limits: { unpackedBytesMax } });
    if (fails) expect(run).toThrow(code('image-damaged'));
    else expect(run).not.toThrow();
  });
});
