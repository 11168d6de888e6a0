import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openNodeStore } from '../node-store.ts';
import { blockOf, BLOCK_COUNT, roundIn } from '../testing/writer-pattern.ts';

const SEED = 20_261_125;
const ROUNDS = 12;
/** A writer is killed after so many acknowledged flushes, at most, and a part of the next. */
const FLUSHES_MAX = 40;
const WRITER = join(import.meta.dirname, '..', 'testing', 'writer-process.ts');

let directory: string;
let child: ChildProcess | undefined;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'polyvisor-disk-kill-'));
});
afterAll(() => {
  child?.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

test('what a flush acknowledged outlives kill -9 at any moment', async () => {
  let acknowledged = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const count = 1 + ((SEED + round * 7919) % FLUSHES_MAX);
    acknowledged = await killWriter(acknowledged + 1, count);
    check(acknowledged);
  }
  expect(acknowledged).toBeGreaterThan(ROUNDS);
}, 60_000);

/** Starts a writer; kills it when it has told of `count` flushes. @returns the last round it told of */
async function killWriter(firstRound: number, count: number): Promise<number> {
  const writer = spawn(process.execPath, [WRITER, directory, String(firstRound)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = writer;
  const closed = once(writer, 'close');
  let last = firstRound - 1;
  let seen = 0;
  for await (const line of createInterface(writer.stdout)) {
    last = Number(line);
    if (++seen === count) writer.kill('SIGKILL');
  }
  await closed;
  expect(writer.signalCode).toBe('SIGKILL');
  return last;
}

/** All blocks are of the last acknowledged round, or all of one after it. */
function check(acknowledged: number): void {
  using store = openNodeStore(directory);
  const disk = store.open('disk');
  const content = new Uint8Array(store.blockBytes);
  const rounds = new Set<number>();
  for (let block = 0; block < BLOCK_COUNT; block++) {
    disk.read(block * store.blockBytes, content);
    const round = roundIn(content);
    expect(content).toEqual(blockOf(round, block, store.blockBytes));
    rounds.add(round);
  }
  expect([...rounds]).toHaveLength(1);
  expect(Math.min(...rounds)).toBeGreaterThanOrEqual(acknowledged);
  expect(store.verify()).toEqual([]);
}
