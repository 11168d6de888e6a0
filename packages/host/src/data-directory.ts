import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HostError } from '@polyvisor/errors/host-error';
import { openDatabase } from '@polyvisor/store/database';
import type { Database } from '@polyvisor/store/database';

/**
 * Where a host keeps its guests: `guests/<id>.db` each, with `guests/<id>.files` beside it where a guest has files,
 * `lock` and `host.json` that say who has it, `token` of the control API. One host at a time: the lock is the operating
 * system's, on a file, so it ends with the process however that ends.
 */
export class DataDirectory implements Disposable {
  readonly path: string;
  readonly #lock: DatabaseSync;

  /** @throws HostError `data-directory-busy` naming the holder, `data-directory` when it can't be made */
  constructor(path: string, holder: DataDirectoryHolder) {
    this.path = resolve(path);
    try {
      mkdirSync(join(this.path, 'guests'), { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new HostError(
        'data-directory',
        `can't make the data directory ${this.path}: ${(error as Error).message}`,
        'give another with --data-dir',
      );
    }
    this.#lock = takeLock(this.path);
    this.#removeUnfinished();
    writeFileSync(join(this.path, 'host.json'), JSON.stringify(holder));
  }

  /** Ids of the guests that have a database here. */
  guestIds(): string[] {
    return readdirSync(join(this.path, 'guests'))
      .filter((file) => file.endsWith('.db'))
      .map((file) => file.slice(0, -'.db'.length))
      .toSorted();
  }

  /** @param quotaBytes undefined: no limit, to read one */
  openGuest(id: string, quotaBytes?: number): Database {
    return openDatabase(this.#guestFile(id), quotaBytes === undefined ? {} : { quotaBytes });
  }

  /** Has `write` make a guest's database, which is there as a whole or not at all. */
  addGuest(id: string, write: (path: string) => void): void {
    const path = join(this.path, 'guests', id + UNFINISHED);
    try {
      write(path);
      renameSync(path, this.#guestFile(id));
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
  }

  removeGuest(id: string): void {
    // SQLite's own two files beside the database go with it.
    for (const suffix of ['', '-wal', '-shm'])
      rmSync(this.#guestFile(id) + suffix, { force: true });
    rmSync(this.filesOf(id), { recursive: true, force: true });
  }

  /** A guest's own directory, which is not made yet. It goes with the guest. */
  filesOf(id: string): string {
    return join(this.path, 'guests', id + FILES);
  }

  /** Writes the control API's token where only this user can read it. @returns the file */
  writeToken(token: string): string {
    const file = join(this.path, 'token');
    writeFileSync(file, token, { mode: 0o600 });
    chmodSync(file, 0o600);
    return file;
  }

  [Symbol.dispose](): void {
    this.#lock.close();
  }

  /** Files of guests that a host that died was making. */
  #removeUnfinished(): void {
    const guests = join(this.path, 'guests');
    for (const file of readdirSync(guests)) {
      const isOrphaned =
        file.endsWith(FILES) && !existsSync(this.#guestFile(file.slice(0, -FILES.length)));
      if (isOrphaned || file.includes(UNFINISHED)) {
        rmSync(join(guests, file), { recursive: true, force: true });
      }
    }
  }

  #guestFile(id: string): string {
    return join(this.path, 'guests', `${id}.db`);
  }
}

/** Ends the name of a guest's directory. */
const FILES = '.files';
/** Ends the name of a database that is not yet a guest's. */
const UNFINISHED = '.new';

/** Who has a data directory, for the next one who wants it. */
export interface DataDirectoryHolder {
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** @see https://sqlite.org/pragma.html#pragma_locking_mode */
function takeLock(path: string): DatabaseSync {
  const lock = new DatabaseSync(join(path, 'lock'));
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    throw new HostError(
      'data-directory-busy',
      `the data directory ${path} is in use by ${describeHolder(path)}`,
      'stop that host, or give another directory with --data-dir',
      { cause: error },
    );
  }
  return lock;
}

function describeHolder(path: string): string {
  try {
    const text = readFileSync(join(path, 'host.json'), 'utf8');
    const { pid, startedAt } = JSON.parse(text) as DataDirectoryHolder;
    return `process ${pid}, since ${startedAt}`;
  } catch {
    // Taken a moment ago: the holder has not written its name yet.
    return 'another host';
  }
}
