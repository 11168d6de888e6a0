import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytesToUtf8, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { sha256Hex } from '../file-cache.ts';
import type { FetchDoor } from '../fetch-door.ts';
import { lookUp } from '../file-tree.ts';
import type { DirectoryNode } from '../file-tree.ts';
import { file, makeDeb, symlink } from '../testing/make-deb.ts';
import { buildDebian, openDebian } from './debian-image.ts';
import type { DebianOptions } from './debian-image.ts';
import { parseDepends, parsePackages } from './package-info.ts';
import { resolvePackages } from './resolve.ts';
import { buildRoot } from './root-tree.ts';
import { parseSources, parseSourcesList } from './sources.ts';
import { systemSources } from './system-sources.ts';
import { compareVersions } from './version.ts';

const code = (name: string): unknown => expect.objectContaining({ code: name });

test.each([
  ['1', '1', 0],
  ['1.0', '1', 1],
  ['1~rc1', '1', -1],
  ['1.2', '1.10', -1],
  ['1:0', '2', 1],
  ['1.0-1', '1.0-2', -1],
  ['1.0+b1', '1.0', 1],
  ['1.0a', '1.0+', -1],
  ['2.36-9+deb12u14', '2.36-9+deb12u4', 1],
  ['1.0-1~', '1.0-1', -1],
  ['007', '7', 0],
])('version %s against %s: %d', (a, b, order) => {
  expect([Math.sign(compareVersions(a, b)), Math.sign(compareVersions(b, a))]).toEqual([
    order,
    -order + 0,
  ]);
});

/** A package index of names and what they depend on. */
function index(packages: Readonly<Record<string, string>>) {
  const text = Object.entries(packages).map(([title, depends]) => {
    const [name, version = '1', ...flags] = title.split(' ');
    const fields = flags
      .map((flag) => `${flag.replace('=', ': ').replaceAll('_', ' ')}\n`)
      .join('');
    return (
      `Package: ${name}\nVersion: ${version}\nArchitecture: riscv64\n${fields}Depends: ${depends}\n` +
      `Filename: pool/${name}.deb\nSize: 1\nSHA256: ${'0'.repeat(64)}\n`
    );
  });
  return parsePackages(text.join('\n'));
}

describe('resolving', () => {
  const names = (packages: Parameters<typeof index>[0], include: string[], rest = {}): string[] =>
    resolvePackages(index(packages), { include, ...rest }).map(({ name }) => name);

  test('what is needed comes first', () => {
    const packages = { a: 'b, c', b: 'c', c: '', d: '' };
    expect(names(packages, ['a'])).toEqual(['c', 'b', 'a']);
  });

  test('packages may need each other', () => {
    expect(names({ a: 'b', b: 'a' }, ['a'])).toEqual(['b', 'a']);
  });

  test('the base system is there unless it is not wanted', () => {
    const packages = {
      'base 1 Essential=yes': 'libc',
      libc: '',
      'mount 1 Priority=required': '',
      x: '',
    };
    expect(names(packages, [])).toEqual(['libc', 'base', 'mount']);
    expect(names(packages, ['x'], { withBase: false })).toEqual(['x']);
  });

  test('of alternatives the one that is there, else the first that can be had', () => {
    const packages = { a: 'gone | b | c', b: '', c: '' };
    expect(names(packages, ['a'])).toEqual(['b', 'a']);
    expect(names(packages, ['c', 'a'])).toEqual(['c', 'a']);
  });

  test('what is provided counts, with its version or for wishes without one', () => {
    const packages = {
      a: 'mta',
      b: 'mta (>= 2)',
      'exim 1 Provides=mta,_mta-2_(=_2)': '',
      c: 'mta-2 (>= 2)',
    };
    expect(names(packages, ['a'])).toEqual(['exim', 'a']);
    expect(names(packages, ['c'])).toEqual(['exim', 'c']);
    expect(() => names(packages, ['b'])).toThrow(code('package-unmet'));
  });

  test('versions are kept to, and the newest is taken', () => {
    const packages = index({ 'a 1': '', 'b 1': 'a (>> 1)' });
    const newer = index({ 'a 2': '' });
    expect(() => resolvePackages(packages, { include: ['b'] })).toThrow(code('package-unmet'));
    const found = resolvePackages([...packages, ...newer], { include: ['b'] });
    expect(found.map(({ version }) => version)).toEqual(['2', '1']);
  });

  test('what is excluded is not taken', () => {
    expect(names({ a: 'b | c', b: '', c: '' }, ['a'], { exclude: ['b'] })).toEqual(['c', 'a']);
    expect(() => names({ a: '' }, ['b'])).toThrow(code('package-unknown'));
  });

  test('a chain of 20000', () => {
    const chain = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, n) => [`p${n}`, `p${n + 1}`]),
    );
    expect(names({ ...chain, p20000: '' }, ['p0'])).toHaveLength(20_001);
  });
});

test('dependencies in all their forms', () => {
  expect(parseDepends('a, b:any (>= 1:2-3) | c [riscv64], d (<2)')).toEqual([
    [{ name: 'a' }],
    [{ name: 'b', relation: '>=', version: '1:2-3' }, { name: 'c' }],
    [{ name: 'd', relation: '<=', version: '2' }],
  ]);
  expect(() => parseDepends('a b')).toThrow(code('image-damaged'));
});

test('an index that names files elsewhere, or without a hash, is refused', () => {
  const text = 'Package: a\nVersion: 1\nArchitecture: all\nSize: 1\n';
  const hash = `SHA256: ${'0'.repeat(64)}\n`;
  expect(() => parsePackages(`${text}${hash}Filename: ../a.deb\n`)).toThrow(code('image-damaged'));
  expect(() => parsePackages(`${text}Filename: a.deb\n`)).toThrow(code('image-damaged'));
});

describe('sources', () => {
  const debian = { mirror: 'http://deb.debian.org/debian', signedBy: ['/k.gpg'] };

  test('deb822', () => {
    const text =
      'Types: deb deb-src\nURIs: http://deb.debian.org/debian/\nSuites: trixie trixie-updates\n' +
      'Components: main contrib\nSigned-By: /k.gpg\n\n' +
      'Types: deb\nEnabled: no\nURIs: http://x.org\nSuites: a\nComponents: main\n';
    expect(parseSources(text)).toEqual([
      { ...debian, suite: 'trixie', components: ['main', 'contrib'] },
      { ...debian, suite: 'trixie-updates', components: ['main', 'contrib'] },
    ]);
  });

  test('one a line', () => {
    const text =
      '# deb http://old.org a main\ndeb [arch=riscv64 signed-by=/k.gpg] http://deb.debian.org/debian trixie main\n' +
      'deb-src http://x.org a main\ndeb cdrom:[x]/ a main\ndeb http://flat.org ./\n';
    expect(parseSourcesList(text)).toEqual([{ ...debian, suite: 'trixie', components: ['main'] }]);
  });
});

describe('from a mirror', () => {
  let directory: string;
  let files: Map<string, Uint8Array>;
  let asked: string[];
  const door: FetchDoor = {
    get: async (address) => {
      asked.push(address);
      return await Promise.resolve(files.get(address));
    },
  };
  const MIRROR = 'http://mirror.test/debian';
  const RELEASE = `${MIRROR}/dists/trixie/InRelease`;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'polyvisor-debian-'));
    files = new Map();
    asked = [];
    publish();
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Two packages and a base in a repository of their own. */
  function publish(fields = ''): void {
    const debs = {
      'base-files': makeDeb({
        control: 'Package: base-files\nVersion: 13\nArchitecture: riscv64\nEssential: yes\n',
        files: { bin: symlink('usr/bin'), 'etc/issue': 'Debian', 'usr/bin/true': file('', 0o755) },
        scripts: { conffiles: '/etc/issue\n', postinst: file('#!/bin/sh\n', 0o755) },
      }),
      hello: makeDeb({
        control:
          'Package: hello\nVersion: 2\nArchitecture: riscv64\nMulti-Arch: same\nDepends: libhello\n',
        files: { 'bin/hello': file('hi', 0o755) },
      }),
      libhello: makeDeb({
        control: 'Package: libhello\nVersion: 1:3-4\nArchitecture: riscv64\n',
        files: { 'usr/lib/libhello.so': 'elf' },
        isZstd: true,
      }),
    };
    const controls: Record<string, string> = {
      'base-files': 'Version: 13\nEssential: yes',
      hello: 'Version: 2\nDepends: libhello (>= 1:3)',
      libhello: 'Version: 1:3-4',
    };
    const packages = Object.entries(debs).map(([name, bytes]) => {
      files.set(`${MIRROR}/pool/${name}.deb`, bytes);
      return (
        `Package: ${name}\nArchitecture: riscv64\n${controls[name]}\nFilename: pool/${name}.deb\n` +
        `Size: ${bytes.length}\nSHA256: ${sha256Hex(bytes)}\n`
      );
    });
    const packed = gzipSync(packages.join('\n'));
    files.set(`${MIRROR}/dists/trixie/main/binary-riscv64/Packages.gz`, packed);
    const hash = sha256Hex(packed);
    files.set(`${MIRROR}/dists/trixie/main/binary-riscv64/by-hash/SHA256/${hash}`, packed);
    files.set(
      RELEASE,
      utf8ToBytes(
        `Suite: stable\nCodename: trixie\nComponents: main\nArchitectures: riscv64\n${fields}SHA256:\n` +
          ` ${hash} ${packed.length} main/binary-riscv64/Packages.gz\n`,
      ),
    );
  }

  const optionsOf = (options: Partial<DebianOptions> = {}): DebianOptions => ({
    suite: 'trixie',
    include: ['hello'],
    mirror: `${MIRROR}/`,
    trust: { kind: 'unverified' },
    cacheDirectory: join(directory, 'cache'),
    sources: [],
    door,
    ...options,
  });
  const build = (options: Partial<DebianOptions> = {}): Promise<DirectoryNode> =>
    buildDebian(optionsOf(options));
  const textAt = (root: DirectoryNode, path: string): string => {
    const node = lookUp(root, path);
    return node?.kind === 'file' ? bytesToUtf8(node.content) : `no file ${path}`;
  };

  test('packages are unpacked, and noted for dpkg', async () => {
    const root = await build();
    expect(textAt(root, 'usr/bin/hello')).toBe('hi');
    expect(lookUp(root, 'bin')).toMatchObject({ target: 'usr/bin' });
    expect(textAt(root, 'usr/lib/libhello.so')).toBe('elf');
    expect(textAt(root, 'var/lib/dpkg/status')).toBe(
      'Package: base-files\nStatus: install ok unpacked\nConffiles:\n /etc/issue newconffile\nVersion: 13\n' +
        'Architecture: riscv64\nEssential: yes\n\n' +
        'Package: libhello\nStatus: install ok unpacked\nVersion: 1:3-4\nArchitecture: riscv64\n\n' +
        'Package: hello\nStatus: install ok unpacked\nVersion: 2\nArchitecture: riscv64\nMulti-Arch: same\n' +
        'Depends: libhello\n',
    );
    expect(textAt(root, 'var/lib/dpkg/info/hello:riscv64.list')).toBe('/bin\n/bin/hello\n');
    expect(lookUp(root, 'var/lib/dpkg/info/base-files.postinst')?.attributes.mode).toBe(0o755);
  });

  test('paths of configuration files are taken as they are', async () => {
    const bytes = makeDeb({
      control: 'Package: odd\nVersion: 1\n',
      files: {},
      scripts: { conffiles: '/etc/$&\n' },
    });
    const [info] = parsePackages(
      `Package: odd\nVersion: 1\nArchitecture: all\nFilename: odd.deb\nSize: 1\nSHA256: ${sha256Hex(bytes)}\n`,
    );
    const root = await buildRoot([info!], () => Promise.resolve(bytes));
    expect(textAt(root, 'var/lib/dpkg/status')).toBe(
      'Package: odd\nStatus: install ok unpacked\nConffiles:\n /etc/$& newconffile\nVersion: 1\n',
    );
  });

  test('files come once, then from the cache; what is damaged there comes again', async () => {
    await build();
    asked = [];
    await build();
    expect(asked).toEqual([RELEASE]);
    const hash = sha256Hex(files.get(`${MIRROR}/pool/hello.deb`)!);
    writeFileSync(join(directory, 'cache', hash), 'something else');
    asked = [];
    await build();
    expect(asked).toEqual([RELEASE, `${MIRROR}/pool/hello.deb`]);
    expect(sha256Hex(readFileSync(join(directory, 'cache', hash)))).toBe(hash);
  });

  test('by hash, where the release says so', async () => {
    publish('Acquire-By-Hash: yes\n');
    await build();
    expect(asked.filter((address) => address.includes('/by-hash/'))).toHaveLength(1);
  });

  test('an index as it is, by its path', async () => {
    const path = 'main/binary-riscv64/Packages.gz';
    const repository = await openDebian(optionsOf());
    expect(repository.suite).toBe('trixie');
    const bytes = await repository.downloadIndex(path);
    expect(sha256Hex(bytes)).toBe(sha256Hex(files.get(`${MIRROR}/dists/trixie/${path}`)!));
    await expect(repository.downloadIndex('main/Contents')).rejects.toThrow(code('image-option'));
  });

  test('a file that is not what the release names is refused', async () => {
    files.set(`${MIRROR}/pool/hello.deb`, makeDeb({ control: 'Package: evil', files: {} }));
    await expect(build()).rejects.toThrow(code('image-damaged'));
    files.delete(`${MIRROR}/pool/hello.deb`);
    await expect(build()).rejects.toThrow(code('fetch-failed'));
  });

  test('another release, an old one, or one without the component', async () => {
    await expect(build({ components: ['contrib'] })).rejects.toThrow(code('image-option'));
    publish('Valid-Until: Sat, 01 Jan 2000 00:00:00 UTC\n');
    await expect(build()).rejects.toThrow(code('release-untrusted'));
    publish();
    files.set(RELEASE.replace('trixie', 'sid'), files.get(RELEASE)!);
    await expect(build({ suite: 'sid' })).rejects.toThrow(code('release-untrusted'));
  });

  test('a release that is pinned', async () => {
    const sha256 = sha256Hex(files.get(RELEASE)!);
    await build({ trust: { kind: 'pinned', sha256 } });
    publish('Label: changed\n');
    await expect(build({ trust: { kind: 'pinned', sha256 } })).rejects.toThrow(
      code('release-untrusted'),
    );
  });

  test('without a mirror, or keys, it says what is missing', async () => {
    const { trust: _, mirror: __, ...rest } = { trust: 1, mirror: 1 };
    const options = {
      suite: 'trixie',
      include: [],
      cacheDirectory: directory,
      sources: [],
      door,
      ...rest,
    };
    await expect(buildDebian(options)).rejects.toThrow(code('image-option'));
    await expect(buildDebian({ ...options, mirror: MIRROR })).rejects.toThrow(code('image-option'));
    await expect(build({ mirror: 'ftp://x' })).rejects.toThrow(code('image-option'));
  });

  test('the sources of a system, with its keys', () => {
    for (const path of ['etc/apt/sources.list.d', 'usr/share/keyrings']) {
      mkdirSync(join(directory, path), { recursive: true });
    }
    writeFileSync(join(directory, 'etc/apt/sources.list'), `deb ${MIRROR} trixie main\n`);
    const keyring = join(directory, 'usr/share/keyrings/debian-archive-keyring.gpg');
    writeFileSync(keyring, '');
    expect(systemSources(directory)).toEqual([
      { mirror: MIRROR, suite: 'trixie', components: ['main'], signedBy: [keyring] },
    ]);
    expect(systemSources(join(directory, 'none'))).toEqual([]);
  });

  const hasGpg = ['gpg', 'gpgv'].every((name) => spawnSync(name, ['--version']).status === 0);
  if (!hasGpg)
    console.warn('gpg and gpgv are not installed: signatures of releases are not tested');
  test.skipIf(!hasGpg)(
    'a release that is signed, by the right key and with nothing changed',
    async () => {
      const gpg = (args: readonly string[], input: Uint8Array | string = ''): Buffer =>
        execFileSync(
          'gpg',
          ['--homedir', directory, '--batch', '--quiet', '--passphrase', '', ...args],
          {
            input,
            stdio: ['pipe', 'pipe', 'ignore'],
          },
        );
      try {
        for (const who of ['archive', 'other']) {
          gpg(['--quick-generate-key', `${who} <${who}@test>`, 'ed25519', 'sign', 'never']);
          writeFileSync(join(directory, `${who}.gpg`), gpg(['--export', `${who}@test`]));
        }
        const signed = gpg(['--local-user', 'archive@test', '--clearsign'], files.get(RELEASE));
        files.set(RELEASE, signed);
        const by = (who: string) =>
          ({ kind: 'keyrings', keyrings: [join(directory, `${who}.gpg`)] }) as const;
        expect(textAt(await build({ trust: by('archive') }), 'usr/bin/hello')).toBe('hi');
        await build({ trust: { kind: 'unverified' } });
        await expect(build({ trust: by('other') })).rejects.toThrow(code('release-untrusted'));
        files.set(RELEASE, Buffer.from(signed.toString().replace('stable', 'oldest')));
        await expect(build({ trust: by('archive') })).rejects.toThrow(code('release-untrusted'));
        // Text around what was signed counts for nothing.
        files.set(RELEASE, Buffer.from(`Codename: evil\n\n${signed.toString()}`));
        expect(textAt(await build({ trust: by('archive') }), 'usr/bin/hello')).toBe('hi');
      } finally {
        spawnSync('gpgconf', ['--homedir', directory, '--kill', 'all']);
      }
    },
    30_000,
  );
});
