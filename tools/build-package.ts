import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, globSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { performance } from 'node:perf_hooks';
import { build } from 'esbuild';
import type { BuildResult, Plugin } from 'esbuild';
import { writeDeclarations } from './declarations.ts';

export interface BuildOptions {
  /** Also `.d.ts` files, which take the compiler's time. */
  readonly withDeclarations: boolean;
}

/**
 * The package as it is published: bundles of all that is ours and of the libraries we use, split so that what a start
 * does not need is not read.
 * @param stampFile name of the package's file that gets the modification time of every input, for the next start
 */
export async function buildPackage(
  root: string,
  stampFile: string,
  options: BuildOptions,
): Promise<void> {
  const startedMs = performance.now();
  const published = join(root, 'dist/polyvisor');
  // Whoever runs what was built last goes on doing so until all of the next is there.
  const out = join(root, 'dist/.building');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const { inputs, bytes, libraries } = await bundle(root, out);
  for (const program of Object.values(programs)) chmodSync(join(out, program), 0o755);
  writePackageJson(root, out);
  writeNotices(root, out, libraries);
  for (const file of ['LICENSE', 'README.md']) {
    if (existsSync(join(root, file))) cpSync(join(root, file), join(out, file));
  }
  const pages = buildConsole(root, out);
  if (options.withDeclarations) writeDeclarations(root, out, Object.keys(modules));
  writeStamp(root, join(out, stampFile), [...inputs, ...pages]);
  rmSync(published, { recursive: true, force: true });
  renameSync(out, published);
  const size = `${(bytes / 1024).toFixed(0)} KiB of code`;
  console.log(`built dist/polyvisor: ${size} in ${Math.round(performance.now() - startedMs)} ms`);
}

/** What the package exports, and what it is made of. */
const modules: Readonly<Record<string, string>> = {
  index: 'packages/polyvisor/src/index.ts',
  config: 'packages/polyvisor/src/config.ts',
  evm: 'packages/polyvisor/src/evm.ts',
  vitest: 'packages/polyvisor/src/vitest.ts',
};

const binaries: Readonly<Record<string, string>> = {
  cli: 'packages/cli/src/bin.ts',
  anvil: 'packages/cli/src/anvil-bin.ts',
};

/** Commands by name. */
const programs = { polyvisor: 'cli.js', pv: 'cli.js', 'polyvisor-anvil': 'anvil.js' } as const;

/**
 * Not bundled: pino starts workers from files of its own; vitest has to be the user's own; the demo's are the user's to
 * install; the rest is optional.
 */
const external = [
  'pino',
  'vitest',
  'viem',
  '@uniswap/*',
  'koffi',
  'node:ffi',
  'bufferutil',
  'utf-8-validate',
];

/**
 * Code whose imports of Node's own modules are reads of them. An `import` makes a facade first, which reads every
 * export, and with `node:http` that loads a whole HTTP client: 20 ms at each start that nobody asked for.
 */
function withoutFacades(code: string): string {
  const reads: string[] = [];
  const rest = code.replace(BUILTIN_IMPORT, (_, whole, names, module) => {
    const builtin = `globalThis.process.getBuiltinModule("${module}")`;
    if (whole !== undefined) reads.push(`const ${whole}=${builtin};`);
    if (names !== undefined) reads.push(`const{${names.replaceAll(/\s+as\s+/g, ':')}}=${builtin};`);
    return '';
  });
  // CommonJS libraries among the inputs call `require` for what Node has built in; esbuild's runtime looks for it.
  if (rest.includes('typeof require')) {
    const builtin = 'globalThis.process.getBuiltinModule("node:module")';
    reads.push(`const require=${builtin}.createRequire(import.meta.url);`);
  }
  const [, shebang = '', body = ''] = /^(#!.*\n)?([^]*)$/.exec(rest) ?? [];
  return shebang + reads.join('') + body;
}

/** As esbuild writes them: `import * as whole`, `import whole`, `import { name, name as other }`, or two of these. */
const BUILTIN_IMPORT = new RegExp(
  [
    /\bimport\s*/,
    /(?:(?:\*\s*as\s+)?([\w$]+)\s*,?\s*)?/,
    /(?:\{([^}]*)\}\s*)?/,
    /from\s*["'](node:(?!ffi)[\w/]+)["'];?/,
  ]
    .map(({ source }) => source)
    .join(''),
  'g',
);

interface Bundled {
  /** Files relative to the root. */
  readonly inputs: readonly string[];
  readonly bytes: number;
  /** Directories of the libraries that went in, relative to the root. */
  readonly libraries: ReadonlySet<string>;
}

/** Programs and modules apart: the fewer entries share code, the fewer files it is split into. */
async function bundle(root: string, out: string): Promise<Bundled> {
  const bundles = await Promise.all([
    bundleOf(root, out, binaries, 'program'),
    bundleOf(root, out, modules, 'chunks'),
  ]);
  const inputs = [...new Set(bundles.flatMap(({ metafile }) => Object.keys(metafile.inputs)))];
  const outputs = bundles.flatMap(({ metafile }) => Object.values(metafile.outputs));
  return {
    inputs: [...inputs, 'package-lock.json', ...globSync('tools/*.ts', { cwd: root })],
    bytes: outputs.reduce((sum, output) => sum + output.bytes, 0),
    libraries: new Set(inputs.flatMap((file) => libraryOf(file) ?? [])),
  };
}

/** @param directory where code goes that entries share */
async function bundleOf(
  root: string,
  out: string,
  entryPoints: Readonly<Record<string, string>>,
  directory: string,
): Promise<BuildResult<{ metafile: true }>> {
  const result = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: out,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    chunkNames: `${directory}/[name]-[hash]`,
    external,
    plugins: [inOnePiece(root), ...(directory === 'program' ? [startInOneFile(root)] : [])],
    metafile: true,
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    write: false,
  });
  mkdirSync(join(out, directory));
  for (const { path, text } of result.outputFiles) writeFileSync(path, withoutFacades(text));
  return result;
}

/** Imports at need that every start of a host comes to need, by the file that has them. */
const neededAtStart: Readonly<Record<string, string>> = {
  'packages/host/src/kinds/registry.ts': './evm.ts',
  'packages/host/src/kinds/evm-instance.ts': '@polyvisor/rpc/server',
};

/** Bundles those as if they were imported at once: in fewer files, code is read some milliseconds sooner. */
function inOnePiece(root: string): Plugin {
  return {
    name: 'in-one-piece',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\/kinds\/[\w-]+\.ts$/ }, ({ path }) => {
        const module = neededAtStart[relative(root, path).split(sep).join('/')];
        if (module === undefined) return undefined;
        const source = readFileSync(path, 'utf8');
        const atNeed = `await import('${module}')`;
        if (!source.includes(atNeed)) throw new Error(`${path} has no ${atNeed}`);
        const contents = `import * as atOnce from '${module}';\n${source.replace(atNeed, 'atOnce')}`;
        return { contents, loader: 'ts' };
      });
    },
  };
}

/** What the start of an EVM chain comes to need, in the order of its need. */
const startModules = [
  'packages/cli/src/main.ts',
  'packages/cli/src/terminal.ts',
  'packages/cli/src/commands/evm.ts',
];

/**
 * Has whatever is imported at need import the start first, which is there by then: so all of the start is reached from
 * the same entries, and is one file. Else each set of entries that share a module of it would make another.
 */
function startInOneFile(root: string): Plugin {
  const atNeed = new Set<string>();
  return {
    name: 'start-in-one-file',
    setup({ onLoad, onResolve, resolve }) {
      onResolve({ filter: /^(\.|@polyvisor\/)/ }, async (asked) => {
        if (asked.kind !== 'dynamic-import') return undefined;
        const { importer, resolveDir } = asked;
        const found = await resolve(asked.path, { importer, resolveDir, kind: 'import-statement' });
        atNeed.add(found.path);
        return found;
      });
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (!atNeed.has(path) || path.includes('/kinds/evm')) return undefined;
        const imports = startModules.map((file) => `import ${JSON.stringify(join(root, file))};`);
        return { contents: [readFileSync(path, 'utf8'), ...imports].join('\n'), loader: 'ts' };
      });
    },
  };
}

/** `node_modules/@scope/name/lib/x.js` -> `node_modules/@scope/name`; undefined for our own files. */
function libraryOf(file: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

function writePackageJson(root: string, out: string): void {
  const facade = readJson(join(root, 'packages/polyvisor/package.json'));
  const workspace = readJson(join(root, 'package.json'));
  const host = readJson(join(root, 'packages/host/package.json'));
  const exports = Object.keys(modules).map((name) => [
    name === 'index' ? '.' : `./${name}`,
    { types: `./types/polyvisor/src/${name}.d.ts`, default: `./${name}.js` },
  ]);
  const manifest = {
    name: 'polyvisor',
    version: facade['version'],
    description: 'One hypervisor whose guests are every kind of virtual machine.',
    license: workspace['license'],
    type: 'module',
    bin: programs,
    exports: { ...Object.fromEntries(exports), './package.json': './package.json' },
    engines: { node: '>=24' },
    dependencies: pick(host['dependencies'], ['pino']),
    optionalDependencies: pick(workspace['optionalDependencies'], ['koffi']),
    peerDependencies: { vitest: '>=5' },
    peerDependenciesMeta: { vitest: { optional: true } },
  };
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** The libraries' licences ask to go where their code goes. */
function writeNotices(root: string, out: string, libraries: ReadonlySet<string>): void {
  const notices = [...libraries].toSorted().map((directory) => {
    const { name, version, license } = readJson(join(root, directory, 'package.json'));
    const [file] = globSync('{LICENSE,LICENCE,license}*', { cwd: join(root, directory) });
    const text = file === undefined ? '' : readFileSync(join(root, directory, file), 'utf8');
    return `${String(name)} ${String(version)} (${String(license)})\n\n${text.trim()}\n`;
  });
  writeFileSync(join(out, 'THIRD-PARTY-NOTICES.txt'), notices.join(`\n${'-'.repeat(80)}\n\n`));
}

/** The console has a bundler of its own. @returns its inputs */
function buildConsole(root: string, out: string): readonly string[] {
  const directory = join(root, 'packages/console');
  if (!existsSync(join(directory, 'vite.config.ts'))) return [];
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const args = ['build', '--logLevel', 'warn', '--outDir', join(out, 'console'), '--emptyOutDir'];
  const { status } = spawnSync(process.execPath, [vite, ...args], {
    cwd: directory,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the console does not build');
  return globSync('**/*.{ts,tsx,css,html,json,svg}', {
    cwd: directory,
    exclude: (name) => name === 'node_modules' || name === 'dist',
  }).map((file) => relative(root, join(directory, file)));
}

function writeStamp(root: string, stampFile: string, inputs: readonly string[]): void {
  const times = inputs
    .map((file) => file.split(sep).join('/'))
    .filter((file) => existsSync(join(root, file)))
    .map((file) => [file, statSync(join(root, file)).mtimeMs]);
  writeFileSync(stampFile, JSON.stringify(Object.fromEntries(times)));
}

function readJson(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
}

function pick(from: unknown, names: readonly string[]): Record<string, string> {
  const all = from as Record<string, string>;
  return Object.fromEntries(
    names.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])),
  );
}
