import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HostError } from '@polyvisor/errors/host-error';
import type { Config } from './config.ts';

/** Names a configuration file has, in the order they are looked for. */
export const configFileNames = [
  'polyvisor.config.ts',
  'polyvisor.config.js',
  'polyvisor.config.mjs',
  'polyvisor.config.json',
] as const;

/** The configuration file of a directory, if it has one. */
export function findConfigFile(directory: string): string | undefined {
  return configFileNames.map((name) => join(directory, name)).find((file) => existsSync(file));
}

/**
 * Reads a configuration file. Paths in it become absolute.
 * @throws HostError `bad-config` with one line for each mistake
 */
export async function loadConfigFile(file: string): Promise<Config> {
  const path = resolve(file);
  const value = extname(path) === '.json' ? readJson(path) : await importDefault(path);
  const { configSchema } = await import('./config-schema.ts');
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map((issue) => {
      const where = issue.path.map(String).join('.');
      return `  ${where === '' ? '' : `${where}: `}${issue.message}`;
    });
    throw badConfig(path, `:\n${mistakes.join('\n')}`);
  }
  const { dataDirectory } = parsed.data;
  if (dataDirectory === undefined) return parsed.data;
  return { ...parsed.data, dataDirectory: resolve(dirname(path), dataDirectory) };
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw badConfig(path, ` can't be read: ${(error as Error).message}`, error);
  }
}

async function importDefault(path: string): Promise<unknown> {
  resolveOwnName();
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (error) {
    throw badConfig(path, ` can't be loaded: ${(error as Error).message}`, error);
  }
  if (module.default !== undefined) return module.default;
  throw badConfig(path, ' has no default export', undefined);
}

/** A file in a directory without `node_modules` may import `polyvisor/config` too: it gets this program's own. */
function resolveOwnName(): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (!/^polyvisor(\/|$)/.test(specifier)) return next(specifier, context);
      try {
        return next(specifier, context);
      } catch {
        return next(specifier, { ...context, parentURL: import.meta.url });
      }
    },
  });
}

function badConfig(path: string, what: string, cause?: unknown): HostError {
  return new HostError(
    'bad-config',
    `${relative(process.cwd(), path) || path}${what}`,
    "it should say: export default defineConfig({ guests: { l1: evm() } }), from 'polyvisor/config'",
    { cause },
  );
}
