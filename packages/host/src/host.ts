import { assert } from '@polyvisor/errors/assert';
import { HostError } from '@polyvisor/errors/host-error';
import { systemClock } from './clock.ts';
import type { HostClock } from './clock.ts';
import type { ControlOptions, ControlServer } from './control/server.ts';
import type { DataDirectory } from './data-directory.ts';
import type { DurableLog } from './durable-log.ts';
import { systemEntropy } from './entropy.ts';
import type { Guest } from './guest.ts';
import { checkGuestName, resolveLimits } from './guest-spec.ts';
import type { GuestSpec } from './guest-spec.ts';
import { HostEvents } from './host-events.ts';
import type { HostEvent } from './host-events.ts';
import { HostedGuest } from './hosted-guest.ts';
import type { GuestFacts, GuestHost } from './hosted-guest.ts';
import { firstFreeName, randomName } from './identity.ts';
import type { Instance } from './instance.ts';
import { guestKinds } from './kinds/registry.ts';
import type { AnyGuestKind, GuestKinds } from './kinds/registry.ts';
import { LogBook } from './log-book.ts';
import { Scheduler } from './scheduler.ts';

/** A host with no guests, no port and no directory unless the options say so. */
export async function createHost(options: HostOptions = {}): Promise<Host> {
  const host = new LocalHost(options);
  try {
    await host.open(options);
  } catch (error) {
    await host.close();
    throw error;
  }
  return host;
}

export interface Host extends AsyncDisposable {
  /** Proves to a client that it reached this host: random, new at each start. */
  readonly instanceId: string;
  readonly startedAtMs: number;
  /** Where its guests survive a restart; undefined: nowhere. */
  readonly dataDirectory: string | undefined;
  /** By name, in the order they were made. */
  readonly guests: ReadonlyMap<string, Guest>;
  readonly logs: LogBook;
  /** Slices that its scheduler has given to machines. */
  readonly slices: number;
  /** The control API, when it is open. */
  readonly control: ControlServer | undefined;
  /** A guest by name or id. @throws HostError `no-guest` */
  guest(nameOrId: string): Guest;
  /** Makes a guest and starts it. */
  create<K extends keyof GuestKinds>(
    spec: GuestSpec<K>,
    options?: CreateOptions,
  ): Promise<GuestKinds[K]['guest']>;
  /** Forks a guest by name or id. */
  fork(nameOrId: string, options?: { name?: string; snapshot?: string }): Promise<Guest>;
  /** Opens the control API and the console. */
  openControl(options?: ControlOptions): Promise<ControlServer>;
  /** @returns a function that ends it */
  on(listener: (event: HostEvent) => void): () => void;
  /** Stops everything. Guests with a database are there again at the next start. */
  close(): Promise<void>;
}

export interface HostOptions {
  /** Directory that keeps the guests. Default: none, they are gone with the host. */
  readonly dataDirectory?: string;
  /** Opens the control API at once. Default: it stays closed. */
  readonly control?: ControlOptions;
  /** File for NDJSON logs; `-`: standard output. Default: none; the newest records are kept in memory. */
  readonly logDestination?: string;
  /** Most guests at a time. Default 10 000. */
  readonly guestsMax?: number;
  /** Time and randomness; tests give their own. */
  readonly clock?: HostClock;
  readonly entropy?: (length: number) => Uint8Array;
  /** Kinds of guests. Default: all there are. */
  readonly kinds?: Readonly<Record<string, () => Promise<AnyGuestKind>>>;
}

export interface CreateOptions {
  /** False: it stays `created` until started. Default true. */
  readonly start?: boolean;
}

class LocalHost implements Host {
  readonly instanceId: string;
  readonly startedAtMs: number;
  readonly guests = new Map<string, HostedGuest>();
  readonly logs: LogBook;
  readonly #clock: HostClock;
  readonly #entropy: (length: number) => Uint8Array;
  readonly #events = new HostEvents();
  readonly #scheduler: Scheduler;
  readonly #kinds: Readonly<Record<string, () => Promise<AnyGuestKind>>>;
  readonly #guestsMax: number;
  readonly #guestHost: GuestHost;
  readonly #reservedNames = new Set<string>();
  #directory: DataDirectory | undefined;
  #logSink: Disposable | undefined;
  #control: ControlServer | undefined;
  #isClosed = false;

  constructor(options: HostOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#entropy = options.entropy ?? systemEntropy;
    this.#kinds = options.kinds ?? guestKinds;
    this.#guestsMax = options.guestsMax ?? GUESTS_MAX;
    this.#scheduler = new Scheduler(this.#clock);
    this.logs = new LogBook(this.#clock.unixMs);
    this.startedAtMs = this.#clock.unixMs();
    this.instanceId = randomName(this.#entropy, 16);
    this.#guestHost = {
      clock: this.#clock,
      scheduler: this.#scheduler,
      events: this.#events,
      logs: this.logs,
      entropy: this.#entropy,
      directoryOf: (id) => this.#directory?.filesOf(id),
      fork: (origin, state, name) => this.#fork(origin, state, name),
      forget: (guest) => this.#forget(guest),
    };
  }

  get dataDirectory(): string | undefined {
    return this.#directory?.path;
  }

  get slices(): number {
    return this.#scheduler.slices;
  }

  get control(): ControlServer | undefined {
    return this.#control;
  }

  async open(options: HostOptions): Promise<void> {
    if (options.logDestination !== undefined) {
      const { openLogSink } = await import('./log-sink.ts');
      this.#logSink = await openLogSink(this.logs, options.logDestination);
    }
    if (options.dataDirectory !== undefined) {
      const { DataDirectory } = await import('./data-directory.ts');
      this.#directory = new DataDirectory(options.dataDirectory, {
        pid: process.pid,
        startedAt: new Date(this.startedAtMs).toISOString(),
      });
      await this.#loadGuests(this.#directory);
    }
    if (options.control !== undefined) await this.openControl(options.control);
  }

  guest(nameOrId: string): HostedGuest {
    const byName = this.guests.get(nameOrId);
    if (byName !== undefined) return byName;
    for (const guest of this.guests.values()) if (guest.id === nameOrId) return guest;
    throw new HostError(
      'no-guest',
      `there is no guest '${nameOrId}'`,
      this.guests.size === 0
        ? 'the host has none'
        : `it has ${[...this.guests.keys()].slice(0, 10).join(', ')}`,
    );
  }

  async create<K extends keyof GuestKinds>(
    spec: GuestSpec<K>,
    { start = true }: CreateOptions = {},
  ): Promise<GuestKinds[K]['guest']> {
    const where = spec.name ?? spec.kind;
    const kind = await this.#kind(spec.kind);
    const facts = {
      kind: spec.kind,
      limits: resolveLimits(spec, where),
      options: kind.resolve(spec.options, where, this.#clock.unixMs()),
      parent: undefined,
    };
    const guest = await this.#add(kind, this.#reserveName(spec.name, spec.kind), facts, (made) =>
      kind.create(made.options, made.context),
    );
    if (start) await this.#startOrRemove(guest);
    // The kind that the spec names gave it the faces that the registry promises.
    return guest as unknown as GuestKinds[K]['guest'];
  }

  async fork(nameOrId: string, options: { name?: string; snapshot?: string } = {}): Promise<Guest> {
    return await this.guest(nameOrId).fork(options);
  }

  async openControl(options: ControlOptions = {}): Promise<ControlServer> {
    assert(this.#control === undefined, 'the control API is opened once');
    const { openControlServer } = await import('./control/server.ts');
    this.#control = await openControlServer(this, this.#entropy, options);
    this.#directory?.writeToken(this.#control.token);
    return this.#control;
  }

  on(listener: (event: HostEvent) => void): () => void {
    return this.#events.on(listener);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#control?.close();
    for (const guest of this.guests.values()) {
      await guest.halt();
      guest.detach();
    }
    this.#scheduler[Symbol.dispose]();
    this.#directory?.[Symbol.dispose]();
    this.#logSink?.[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #kind(name: string): Promise<AnyGuestKind> {
    const load = Object.hasOwn(this.#kinds, name) ? this.#kinds[name] : undefined;
    if (load !== undefined) return await load();
    throw new HostError(
      'no-kind',
      `there is no kind of guest '${name}'`,
      `kinds are ${Object.keys(this.#kinds).join(', ')}`,
    );
  }

  /** Takes a name before anything is awaited, so that two guests made at once can't both get it. */
  #reserveName(wanted: string | undefined, otherwise: string): string {
    this.#checkOpen();
    if (this.guests.size + this.#reservedNames.size >= this.#guestsMax) {
      throw new HostError(
        'guests-full',
        `the host has ${this.#guestsMax} guests, which is the limit`,
        'remove some, or raise guestsMax',
      );
    }
    const isTaken = (name: string): boolean =>
      this.guests.has(name) || this.#reservedNames.has(name);
    const name = wanted === undefined ? firstFreeName(otherwise, isTaken) : checkGuestName(wanted);
    if (isTaken(name)) {
      throw new HostError(
        'guest-name-taken',
        `there is a guest '${name}' already`,
        `choose another name, or remove it: polyvisor rm ${name}`,
      );
    }
    this.#reservedNames.add(name);
    return name;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new HostError('host-closed', 'the host is closed');
  }

  async #add(
    kind: AnyGuestKind,
    name: string,
    facts: Omit<GuestFacts, 'id' | 'name' | 'createdAtMs'>,
    makeInstance: (guest: HostedGuest) => Promise<Instance>,
    origin?: HostedGuest,
  ): Promise<HostedGuest> {
    const id = randomName(this.#entropy, 12);
    try {
      const createdAtMs = this.#clock.unixMs();
      const guest = new HostedGuest({ id, name, createdAtMs, ...facts }, this.#guestHost);
      const instance = await makeInstance(guest);
      try {
        await this.#attach(kind, guest, instance, origin);
      } catch (error) {
        instance.dispose();
        throw error;
      }
      return guest;
    } catch (error) {
      this.#directory?.removeGuest(id);
      throw error;
    } finally {
      this.#reservedNames.delete(name);
    }
  }

  async #attach(
    kind: AnyGuestKind,
    guest: HostedGuest,
    instance: Instance,
    origin: HostedGuest | undefined,
  ): Promise<void> {
    let durable: DurableLog | undefined;
    if (this.#directory !== undefined) {
      const { createDurableLog } = await import('./stored-guests.ts');
      this.#checkOpen();
      durable = createDurableLog(this.#directory, guest, instance, this.#clock, origin?.durable);
    }
    this.#checkOpen();
    guest.attach(instance, durable);
    this.#adopt(kind, guest, instance);
    this.#events.emit({ kind: 'guest-created', guest: guest.id });
    this.logs.write('info', `created guest '${guest.name}'`, { guest: guest.id });
  }

  #adopt(kind: AnyGuestKind, guest: HostedGuest, instance: Instance): void {
    Object.assign(guest, kind.faces(instance, guest));
    this.guests.set(guest.name, guest);
  }

  async #startOrRemove(guest: HostedGuest): Promise<void> {
    try {
      await guest.start();
    } catch (error) {
      await guest.remove();
      throw error;
    }
  }

  async #fork(origin: HostedGuest, state: unknown, wanted: string | undefined): Promise<Guest> {
    const kind = await this.#kind(origin.kind);
    const name = this.#reserveName(wanted, `${origin.name}-fork`);
    const facts = {
      kind: origin.kind,
      limits: origin.limits,
      options: kind.forkOptions(origin.options),
      parent: origin.id,
    };
    const guest = await this.#add(
      kind,
      name,
      facts,
      (made) => kind.fork(made.options, state, made.context),
      origin,
    );
    await this.#startOrRemove(guest);
    return guest;
  }

  #forget(guest: HostedGuest): void {
    this.guests.delete(guest.name);
    this.#directory?.removeGuest(guest.id);
    this.#events.emit({ kind: 'guest-removed', guest: guest.id });
    this.logs.write('info', `removed guest '${guest.name}'`, { guest: guest.id });
  }

  async #loadGuests(directory: DataDirectory): Promise<void> {
    const { loadStoredGuest } = await import('./stored-guests.ts');
    for (const id of directory.guestIds()) {
      const loaded = await loadStoredGuest(directory, id, this.#guestHost, (k) => this.#kind(k));
      if (loaded === undefined) continue;
      const { guest, kind, instance } = loaded;
      if (kind !== undefined && instance !== undefined) this.#adopt(kind, guest, instance);
      else this.guests.set(guest.name, guest);
      if (loaded.state === 'running' || loaded.state === 'paused') await this.#restart(guest);
      if (loaded.state === 'paused' && guest.state.name === 'running') guest.pause();
    }
  }

  /** One whose port is taken stays stopped; the others start. */
  async #restart(guest: HostedGuest): Promise<void> {
    try {
      await guest.start();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.logs.write('error', `can't start '${guest.name}': ${message}`, { guest: guest.id });
    }
  }
}

const GUESTS_MAX = 10_000;
