import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pages } from './manual.ts';

describe('reference pages are what their tables say (npm test -- -u writes them)', () => {
  for (const [path, render] of Object.entries(pages)) {
    test(path, async () => {
      await expect(render()).toMatchFileSnapshot(join(import.meta.dirname, '..', path));
    });
  }
});
