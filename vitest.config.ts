import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{packages,tools,conformance,examples}/**/*.test.ts'],
    testTimeout: 30_000,
  },
});
