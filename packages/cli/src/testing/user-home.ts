import { TemporaryDirectory } from '@polyvisor/host/testing/temporary-directory';
import { afterEach, beforeEach, vi } from 'vitest';

/** Gives each test of a file a home directory of its own. @returns its path, while a test runs */
export function useHome(): { readonly path: string } {
  let home: TemporaryDirectory;
  beforeEach(() => {
    home = new TemporaryDirectory();
    vi.stubEnv('POLYVISOR_HOME', home.path);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    home[Symbol.dispose]();
  });
  return {
    get path() {
      return home.path;
    },
  };
}
