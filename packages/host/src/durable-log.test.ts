import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase } from '@polyvisor/store/database';
import type { Database } from '@polyvisor/store/database';
import type { Change } from '@polyvisor/store/rows';
import { DurableLog } from './durable-log.ts';
import type { GuestFailure } from './guest-state.ts';
import type { Instance } from './instance.ts';
import { FakeClock } from './testing/fake-clock.ts';

/** A guest whose whole state is some bytes. */
class Bytes {
  now = new Uint8Array(1);
  state = (): Uint8Array => this.now;
  restore = (state: unknown): void => void (this.now = state as typeof this.now);
  changesSince = (before: unknown): Change[] =>
    before === this.now ? [] : [{ table: 'bytes', key: 'all', value: this.now }];
}

let directory: string;
let database: Database;
let bytes: Bytes;
let log: DurableLog;
const clock = new FakeClock();
const failures: GuestFailure[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'polyvisor-log-'));
  database = openDatabase(join(directory, 'a.db'), { quotaBytes: 2 ** 16 });
  bytes = new Bytes();
  failures.length = 0;
  log = new DurableLog(database, bytes as unknown as Instance, {
    clock,
    committedState: undefined,
    onFailure: (reason) => failures.push(reason),
  });
  log.begin('record');
});
afterEach(() => {
  log[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

test('all who wait in one turn share a transaction', async () => {
  const before = log.commits;
  const waiting = [1, 2, 3].map((value) => {
    bytes.now = Uint8Array.of(value);
    return log.committed();
  });
  clock.advance(0);
  await Promise.all(waiting);
  expect([log.commits - before, database.get('bytes', 'all')]).toEqual([1, Uint8Array.of(3)]);
});

test('nothing new is nothing to wait for', async () => {
  const before = log.commits;
  await log.committed();
  log.changed();
  clock.advance(0);
  expect(log.commits).toBe(before);
});

test('what nobody waits for is kept too', () => {
  bytes.now = Uint8Array.of(9);
  log.changed();
  clock.advance(0);
  expect(database.get('bytes', 'all')).toEqual(Uint8Array.of(9));
});

test('a commit that fails is told to all who wait, and the guest is where it was', async () => {
  const kept = bytes.now;
  bytes.now = new Uint8Array(2 ** 17);
  const waiting = [log.committed(), log.committed()].map((committed) =>
    expect(committed).rejects.toThrow(expect.objectContaining({ code: 'storage-quota' })),
  );
  clock.advance(0);
  await Promise.all(waiting);
  expect([bytes.now, failures.map(({ code }) => code)]).toEqual([kept, ['storage-quota']]);
  bytes.now = Uint8Array.of(5);
  const later = log.committed();
  clock.advance(0);
  await later;
  expect(database.get('bytes', 'all')).toEqual(Uint8Array.of(5));
});

test('who waits when the guest is removed is told so', async () => {
  const kept = bytes.now;
  bytes.now = Uint8Array.of(7);
  const waiting = expect(log.committed()).rejects.toThrow('removed');
  log[Symbol.dispose]();
  clock.advance(0);
  await waiting;
  using again = openDatabase(join(directory, 'a.db'));
  expect([again.get('bytes', 'all'), failures]).toEqual([kept, []]);
});
