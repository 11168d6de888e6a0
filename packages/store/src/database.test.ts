import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from './database.ts';
import type { Database } from './database.ts';
import type { Change } from './rows.ts';

const SEED = 20_260_201;
const PAGE = 4096;

let directory: string;
let file: string;
const opened: Database[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'polyvisor-database-'));
  file = join(directory, 'a.db');
});
afterEach(() => {
  for (const database of opened.splice(0)) database.close();
  rmSync(directory, { recursive: true });
});

function open(quotaBytes?: number): Database {
  const database = openDatabase(file, quotaBytes === undefined ? {} : { quotaBytes });
  opened.push(database);
  return database;
}

function put(key: string, value: Uint8Array | undefined, table = 't'): Change {
  return { table, key, value };
}

function bytes(length: number): Uint8Array {
  return new Uint8Array(length).fill(1);
}

/** Pages that a database with this one row takes. */
function pagesWith(length: number): number {
  using database = openDatabase(join(directory, `size-${length}.db`));
  database.commit([put('a', bytes(length))]);
  return database.sizeBytes / PAGE;
}

describe('rows', () => {
  test('a new database has none', () => {
    expect([open().get('t', 'a'), open().entries('t')]).toEqual([undefined, []]);
  });

  test('the later change to a row wins', () => {
    const database = open();
    database.commit([put('a', Uint8Array.of(1)), put('a', Uint8Array.of(2))]);
    database.commit([put('b', Uint8Array.of(3)), put('b', undefined)]);
    expect(database.entries('t')).toEqual([['a', Uint8Array.of(2)]]);
  });

  test('tables keep equal keys apart', () => {
    const database = open();
    database.commit([put('a', Uint8Array.of(1), 't'), put('a', Uint8Array.of(2), 'u')]);
    expect([database.get('t', 'a'), database.get('u', 'a')]).toEqual([
      Uint8Array.of(1),
      Uint8Array.of(2),
    ]);
  });

  test('an empty value is a value', () => {
    const database = open();
    database.commit([put('', new Uint8Array(0))]);
    expect(database.get('t', '')).toEqual(new Uint8Array(0));
  });

  test('keys come in the order of their bytes', () => {
    const database = open();
    const keys = ['b', '\xff', '\0', 'ab', 'a', '\x80'];
    database.commit(keys.map((key) => put(key, Uint8Array.of(0))));
    expect(database.entries('t').map(([key]) => key)).toEqual(keys.toSorted());
  });

  test('a key outside latin1 is a bug', () => {
    expect(() => open().commit([put('a\u0100', Uint8Array.of(1))])).toThrow('latin1');
  });

  test('after a bug in the middle of a commit the database goes on', () => {
    const database = open();
    expect(() => database.commit([put('a', Uint8Array.of(1)), put('\u0100', undefined)])).toThrow();
    database.commit([put('b', Uint8Array.of(2))]);
    expect(database.entries('t')).toEqual([['b', Uint8Array.of(2)]]);
  });

  test('it holds what a map would, after reopening too', () => {
    const key = fc.uint8Array({ maxLength: 3 }).map((codes) => String.fromCharCode(...codes));
    const change = fc.record({
      table: fc.constantFrom('t', 'u.1'),
      key,
      value: fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }),
    });
    const commits = fc.array(fc.array(change, { maxLength: 10 }), { maxLength: 10 });
    fc.assert(
      fc.property(commits, (batches) => {
        const model = new Map<string, Map<string, Uint8Array>>([
          ['t', new Map()],
          ['u.1', new Map()],
        ]);
        const path = join(directory, `${Math.random()}.db`);
        const database = openDatabase(path);
        for (const batch of batches) {
          database.commit(batch);
          for (const row of batch) {
            if (row.value === undefined) model.get(row.table)?.delete(row.key);
            else model.get(row.table)?.set(row.key, row.value);
          }
        }
        database.close();
        using again = openDatabase(path);
        for (const [table, rows] of model) {
          expect(new Map(again.entries(table))).toEqual(rows);
          for (const [k, value] of rows) expect(again.get(table, k)).toEqual(value);
        }
      }),
      { seed: SEED, numRuns: 30 },
    );
  });
});

describe('commits', () => {
  test('one is in the file before close', () => {
    open().commit([put('a', Uint8Array.of(1))]);
    // What a process that was killed leaves: the file and its log, as they are.
    copyFileSync(file, join(directory, 'b.db'));
    copyFileSync(`${file}-wal`, join(directory, 'b.db-wal'));
    using left = openDatabase(join(directory, 'b.db'));
    expect(left.get('t', 'a')).toEqual(Uint8Array.of(1));
  });
});

describe('copies', () => {
  test('one has what was committed, and goes its own way', () => {
    const database = open();
    database.commit([put('a', Uint8Array.of(1))]);
    const path = join(directory, 'copy.db');
    database.copyTo(path);
    database.commit([put('a', Uint8Array.of(2))]);
    using copy = openDatabase(path);
    copy.commit([put('b', Uint8Array.of(3))]);
    expect([database.entries('t'), copy.entries('t')]).toEqual([
      [['a', Uint8Array.of(2)]],
      [
        ['a', Uint8Array.of(1)],
        ['b', Uint8Array.of(3)],
      ],
    ]);
  });

  test('one does not go over another file', () => {
    const path = join(directory, 'copy.db');
    writeFileSync(path, 'something');
    expect(() => open().copyTo(path)).toThrow(expect.objectContaining({ code: 'database-failed' }));
  });
});

describe('quota', () => {
  test('a commit that fits exactly is kept; one byte of quota less and it is not', () => {
    const pages = pagesWith(50_000);
    const atLimit = open(pages * PAGE);
    atLimit.commit([put('a', bytes(50_000))]);
    expect([atLimit.isFull, atLimit.sizeBytes]).toEqual([true, pages * PAGE]);
    using below = openDatabase(join(directory, 'below.db'), { quotaBytes: pages * PAGE - 1 });
    expect(() => below.commit([put('a', bytes(50_000))])).toThrow(
      expect.objectContaining({ code: 'storage-quota' }),
    );
    using above = openDatabase(join(directory, 'above.db'), { quotaBytes: pages * PAGE + PAGE });
    above.commit([put('a', bytes(50_000))]);
    expect(above.isFull).toBe(false);
  });

  test('a commit over the quota changes nothing, and smaller ones still work', () => {
    const database = open(16 * PAGE);
    database.commit([put('a', Uint8Array.of(1))]);
    const before = database.sizeBytes;
    const tooMuch = [put('a', undefined), put('b', bytes(100_000))];
    expect(() => database.commit(tooMuch)).toThrow(
      expect.objectContaining({ code: 'storage-quota' }),
    );
    expect([database.sizeBytes, database.entries('t')]).toEqual([
      before,
      [['a', Uint8Array.of(1)]],
    ]);
    database.commit([put('c', Uint8Array.of(2))]);
    expect(database.get('t', 'c')).toEqual(Uint8Array.of(2));
  });

  test('what is deleted can be used again', () => {
    const database = open(16 * PAGE);
    for (let round = 0; round < 20; round++) {
      database.commit([put(`a${round - 1}`, undefined), put(`a${round}`, bytes(30_000))]);
    }
    expect(database.sizeBytes).toBeLessThanOrEqual(16 * PAGE);
  });

  test('a database opened with less than it has can be read, and shrunk', () => {
    open().commit([put('a', bytes(100_000))]);
    for (const database of opened.splice(0)) database.close();
    const database = open(4 * PAGE);
    expect([database.isFull, database.get('t', 'a')?.length]).toEqual([true, 100_000]);
    database.commit([put('a', undefined)]);
    expect(database.isFull).toBe(false);
  });
});

describe('damage', () => {
  test('a file that is no database', () => {
    writeFileSync(file, 'not a database, by any means; long enough to have a header'.repeat(10));
    expect(() => open()).toThrow(expect.objectContaining({ code: 'database-damaged' }));
    expect(statSync(file).size).toBeGreaterThan(0);
  });

  test('a database with pages overwritten', () => {
    open().commit([...Array(2000).keys()].map((n) => put(`key ${n}`, new Uint8Array(100))));
    for (const database of opened.splice(0)) database.close();
    const size = statSync(file).size;
    const garbage = new Uint8Array(size).fill(0xa5);
    const whole = readFileSync(file);
    garbage.set(whole.subarray(0, 2 * PAGE));
    writeFileSync(file, garbage);
    expect(() => open().entries('t')).toThrow(
      expect.objectContaining({ code: 'database-damaged' }),
    );
  });

  test('a path that can not be opened', () => {
    expect(() => openDatabase(join(directory, 'none', 'a.db'))).toThrow(
      expect.objectContaining({ code: 'database-failed' }),
    );
  });
});
