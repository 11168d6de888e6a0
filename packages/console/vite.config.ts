import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';
import type { Plugin } from 'vite';

/** The console is one page, served by the host's control server from `dist/polyvisor/console`. */
// The tool that reads this file wants a default export.
// oxlint-disable-next-line import/no-default-export
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  build: {
    outDir: join(import.meta.dirname, '../../dist/polyvisor/console'),
    emptyOutDir: true,
    target: 'es2024',
    modulePreload: { polyfill: false },
    // The server's content security policy runs no inline script and no `data:` font.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  plugins: [sizeBudget(150 * 1024)],
});

/** Prints what a browser downloads, and fails the build when that is more than `bytesMax`, gzip. */
function sizeBudget(bytesMax: number): Plugin {
  return {
    name: 'polyvisor-size-budget',
    apply: 'build',
    writeBundle({ dir }) {
      if (dir === undefined) return;
      let bytes = 0;
      for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        bytes += gzipSync(readFileSync(join(entry.parentPath, entry.name))).length;
      }
      const report = `console: ${kib(bytes)} KiB gzip of ${kib(bytesMax)} KiB`;
      if (bytes > bytesMax) this.error(`${report}: too large`);
      // Not `this.info`: builds that show only warnings show this, too.
      console.log(report);
    },
  };
}

function kib(bytes: number): string {
  return (bytes / 1024).toFixed(1);
}
