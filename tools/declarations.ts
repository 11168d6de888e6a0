import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

/**
 * Writes the declarations that a user of the package sees to `types/`: those of its own modules and all that they
 * reach. Packages of the workspace are not published, so imports between them become paths.
 * @param modules names of the package's modules: `index`, `config`, …
 */
export function writeDeclarations(root: string, out: string, modules: readonly string[]): void {
  const emitted = mkdtempSync(join(tmpdir(), 'polyvisor-types-'));
  try {
    emit(root, emitted);
    const types = join(out, 'types');
    const waiting = modules.map((name) => `polyvisor/src/${name}.d.ts`);
    const seen = new Set(waiting);
    for (const file of waiting) {
      const text = readFileSync(join(emitted, file), 'utf8').replace(SPECIFIER, (all, path) => {
        const target = targetOf(String(path), file);
        if (target === undefined) return all;
        if (!seen.has(target)) waiting.push(target);
        seen.add(target);
        return all.replace(String(path), pathBetween(file, target));
      });
      mkdirSync(dirname(join(types, file)), { recursive: true });
      writeFileSync(join(types, file), text);
    }
  } finally {
    rmSync(emitted, { recursive: true, force: true });
  }
}

/** The path in `from '…'` and `import('…')`. */
const SPECIFIER = /(?:from\s+|import\()['"]([^'"]+)['"]/g;

function emit(root: string, emitted: string): void {
  const config = join(emitted, 'tsconfig.json');
  const settings = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: join(root, 'packages'),
      outDir: emitted,
      // WebAssembly's types come with the browser's.
      lib: ['esnext', 'dom'],
      // The compiler writes nothing for files that it meets through `node_modules`.
      paths: sourcePaths(root),
      typeRoots: [join(root, 'node_modules/@types')],
    },
    files: [],
    include: [join(root, 'packages/polyvisor/src')],
    exclude: [],
  };
  writeFileSync(config, JSON.stringify(settings));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', config], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the declarations do not compile');
}

/** Where the packages of the workspace have their sources, by what they are imported as. */
function sourcePaths(root: string): Record<string, string[]> {
  const names = globSync('*/src', { cwd: join(root, 'packages') }).map(dirname);
  return Object.fromEntries(
    names.map((name) => [`@polyvisor/${name}/*`, [join(root, `packages/${name}/src/*.ts`)]]),
  );
}

/** The declaration file that a path means, relative to the packages; undefined for other people's packages. */
function targetOf(path: string, from: string): string | undefined {
  const [scope, name, ...rest] = path.split('/');
  if (scope === '@polyvisor') return `${name}/src/${rest.join('/')}.d.ts`;
  if (!path.startsWith('.')) return undefined;
  return join(dirname(from), path.replace(/\.ts$/, '.d.ts'));
}

function pathBetween(from: string, to: string): string {
  const path = relative(dirname(from), to).replace(/\.d\.ts$/, '.js');
  return path.startsWith('.') ? path : `./${path}`;
}
