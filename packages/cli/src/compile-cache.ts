import { constants, enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { homeDirectory } from '@polyvisor/host/home-directory';

/**
 * Code that V8 compiled once is read from a cache at the next start. Before anything else is imported. The cache lies
 * beside the program, or with the user's own files where the program's may not be written: never where others write.
 * @param program its URL
 */
export function keepCompiledCode(program: string): void {
  const beside = fileURLToPath(new URL('.cache', program));
  const { status } = enableCompileCache(beside);
  if (status === constants.compileCacheStatus.FAILED) {
    enableCompileCache(join(homeDirectory(), 'compile-cache'));
  }
}
