import { defineConfig } from 'vitest/config';

/** For the code blocks of the docs, which `tools/docs.test.ts` writes to files of their own. */
export default defineConfig({ test: { include: ['*.test.ts'] } });
