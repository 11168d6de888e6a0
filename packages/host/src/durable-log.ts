import { assert } from '@polyvisor/errors/assert';
import { HostError } from '@polyvisor/errors/host-error';
import { openDatabase } from '@polyvisor/store/database';
import type { Database } from '@polyvisor/store/database';
import type { Change, Rows } from '@polyvisor/store/rows';
import { bytesToUtf8, utf8ToBytes } from '@polyvisor/bytes/bytes';
import type { HostClock } from './clock.ts';
import type { GuestFailure, GuestStateName } from './guest-state.ts';
import type { Instance } from './instance.ts';
import type { Snapshot } from './snapshots.ts';

/**
 * Keeps one guest in one database. What changed since the last commit goes in as one transaction; all who wait for
 * it in the same turn of the event loop share it (group commit). A commit that fails (quota, full disk) changes
 * nothing: the guest goes back to what is kept, and fails.
 *
 * Tables of the database: the machine's own; `host` with the guest's record, the names of the machine's tables and
 * the snapshots; `snapshot.<id>` with the rows in which that snapshot differs from its parent.
 */
export class DurableLog implements Disposable {
  readonly #database: Database;
  readonly #instance: Instance;
  readonly #clock: HostClock;
  readonly #onFailure: (reason: GuestFailure) => void;
  readonly #tables: Set<string>;
  #committedState: unknown;
  #scheduled: Promise<void> | undefined;
  #commits = 0;
  #isClosed = false;

  constructor(database: Database, instance: Instance, options: DurableLogOptions) {
    this.#database = database;
    this.#instance = instance;
    this.#clock = options.clock;
    this.#onFailure = options.onFailure;
    this.#tables = new Set(readTables(database));
    this.#committedState = options.committedState;
  }

  /** Transactions written so far. */
  get commits(): number {
    return this.#commits;
  }

  /** Whether the quota leaves no room for another transaction. */
  get isFull(): boolean {
    return this.#database.isFull;
  }

  /** Resolves when all that the machine did so far is kept; rejects when it could not be. */
  committed(): Promise<void> {
    if (keptState(this.#instance) === this.#committedState) return this.#scheduled ?? DONE;
    return this.#schedule();
  }

  /** The machine got further and nobody waits: kept with the next group. */
  changed(): void {
    if (keptState(this.#instance) === this.#committedState) return;
    // Whoever asks next gets the failure; the guest has it already.
    this.#schedule().catch(() => {});
  }

  /** Writes the first state together with what the host wants to know about the guest after a restart. */
  begin(record: string): void {
    this.#commitState([{ table: HOST_TABLE, key: RECORD_KEY, value: utf8ToBytes(record) }]);
  }

  /**
   * Makes a fork's database of this one's: with the fork's record and state, without the snapshots. A copy of the file
   * with what differs, so a large guest is forked as fast as its file is copied.
   */
  copyTo(path: string, record: string, fork: Instance): void {
    this.#commitState();
    this.#database.copyTo(path);
    const changes = [...fork.changesSince(this.#committedState)];
    const tables = new Set([...this.#tables, ...changes.map(({ table }) => table)]);
    using copy = openDatabase(path);
    copy.commit([...asNewGuest(copy, record), tablesRow(tables), ...changes]);
  }

  /** Keeps whether the guest is to run after a restart. */
  writeState(name: GuestStateName): void {
    this.#write([{ table: HOST_TABLE, key: STATE_KEY, value: utf8ToBytes(name) }]);
  }

  /**
   * Keeps a snapshot of the present state, and that state. At once: the machine may not move on meanwhile.
   * @throws what the database threw; the guest goes on without the snapshot when only that did not fit
   */
  keepSnapshot(snapshot: Snapshot, parentState: unknown): void {
    if (this.#instance.isVolatile === true) return;
    this.#commitState();
    const rows: Change[] = [snapshotRow(snapshot), currentRow(snapshot.id)];
    for (const change of this.#instance.changesSince(parentState)) {
      rows.push(snapshotDelta(snapshot.id, change));
    }
    this.#write(rows);
  }

  /** The guest went to a snapshot; its state is kept together with that fact. */
  moveTo(id: string): void {
    if (this.#instance.isVolatile === true) return;
    this.#commitState([currentRow(id)]);
  }

  /** A removed snapshot's rows go to its children, where those say nothing newer. */
  dropSnapshot(
    removed: Snapshot,
    children: readonly Snapshot[],
    currentId: string | undefined,
  ): void {
    if (this.#instance.isVolatile === true) return;
    const rows: Change[] = [
      { table: HOST_TABLE, key: SNAPSHOT_KEY + removed.id, value: undefined },
      currentRow(currentId),
      ...children.map(snapshotRow),
    ];
    for (const [key, value] of this.#database.entries(snapshotTable(removed.id))) {
      rows.push({ table: snapshotTable(removed.id), key, value: undefined });
      for (const child of children) {
        const table = snapshotTable(child.id);
        if (this.#database.get(table, key) === undefined) rows.push({ table, key, value });
      }
    }
    this.#write(rows);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#database.close();
  }

  #schedule(): Promise<void> {
    this.#scheduled ??= new Promise((resolve, reject) => {
      this.#clock.defer(() => {
        this.#scheduled = undefined;
        // Removed meanwhile: there is nothing to keep any more, and nobody is told that it was.
        if (this.#isClosed) return reject(new HostError('guest-removed', 'the guest was removed'));
        try {
          this.#commitState();
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
    return this.#scheduled;
  }

  #commitState(more: readonly Change[] = []): void {
    const state = keptState(this.#instance);
    if (state === this.#committedState && more.length === 0) return;
    try {
      this.#write([...this.#stateChanges(), ...more]);
    } catch (error) {
      if (this.#instance.isVolatile !== true) this.#instance.restore(this.#committedState);
      const message = error instanceof Error ? error.message : String(error);
      const isQuota = (error as { code?: unknown }).code === 'storage-quota';
      this.#onFailure({ code: isQuota ? 'storage-quota' : 'storage-failure', message });
      throw error;
    }
    this.#committedState = state;
  }

  #stateChanges(): Change[] {
    const changes = [...this.#instance.changesSince(this.#committedState)];
    const tables = this.#tables.size;
    for (const { table } of changes) {
      assert(table !== HOST_TABLE && !table.startsWith(SNAPSHOT_TABLE), 'the table is the host’s');
      this.#tables.add(table);
    }
    if (this.#tables.size > tables) changes.push(tablesRow(this.#tables));
    return changes;
  }

  #write(rows: readonly Change[]): void {
    this.#database.commit(rows);
    this.#commits++;
  }
}

/** The state that a database has of an instance; always the same of one whose state is kept nowhere. */
export function keptState(instance: Instance): unknown {
  return instance.isVolatile === true ? VOLATILE : instance.state();
}

export interface DurableLogOptions {
  readonly clock: HostClock;
  /** The state that the database holds; undefined: none yet. */
  readonly committedState: unknown;
  readonly onFailure: (reason: GuestFailure) => void;
}

/** What a database keeps of a guest. */
export interface StoredGuest {
  /** As `begin` wrote it. */
  readonly record: string;
  /** The state that the guest was last moved to by a verb. */
  readonly state: GuestStateName;
  readonly rows: Rows;
  readonly snapshots: readonly Snapshot[];
  readonly currentSnapshot: string | undefined;
}

/** @returns undefined for a database whose guest was never committed */
export function readStoredGuest(database: Database): StoredGuest | undefined {
  const record = database.get(HOST_TABLE, RECORD_KEY);
  if (record === undefined) return undefined;
  const rows = new Map<string, ReadonlyMap<string, Uint8Array>>();
  for (const table of readTables(database)) rows.set(table, new Map(database.entries(table)));
  const snapshots: Snapshot[] = [];
  for (const [key, value] of database.entries(HOST_TABLE)) {
    if (key.startsWith(SNAPSHOT_KEY)) snapshots.push(JSON.parse(bytesToUtf8(value)) as Snapshot);
  }
  snapshots.sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
  const current = database.get(HOST_TABLE, CURRENT_KEY);
  const state = database.get(HOST_TABLE, STATE_KEY);
  return {
    record: bytesToUtf8(record),
    state: state === undefined ? 'created' : (bytesToUtf8(state) as GuestStateName),
    rows,
    snapshots,
    currentSnapshot: current === undefined ? undefined : bytesToUtf8(current),
  };
}

/** The whole state of a snapshot: its ancestors' rows and its own over them. */
export function readSnapshotRows(
  database: Database,
  snapshots: ReadonlyMap<string, Snapshot>,
  id: string,
): Rows {
  const path: string[] = [];
  for (let at: string | undefined = id; at !== undefined; at = snapshots.get(at)?.parent) {
    path.unshift(at);
  }
  const rows = new Map<string, Map<string, Uint8Array>>();
  for (const step of path) {
    for (const [tableAndKey, tagged] of database.entries(snapshotTable(step))) {
      const cut = tableAndKey.indexOf(SEPARATOR);
      const table = tableAndKey.slice(0, cut);
      const key = tableAndKey.slice(cut + 1);
      let inTable = rows.get(table);
      if (inTable === undefined) rows.set(table, (inTable = new Map()));
      if (tagged[0] === PRESENT) inTable.set(key, tagged.subarray(1));
      else inTable.delete(key);
    }
  }
  return rows;
}

const DONE = Promise.resolve();
const VOLATILE = Symbol('volatile');
const HOST_TABLE = 'host';
const SNAPSHOT_TABLE = 'snapshot.';
const RECORD_KEY = 'guest';
const STATE_KEY = 'state';
const TABLES_KEY = 'tables';
const CURRENT_KEY = 'current-snapshot';
const SNAPSHOT_KEY = 'snapshot.';
/** Between table and key; no machine's table has it in its name. */
const SEPARATOR = '/';
/** First byte of a snapshot's row: whether the row is there or was deleted since the parent. */
const PRESENT = 1;
const DELETED = 0;

/** Takes the host's rows away but for the new record, and the snapshots' with them; the machine's stay. */
function asNewGuest(database: Database, record: string): Change[] {
  const rows: Change[] = [{ table: HOST_TABLE, key: RECORD_KEY, value: utf8ToBytes(record) }];
  for (const [key] of database.entries(HOST_TABLE)) {
    if (key === RECORD_KEY) continue;
    rows.push({ table: HOST_TABLE, key, value: undefined });
    if (!key.startsWith(SNAPSHOT_KEY)) continue;
    const table = snapshotTable(key.slice(SNAPSHOT_KEY.length));
    for (const [row] of database.entries(table)) rows.push({ table, key: row, value: undefined });
  }
  return rows;
}

function tablesRow(tables: ReadonlySet<string>): Change {
  return { table: HOST_TABLE, key: TABLES_KEY, value: utf8ToBytes(JSON.stringify([...tables])) };
}

function readTables(database: Database): string[] {
  const names = database.get(HOST_TABLE, TABLES_KEY);
  return names === undefined ? [] : (JSON.parse(bytesToUtf8(names)) as string[]);
}

function snapshotTable(id: string): string {
  return SNAPSHOT_TABLE + id;
}

function snapshotRow(snapshot: Snapshot): Change {
  const value = utf8ToBytes(JSON.stringify(snapshot));
  return { table: HOST_TABLE, key: SNAPSHOT_KEY + snapshot.id, value };
}

function currentRow(id: string | undefined): Change {
  const value = id === undefined ? undefined : utf8ToBytes(id);
  return { table: HOST_TABLE, key: CURRENT_KEY, value };
}

function snapshotDelta(id: string, change: Change): Change {
  const tagged = new Uint8Array(1 + (change.value?.length ?? 0));
  tagged[0] = change.value === undefined ? DELETED : PRESENT;
  if (change.value !== undefined) tagged.set(change.value, 1);
  return {
    table: snapshotTable(id),
    key: change.table + SEPARATOR + change.key,
    value: tagged,
  };
}
