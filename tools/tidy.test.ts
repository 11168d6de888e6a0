import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { floorOf, floors } from './floors.ts';

const root = join(import.meta.dirname, '..');
/** What git tracks, and what it would track. */
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root })
  .toString()
  .split('\n')
  .filter((path) => path !== '');
const sources = files.filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts'));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const folders = readdirSync(join(root, 'packages'));

interface Import {
  readonly file: string;
  readonly specifier: string;
}

/** `import … from 'x'`, `import 'x'`, `export … from 'x'` and `import('x')`. */
const IMPORT =
  /^(?:import\s+(?:[^'"();]*?\sfrom\s+)?|export\s[^'"();=]*?\sfrom\s+)'([^']+)'|\bimport\('([^']+)'\)/gm;

const imports: readonly Import[] = sources.flatMap((file) =>
  Array.from(read(file).matchAll(IMPORT), (match) => ({
    file,
    specifier: (match[1] ?? match[2])!,
  })),
);

const packageOf = (file: string): string | undefined => /^packages\/([^/]+)\//.exec(file)?.[1];
/** A test beside the code, or what only tests import. */
const isTest = (file: string): boolean => /\.(test|fuzz)\.tsx?$|\/testing\//.test(file);

describe('floors', () => {
  test('every package has one', () => {
    expect(folders.filter((folder) => floorOf(folder) < 0)).toEqual([]);
    expect(floors.flat().filter((name) => !folders.includes(name))).toEqual([]);
  });

  test('imports go down only', () => {
    const upward = imports.filter(({ file, specifier }) => {
      const from = packageOf(file);
      const to = /^@polyvisor\/([^/]+)/.exec(specifier)?.[1];
      if (from === undefined || to === undefined || isTest(file)) return false;
      return floorOf(to) > floorOf(from);
    });
    expect(upward).toEqual([]);
  });

  test('packages do not import each other in a circle', () => {
    const edges = new Map<string, Set<string>>();
    for (const { file, specifier } of imports) {
      const from = packageOf(file);
      const to = /^@polyvisor\/([^/]+)/.exec(specifier)?.[1];
      if (from === undefined || to === undefined || from === to || isTest(file)) continue;
      edges.set(from, (edges.get(from) ?? new Set()).add(to));
    }
    expect(circle(edges)).toBeUndefined();
  });

  test('a package imports only what its package.json declares', () => {
    const undeclared = imports.filter(({ file, specifier }) => {
      const from = packageOf(file);
      if (from === undefined || specifier.startsWith('.') || isBuiltin(specifier)) return false;
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
      const own = manifest(`packages/${from}/package.json`);
      if (own.name === name) return false;
      const { dependencies, optionalDependencies, peerDependencies } = own;
      const declared = { ...dependencies, ...optionalDependencies, ...peerDependencies };
      const development = { ...manifest('package.json').devDependencies };
      const isForTests = isTest(file) || file.endsWith('vite.config.ts');
      return (
        !(name in declared) &&
        !(isForTests && (name in development || name.startsWith('@polyvisor/')))
      );
    });
    expect(undeclared).toEqual([]);
  });

  test('packages do not reach into each other by path', () => {
    const reaching = imports.filter(
      ({ file, specifier }) =>
        packageOf(file) !== undefined &&
        specifier.startsWith('.') &&
        !join(file, '..', specifier).startsWith(`packages/${packageOf(file)}/`),
    );
    expect(reaching).toEqual([]);
  });
});

describe('sources', () => {
  test('lines have at most 120 columns, where the formatter does not say 100', () => {
    const long = sources.flatMap((file) =>
      read(file)
        .split('\n')
        .map((line, index) => ({ where: `${file}:${index + 1}`, line }))
        .filter(({ line }) => line.length > 120 && !isUnbreakable(line))
        .map(({ where }) => where),
    );
    expect(long).toEqual([]);
  });

  test('nothing is left for later, and no test is skipped', () => {
    const banned = /\b(TODO|FIXME|XXX)\b|not implemented|\b(?:test|it|describe)\.(?:todo|only)\b/i;
    const own = 'tools/tidy.test.ts';
    expect(sources.filter((file) => file !== own && banned.test(read(file)))).toEqual([]);
  });

  test('every module is used', () => {
    const used = new Set(
      imports.map(({ file, specifier }) => {
        const match = /^@polyvisor\/([^/]+)\/(.+)$/.exec(specifier);
        if (match) return `packages/${match[1]}/src/${match[2]}.ts`;
        return specifier.startsWith('.') ? join(file, '..', specifier) : specifier;
      }),
    );
    const dead = sources.filter(
      (file) => packageOf(file) !== undefined && !used.has(file) && !isTest(file) && !isEntry(file),
    );
    expect(dead).toEqual([]);
  });

  test('no tracked file is over 512 KiB', () => {
    const big = files.filter((file) => {
      try {
        return readFileSync(join(root, file)).length > 512 * 1024;
      } catch {
        // Deleted, and not committed yet.
        return false;
      }
    });
    expect(big).toEqual([]);
  });
});

/** Modules that nothing imports by name: entries, workers, generated types. */
function isEntry(file: string): boolean {
  if (/\/(main|cli|worker|vite\.config)\.tsx?$/.test(file)) return true;
  const build = read('tools/build-package.ts');
  return build.includes(file) || packageOf(file) === 'polyvisor';
}

/** A literal, an address or a link that can't be broken. */
function isUnbreakable(line: string): boolean {
  return /['"`][^'"`]{60,}['"`]|https?:\/\/\S{40,}|oxlint-disable/.test(line);
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

interface Manifest {
  readonly name: string;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

function manifest(path: string): Manifest {
  return JSON.parse(read(path)) as Manifest;
}

/** Some circle in a graph, as the names along it. */
function circle(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const isDone = new Set<string>();
  const visit = (name: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (isDone.has(name)) return undefined;
    for (const next of edges.get(name) ?? []) {
      const found = visit(next, [...path, name]);
      if (found) return found;
    }
    isDone.add(name);
    return undefined;
  };
  for (const name of edges.keys()) {
    const found = visit(name, []);
    if (found) return found;
  }
  return undefined;
}
