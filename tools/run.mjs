// The one entry of every command. Plain JavaScript that runs on whatever Node >= 20 the clone finds,
// before anything is installed: it installs from the lockfile, then hands over to the pinned Node.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (path) => join(root, 'node_modules', path);

/** Task name -> the commands it runs, in order, each with the pinned Node. `rest` is what the user typed after it. */
const tasks = {
  start: (rest) => [
    ['tools/build.ts', '--if-stale'],
    ['dist/polyvisor/cli.js', ...(rest.length > 0 ? rest : ['up'])],
  ],
  build: (rest) => [['tools/build.ts', ...rest]],
  test: (rest) => [
    ['tools/build.ts', '--if-stale'],
    [bin('vitest/vitest.mjs'), 'run', ...rest],
  ],
  check: () => [
    [bin('typescript/bin/tsc'), '-p', 'tsconfig.json'],
    [bin('typescript/bin/tsc'), '-p', 'packages/console/tsconfig.json'],
    [bin('oxlint/bin/oxlint'), '--deny-warnings'],
    [bin('oxfmt/bin/oxfmt'), '--check'],
    [bin('vitest/vitest.mjs'), 'run', 'tools/tidy.test.ts'],
  ],
  format: () => [[bin('oxfmt/bin/oxfmt')]],
  conf: (rest) => [['conformance/main.ts', ...rest]],
  bench: (rest) => [
    ['tools/build.ts', '--if-stale'],
    ['bench/main.ts', ...rest],
  ],
  fuzz: (rest) => [['conformance/fuzz.ts', ...rest]],
};

const [task, ...rest] = process.argv.slice(2);
if (!Object.hasOwn(tasks, task ?? '')) {
  console.error(`polyvisor: no task '${task ?? ''}'. Tasks: ${Object.keys(tasks).join(', ')}.`);
  process.exit(2);
}
process.chdir(root);
install();
const node =
  [bin('.bin/node'), bin('.bin/node.cmd')].find((path) => existsSync(path)) ?? process.execPath;
for (const args of tasks[task](rest)) run(node, ['--disable-warning=ExperimentalWarning', ...args]);

/** Installs when package.json or the lockfile changed since the last install. */
function install() {
  const stamp = bin('.polyvisor-stamp');
  const wanted = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error('polyvisor: installing dependencies from the lockfile (once)…');
  run(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    process.platform === 'win32',
  );
  writeFileSync(stamp, wanted);
}

function fingerprint() {
  const hash = createHash('sha256');
  for (const file of ['package.json', 'package-lock.json']) hash.update(readFileSync(file));
  return hash.digest('hex');
}

function run(command, args, shell = false) {
  const result = spawnSync(command, args, { stdio: 'inherit', shell });
  if (result.error) {
    console.error(`polyvisor: cannot run ${command}: ${result.error.message}`);
    process.exit(1);
  }
  if (result.status !== 0) process.exit(result.status ?? 1);
}
