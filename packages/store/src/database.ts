import { Buffer } from 'node:buffer';
import { constants, copyFileSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { assert } from '@polyvisor/errors/assert';
import { HostError } from '@polyvisor/errors/host-error';
import type { Change } from './rows.ts';

export interface DatabaseOptions {
  /** Most bytes that the file may have, rounded down to pages. Default: no limit. */
  readonly quotaBytes?: number;
}

/**
 * Opens the database in a file, or makes it.
 * @throws HostError `database-damaged` when the file is something else or broken, `database-failed` when it can't be
 *   opened
 */
export function openDatabase(path: string, { quotaBytes }: DatabaseOptions = {}): Database {
  const quotaPages = quotaBytes === undefined ? PAGES_MAX : Math.floor(quotaBytes / PAGE_BYTES);
  let sqlite: DatabaseSync | undefined;
  try {
    sqlite = new DatabaseSync(path);
    // The file is made with the default page size, whatever SQLite's default is one day.
    sqlite.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
    sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    sqlite.exec(SCHEMA);
    sqlite.exec(`PRAGMA max_page_count = ${Math.max(1, quotaPages)}`);
    return new Database(path, sqlite, quotaPages);
  } catch (error) {
    sqlite?.close();
    throw translate(error, path);
  }
}

/**
 * Rows in a file, through SQLite. A commit is one transaction that is all there or not at all, and once `commit`
 * has returned it outlives the process, the system and, as far as the disk tells the truth, the power: the log is
 * synced first. That costs about 0.2 ms on a local disk, where not waiting for it would cost 0.05 ms.
 *
 * Beside the file lies its log (`-wal`), which SQLite folds in every 1000 pages; the quota is over the file itself.
 * @see https://sqlite.org/wal.html, https://sqlite.org/pragma.html#pragma_synchronous
 */
export class Database implements Disposable {
  readonly #path: string;
  readonly #sqlite: DatabaseSync;
  readonly #quotaPages: number;
  readonly #statements: Statements;

  /** For `openDatabase`. */
  constructor(path: string, sqlite: DatabaseSync, quotaPages: number) {
    this.#path = path;
    this.#sqlite = sqlite;
    this.#quotaPages = quotaPages;
    this.#statements = prepare(sqlite);
  }

  /** Bytes of the file that are in use. */
  get sizeBytes(): number {
    return this.#pagesInUse() * PAGE_BYTES;
  }

  /** Whether the quota leaves no page for another row. */
  get isFull(): boolean {
    return this.#pagesInUse() >= this.#quotaPages;
  }

  /** @throws HostError `database-damaged`, `database-failed` */
  get(table: string, key: string): Uint8Array | undefined {
    const row = this.#guard(() => this.#statements.get.get(table, keyToBytes(key)));
    return row?.['value'] as Uint8Array | undefined;
  }

  /**
   * All rows of a table, in the order of their keys.
   * @throws HostError `database-damaged`, `database-failed`
   */
  entries(table: string): [key: string, value: Uint8Array][] {
    const rows = this.#guard(() => this.#statements.entries.all(table));
    return rows.map((row) => [bytesToKey(row['key'] as Uint8Array), row['value'] as Uint8Array]);
  }

  /**
   * Writes all changes (the later of two to one row wins) or, when it throws, none of them.
   * @throws HostError `storage-quota` when the file would outgrow its quota, `storage-full` when the disk is full,
   *   `database-damaged`, `database-failed`
   */
  commit(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    const { begin, commit, put, remove, rollback } = this.#statements;
    this.#guard(() => {
      begin.run();
      try {
        for (const { table, key, value } of changes) {
          if (value === undefined) remove.run(table, keyToBytes(key));
          else put.run(table, keyToBytes(key), value);
        }
        commit.run();
      } catch (error) {
        // SQLite has rolled some back by itself.
        if (this.#sqlite.isTransaction) rollback.run();
        throw error;
      }
    });
  }

  /**
   * Copies what is committed to a new file; at once where the file system lets files share blocks. The copy outlives a
   * loss of power from its own first commit and close on.
   * @throws HostError `database-failed`
   */
  copyTo(path: string): void {
    this.#guard(() => this.#sqlite.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
    try {
      copyFileSync(this.#path, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    } catch (error) {
      throw new HostError('database-failed', `can't copy ${this.#path}: ${String(error)}`);
    }
  }

  /** What is committed stays; nothing can be read or written any more. */
  close(): void {
    if (this.#sqlite.isOpen) this.#sqlite.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #pagesInUse(): number {
    return this.#guard(() => this.#statements.pagesInUse.get())?.['pages'] as number;
  }

  #guard<T>(use: () => T): T {
    assert(this.#sqlite.isOpen, 'a closed database is not used');
    try {
      return use();
    } catch (error) {
      throw translate(error, this.#path);
    }
  }
}

/** SQLite's own default, and the unit of the quota. */
const PAGE_BYTES = 4096;
/** @see https://sqlite.org/limits.html "Maximum Number Of Pages In A Database File" */
const PAGES_MAX = 0xffff_fffe;

const SCHEMA = `CREATE TABLE IF NOT EXISTS rows (
  "table" TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY ("table", key)
) STRICT, WITHOUT ROWID`;

interface Statements {
  readonly begin: StatementSync;
  readonly commit: StatementSync;
  readonly rollback: StatementSync;
  readonly get: StatementSync;
  readonly entries: StatementSync;
  readonly put: StatementSync;
  readonly remove: StatementSync;
  readonly pagesInUse: StatementSync;
}

function prepare(sqlite: DatabaseSync): Statements {
  return {
    begin: sqlite.prepare('BEGIN IMMEDIATE'),
    commit: sqlite.prepare('COMMIT'),
    rollback: sqlite.prepare('ROLLBACK'),
    get: sqlite.prepare('SELECT value FROM rows WHERE "table" = ? AND key = ?'),
    entries: sqlite.prepare('SELECT key, value FROM rows WHERE "table" = ? ORDER BY key'),
    put: sqlite.prepare(
      'INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    ),
    remove: sqlite.prepare('DELETE FROM rows WHERE "table" = ? AND key = ?'),
    pagesInUse: sqlite.prepare(
      'SELECT page_count - freelist_count AS pages FROM pragma_page_count, pragma_freelist_count',
    ),
  };
}

function keyToBytes(key: string): Uint8Array {
  const bytes = Buffer.from(key, 'latin1');
  // The encoder drops the high byte of a character, without a word.
  assert(bytes.toString('latin1') === key, 'keys are latin1');
  return bytes;
}

function bytesToKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

// Primary result codes. @see https://sqlite.org/rescode.html
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOT_A_DATABASE = 26;

/** Less than this free, and a full database is the disk's fault rather than the quota's. */
const DISK_BYTES_MIN = 2 ** 20;

/** What SQLite says in words of ours; errors that aren't SQLite's are bugs and stay what they are. */
function translate(error: unknown, path: string): unknown {
  if ((error as { code?: unknown }).code !== 'ERR_SQLITE_ERROR') return error;
  const { errcode, message } = error as { errcode: number; message: string };
  switch (errcode & 0xff) {
    case SQLITE_FULL:
      return isDiskFull(path)
        ? new HostError('storage-full', `the disk of ${path} is full`, 'make room on it')
        : new HostError(
            'storage-quota',
            `${path} has reached its quota`,
            'raise the storage limit',
          );
    case SQLITE_CORRUPT:
    case SQLITE_NOT_A_DATABASE:
      return new HostError(
        'database-damaged',
        `${path} is damaged: ${message}`,
        'put back a copy of it, or move it away',
        { cause: error },
      );
    default:
      return new HostError('database-failed', `${path}: ${message}`, undefined, { cause: error });
  }
}

function isDiskFull(path: string): boolean {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize < DISK_BYTES_MIN;
}
