import type { HostClock } from './clock.ts';
import type { DataDirectory } from './data-directory.ts';
import { DurableLog, keptState, readSnapshotRows, readStoredGuest } from './durable-log.ts';
import type { StoredGuest } from './durable-log.ts';
import { defaultLimits } from './guest-spec.ts';
import type { GuestStateName } from './guest-state.ts';
import { HostedGuest } from './hosted-guest.ts';
import type { GuestFacts, GuestHost } from './hosted-guest.ts';
import type { Instance } from './instance.ts';
import type { AnyGuestKind } from './kinds/registry.ts';

/**
 * Gives a new guest its database: its record and first state, in one transaction.
 * @param origin the guest that it is a fork of, if any: what they have in common is copied as a file
 */
export function createDurableLog(
  directory: DataDirectory,
  guest: HostedGuest,
  instance: Instance,
  clock: HostClock,
  origin: DurableLog | undefined,
): DurableLog {
  const record = JSON.stringify(recordOf(guest));
  const isCopy = origin !== undefined && instance.isVolatile !== true;
  if (isCopy) {
    directory.addGuest(guest.id, (path) => origin.copyTo(path, record, instance));
  }
  const database = directory.openGuest(guest.id, guest.limits.storageBytesMax);
  const durable = new DurableLog(database, instance, {
    clock,
    committedState: isCopy ? instance.state() : undefined,
    onFailure: (reason) => guest.fail(reason),
  });
  try {
    if (!isCopy) durable.begin(record);
  } catch (error) {
    durable[Symbol.dispose]();
    directory.removeGuest(guest.id);
    throw error;
  }
  return durable;
}

/**
 * A guest from its database. One that can't be read comes back failed, its file untouched, and does not keep the
 * others from starting. A file left by a host that died while it made the guest is removed.
 */
export async function loadStoredGuest(
  directory: DataDirectory,
  id: string,
  host: GuestHost,
  kindOf: (name: string) => Promise<AnyGuestKind>,
): Promise<LoadedGuest | undefined> {
  let stored: StoredGuest | undefined;
  try {
    using database = directory.openGuest(id);
    stored = readStoredGuest(database);
  } catch (error) {
    return failedGuest(new HostedGuest(unknownFacts(id), host), error);
  }
  if (stored === undefined) {
    directory.removeGuest(id);
    return undefined;
  }
  return await revive(directory, stored, host, kindOf);
}

export interface LoadedGuest {
  readonly guest: HostedGuest;
  /** Undefined: the guest could not be loaded and is failed. */
  readonly kind: AnyGuestKind | undefined;
  readonly instance: Instance | undefined;
  /** Where the last verb left it. */
  readonly state: GuestStateName;
}

/** What a database says about its guest; the machine's state is beside it. */
interface GuestRecord extends GuestFacts {
  readonly version: 1;
}

function recordOf(guest: HostedGuest): GuestRecord {
  const { id, name, kind, createdAtMs, limits, parent, options } = guest;
  return { version: 1, id, name, kind, createdAtMs, limits, parent, options };
}

async function revive(
  directory: DataDirectory,
  stored: StoredGuest,
  host: GuestHost,
  kindOf: (name: string) => Promise<AnyGuestKind>,
): Promise<LoadedGuest> {
  const record = JSON.parse(stored.record) as GuestRecord;
  const guest = new HostedGuest({ ...record, parent: record.parent ?? undefined }, host);
  try {
    const kind = await kindOf(record.kind);
    const instance = await kind.load(record.options, stored.rows, guest.context);
    const database = directory.openGuest(record.id, record.limits.storageBytesMax);
    const durable = new DurableLog(database, instance, {
      clock: host.clock,
      committedState: keptState(instance),
      onFailure: (reason) => guest.fail(reason),
    });
    const snapshots = new Map(stored.snapshots.map((snapshot) => [snapshot.id, snapshot]));
    for (const snapshot of stored.snapshots) {
      guest.snapshots.adopt(snapshot, () =>
        kind.loadState(record.options, readSnapshotRows(database, snapshots, snapshot.id)),
      );
    }
    guest.snapshots.adoptCurrent(stored.currentSnapshot);
    guest.attach(instance, durable, stored.state === 'created' ? 'created' : 'stopped');
    return { guest, kind, instance, state: stored.state };
  } catch (error) {
    return failedGuest(guest, error);
  }
}

function failedGuest(guest: HostedGuest, error: unknown): LoadedGuest {
  const message = error instanceof Error ? error.message : String(error);
  guest.fail({ code: 'corrupt-state', message });
  return { guest, kind: undefined, instance: undefined, state: 'failed' };
}

/** What can be said of a guest whose record can't be read. */
function unknownFacts(id: string): GuestFacts {
  return {
    id,
    name: id,
    kind: 'unknown',
    createdAtMs: 0,
    limits: defaultLimits,
    parent: undefined,
    options: undefined,
  };
}
