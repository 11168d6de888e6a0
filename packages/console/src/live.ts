import type { EventView, GuestView, UsageView } from '@polyvisor/host/control/views';
import { ApiError } from './api.ts';
import type { Api } from './api.ts';
import { SampleRing } from './sample-ring.ts';
import { createStore } from './store.ts';
import type { Store } from './store.ts';

/** What the page knows of the host, kept true by the host's stream of events. */
export interface Live {
  readonly guests: Store<Guests>;
  /** Counts up when a guest's snapshots changed or it went back to one. */
  readonly snapshotNews: Store<number>;
  /** Usage of a guest over the last minutes. */
  samples(guestId: string): SampleRing;
}

export interface Guests {
  /** undefined: not known yet. */
  readonly list: readonly GuestView[] | undefined;
  /** Why the host can't be heard right now. */
  readonly error: ApiError | undefined;
  /** Counts up each time the host is heard again: what was asked before is asked anew. */
  readonly connection: number;
}

/** Follows the host until the signal; when the connection breaks it connects again. */
export function followHost(api: Api, signal: AbortSignal): Live {
  const guests = createStore<Guests>({ list: undefined, error: undefined, connection: 0 });
  const snapshotNews = createStore(0);
  const rings = new Map<string, SampleRing>();
  const samples = (guestId: string): SampleRing => {
    const ring = rings.get(guestId) ?? new SampleRing();
    rings.set(guestId, ring);
    return ring;
  };
  const refresh = coalesce(async () => {
    const list = await api.guests(signal);
    const { error, connection } = guests.get();
    guests.set({
      list,
      error: undefined,
      connection: error === undefined ? connection : connection + 1,
    });
  });
  const reload = (): void => {
    void refresh().catch(() => {
      // The stream breaks by the same cause, and says so.
    });
  };
  /** Heads that moved since they were last shown: a busy chain has hundreds of blocks a second. */
  const heads = new Map<string, string>();
  const showHeads = (): void => {
    guests.set(withHeads(guests.get(), heads));
    heads.clear();
  };
  /** Facts follow heads, and wait for the next second. */
  let isBehind = false;
  const hear = (event: EventView): void => {
    switch (event.kind) {
      case 'head':
        isBehind = true;
        if (heads.size === 0) setTimeout(showHeads, HEADS_EVERY_MS);
        heads.set(event.guest, event.head);
        return;
      case 'usage':
        for (const [id, usage] of Object.entries(event.guests)) samples(id).push(event.time, usage);
        guests.set(withUsage(guests.get(), event.guests));
        if (isBehind) reload();
        isBehind = false;
        return;
      case 'snapshot-taken':
      case 'snapshot-restored':
      case 'snapshot-removed':
        snapshotNews.set(snapshotNews.get() + 1);
        return;
      case 'guest-removed':
        rings.delete(event.guest);
        return reload();
      default:
        return reload();
    }
  };
  const follow = async (): Promise<void> => {
    await refresh();
    let isFirst = true;
    for await (const event of api.events(signal)) {
      // What happened while the stream opened was not in it.
      if (isFirst) await refresh();
      isFirst = false;
      hear(event);
    }
  };
  void (async () => {
    while (!signal.aborted) {
      try {
        await follow();
      } catch (error) {
        if (!signal.aborted) guests.set({ ...guests.get(), error: asApiError(error) });
      }
      await pause(CONNECT_AGAIN_MS, signal);
    }
  })();
  return { guests, snapshotNews, samples };
}

/** @param heads by guest's id */
export function withHeads(guests: Guests, heads: ReadonlyMap<string, string>): Guests {
  const list = guests.list?.map((guest) => ({ ...guest, head: heads.get(guest.id) ?? guest.head }));
  return { ...guests, list };
}

/** @param usage by guest's id */
export function withUsage(guests: Guests, usage: Readonly<Record<string, UsageView>>): Guests {
  const list = guests.list?.map((guest) => ({ ...guest, usage: usage[guest.id] ?? guest.usage }));
  return { ...guests, list };
}

/** Calls while one is under way become one call after it. */
function coalesce(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let isWanted = false;
  const run = async (): Promise<void> => {
    try {
      while (isWanted) {
        isWanted = false;
        await work();
      }
    } finally {
      running = undefined;
    }
  };
  return () => {
    isWanted = true;
    running ??= run();
    return running;
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, 'console', error instanceof Error ? error.message : String(error));
}

const CONNECT_AGAIN_MS = 1000;
const HEADS_EVERY_MS = 50;
