import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/**
 * Every code block of the README and the guides is run, each page in order: `ts` by Node, or by vitest where it
 * imports a fixture; `sh` by a shell, while the hosts that the page started are up.
 */
const root = join(import.meta.dirname, '..');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs/guide')).map((name) => `docs/guide/${name}`),
].filter((path) => path.endsWith('.md'));

const home = mkdtempSync(join(tmpdir(), 'polyvisor-docs-'));
/** Inside the checkout, so that modules resolve as in a project that has them installed. */
const scripts = join(root, '.cache', `docs-${process.pid}`);
const servers: ChildProcess[] = [];
/** Commands of pages come from the build, their ports are free ones, their hosts are nobody else's. */
const env = {
  ...process.env,
  POLYVISOR_HOME: home,
  POLYVISOR_PORT: '0',
  POLYVISOR_CONSOLE_PORT: '0',
  PATH: [home, join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
};

beforeAll(() => {
  mkdirSync(scripts, { recursive: true });
  if (hasImages) symlinkSync(images, join(home, 'images'));
  // What `npx polyvisor` is for somebody who has installed the package.
  const cli = join(root, 'dist/polyvisor/cli.js');
  writeFileSync(
    join(home, 'npx'),
    `#!/bin/sh\n[ "$1" = polyvisor ] || exit 127\nshift\nexec "${process.execPath}" "${cli}" "$@"\n`,
    { mode: 0o755 },
  );
});

afterAll(async () => {
  for (const server of servers) await stop(server);
  rmSync(home, { recursive: true });
  rmSync(scripts, { recursive: true });
});

interface Block {
  readonly language: string;
  readonly text: string;
  readonly line: number;
}

/** An image that was made for the conformance suite; to make one takes a mirror of Debian. */
const images = join(root, '.cache/computer/images');
const hasImages = existsSync(join(images, 'linux'));
const PAGE_WITH_IMAGES = 'docs/guide/linux.md';
if (!hasImages) {
  console.warn(`NOT TESTED: ${PAGE_WITH_IMAGES}. Run it once: npm run conf -- computer-boot`);
}

for (const page of pages) {
  const isSkipped = page === PAGE_WITH_IMAGES && !hasImages;
  describe.skipIf(isSkipped)(page, () => {
    for (const block of blocksOf(readFileSync(join(root, page), 'utf8'))) {
      const title = `line ${block.line}: ${block.text.split('\n')[0]}`;
      if (block.language === 'ts') test(title, () => runScript(block), 60_000);
      else if (block.language === 'sh') test(title, () => runCommands(block), 120_000);
      else test(title, () => expect(['text', 'json']).toContain(block.language));
    }
  });
}

function blocksOf(markdown: string): Block[] {
  return Array.from(markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm), (match) => ({
    language: match[1]!,
    text: match[2]!.trimEnd(),
    line: markdown.slice(0, match.index).split('\n').length,
  }));
}

async function runScript({ text, line }: Block): Promise<void> {
  const isTest = text.includes("'vitest'");
  const file = join(scripts, isTest ? `block-${line}.test.ts` : `block-${line}.ts`);
  writeFileSync(file, `${text}\n`);
  const parameters = isTest
    ? [
        join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--root',
        scripts,
        '--config',
        join(root, 'vitest.blocks.config.ts'),
        file,
      ]
    : ['--disable-warning=ExperimentalWarning', file];
  await promisify(execFile)(process.execPath, parameters, { cwd: root, env });
}

async function runCommands({ text }: Block): Promise<void> {
  for (const line of text.split('\n')) {
    const command = line.replace(/\s+#.*$/, '').trim();
    if (command === '') continue;
    if (isServer(command)) await start(command);
    else if (!isThisRun(command))
      await promisify(execFile)('sh', ['-c', command], { cwd: home, env });
  }
}

/** Commands that go on until they are stopped. */
function isServer(command: string): boolean {
  return /^(npm start|npx polyvisor (up|evm|linux))\b/.test(command);
}

/** What runs this very test, downloads, or takes minutes: those are run by hand and by continuous integration. */
function isThisRun(command: string): boolean {
  return /^(npm (test|run (check|conf|bench|fuzz|format))|npx polyvisor images pull)\b/.test(
    command,
  );
}

/** Starts a host, until it says that it is ready. The one before is stopped: each is the only one. */
async function start(command: string): Promise<void> {
  for (const server of servers.splice(0)) await stop(server);
  const [program, ...parameters] = command.split(' ');
  const isClone = program === 'npm';
  const server = spawn(program!, parameters, { cwd: isClone ? root : home, env, detached: true });
  servers.push(server);
  let output = '';
  server.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  server.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(server, 'exit').then(() => {
    throw new Error(`'${command}' ended:\n${output}`);
  });
  const ready = new Promise<void>((resolve) => {
    server.stdout.on('data', () => {
      if (/ready in/.test(output)) resolve();
    });
  });
  await Promise.race([ready, exited]);
  exited.catch(() => {});
}

/** Its whole group: npm has a shell between. */
async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, 'exit');
  process.kill(-server.pid!, 'SIGTERM');
  await exited;
}
