import { assert } from '@polyvisor/errors/assert';
import { HostError } from '@polyvisor/errors/host-error';
import type { RunResult } from '@polyvisor/machine/machine';
import type { Task } from '@polyvisor/machine/tasks';
import { Alarm } from './alarm.ts';
import type { HostClock } from './clock.ts';
import type { DurableLog } from './durable-log.ts';
import type { ForkOptions, Guest, GuestUsage } from './guest.ts';
import { checkTransition, describeState, transitions } from './guest-state.ts';
import type { GuestFailure, GuestState, GuestStateName, LifeVerb } from './guest-state.ts';
import type { ResolvedLimits } from './guest-spec.ts';
import type { HostEvents } from './host-events.ts';
import type {
  Endpoint,
  Fact,
  GuestConsole,
  GuestContext,
  GuestShell,
  Instance,
  ListenOptions,
} from './instance.ts';
import type { LogBook, LogFields, LogLevel } from './log-book.ts';
import { RequestLog } from './request-log.ts';
import type { Job, Scheduler } from './scheduler.ts';
import { SnapshotTree } from './snapshots.ts';
import type { Snapshot } from './snapshots.ts';

/** The one implementation of the guest contract. What differs between kinds is in the instance. */
export class HostedGuest implements Guest {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly createdAtMs: number;
  readonly limits: ResolvedLimits;
  readonly parent: string | undefined;
  /** The kind's options with every default filled in. */
  readonly options: unknown;
  readonly snapshots: SnapshotTree<unknown> = new SnapshotTree<unknown>();
  readonly requests: RequestLog = new RequestLog();
  /** What the instance is given of the host. */
  readonly context: GuestContext;
  readonly #host: GuestHost;
  readonly #alarm: Alarm;
  readonly #waiting = new Set<(error: HostError) => void>();
  #state: GuestState = { name: 'created' };
  #endpoints: readonly Endpoint[] = [];
  #attached: Attached | undefined;
  #isRemoved = false;
  #loading: Promise<void> | undefined;
  #cancelLoad: (() => void) | undefined;
  #headSeen = '';

  constructor(facts: GuestFacts, host: GuestHost) {
    this.id = facts.id;
    this.name = facts.name;
    this.kind = facts.kind;
    this.createdAtMs = facts.createdAtMs;
    this.limits = facts.limits;
    this.parent = facts.parent;
    this.options = facts.options;
    this.#host = host;
    this.context = this.#makeContext();
    this.#alarm = new Alarm(host.clock, () => this.#onAlarm());
  }

  /** Gives the guest its machine. Once, before anything else. */
  attach(
    instance: Instance,
    durable: DurableLog | undefined,
    state: 'created' | 'stopped' = 'created',
  ): void {
    assert(this.#attached === undefined, 'a guest is attached once');
    this.#state = { name: state };
    const job = this.#host.scheduler.add(instance.machine, this.limits.cpu, {
      beforeSlice: () => instance.setNow(this.#host.clock.unixMs()),
      afterSlice: (result) => this.#afterSlice(result),
    });
    job.pause();
    // What it was doing when its state was kept goes on when it starts.
    this.#host.scheduler.wake(job);
    this.#attached = { instance, job, durable };
    this.#headSeen = instance.head();
  }

  get state(): GuestState {
    return this.#state;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  /** What keeps it, in a host with a directory. */
  get durable(): DurableLog | undefined {
    return this.#attached?.durable;
  }

  get console(): GuestConsole {
    const { console } = this.#parts().instance;
    if (console !== undefined) return console;
    throw notSupported(this, `kind ${this.kind} has no terminal`);
  }

  get shell(): GuestShell {
    const { shell } = this.#parts().instance;
    if (shell !== undefined) return shell;
    throw notSupported(this, `kind ${this.kind} has no shell`);
  }

  facts(): readonly Fact[] {
    return this.#attached?.instance.facts() ?? [];
  }

  head(): string {
    return this.#attached?.instance.head() ?? '';
  }

  usage(): GuestUsage {
    const parts = this.#attached;
    const machine = parts?.instance.machine.usage();
    return {
      cpuMs: parts?.job.cpuMs ?? 0,
      work: machine?.work ?? 0n,
      memoryBytes: machine?.memoryBytes ?? 0,
      storageBytes: machine?.storageBytes ?? 0,
      networkBytes: parts?.instance.networkBytes() ?? 0,
      requests: this.requests.count,
      requestsFailed: this.requests.failed,
    };
  }

  async start(): Promise<void> {
    checkTransition(this.name, this.#state, 'start');
    const { instance } = this.#parts();
    const before = this.#state;
    // At once, so that it isn't started twice; told to others when its doors are open.
    const state: GuestState = (this.#state = { name: 'running' });
    try {
      this.#endpoints = await instance.listen();
    } catch (error) {
      this.#state = before;
      throw error;
    }
    if (this.#state !== state) return await this.#closeDoors(instance);
    instance.setNow(this.#host.clock.unixMs());
    this.#setState(state);
    this.#giveCpu(LOAD_AFTER_MS);
  }

  pause(): void {
    this.#move('pause');
    this.#parts().job.pause();
  }

  resume(): void {
    this.#move('resume');
    this.#giveCpu();
  }

  async stop(): Promise<void> {
    if (this.#state.name === 'stopped') return;
    checkTransition(this.name, this.#state, 'stop');
    await this.halt();
    // It may have failed with what it had to keep, or was removed meanwhile.
    if (this.state.name === 'stopped' && !this.#isRemoved) this.#setState({ name: 'stopped' });
  }

  async listen(options: ListenOptions = {}): Promise<string> {
    this.checkOpen();
    const opened = await this.#parts().instance.listen({ port: 0, ...options });
    this.#endpoints = [...this.#endpoints, ...opened];
    const first = opened[0];
    assert(first !== undefined, 'an instance that listens has an endpoint');
    return first.url;
  }

  async snapshot(name?: string): Promise<Snapshot> {
    const { instance, durable } = this.#parts();
    const parent = this.snapshots.currentId;
    const parentState = parent === undefined ? undefined : this.snapshots.state(parent);
    const state = instance.state();
    const snapshot = this.#keep(state, instance, name);
    try {
      durable?.keepSnapshot(snapshot, parentState);
    } catch (error) {
      this.snapshots.remove(snapshot.id);
      instance.release?.(state);
      throw error;
    }
    this.#host.events.emit({ kind: 'snapshot-taken', guest: this.id, snapshot: snapshot.id });
    return snapshot;
  }

  async restore(idOrName: string): Promise<Snapshot> {
    const { instance, durable } = this.#parts();
    const state = this.snapshots.state(idOrName);
    this.#rejectWaiting('guest-restored', `guest '${this.name}' went back to a snapshot`);
    instance.restore(state);
    const snapshot = this.snapshots.moveTo(idOrName);
    durable?.moveTo(snapshot.id);
    if (this.#state.name === 'failed') {
      this.#setState({ name: 'running' });
      this.#giveCpu();
    }
    this.#host.events.emit({ kind: 'snapshot-restored', guest: this.id, snapshot: snapshot.id });
    this.#headMoved(instance.head());
    return snapshot;
  }

  async removeSnapshot(idOrName: string): Promise<void> {
    const { instance, durable } = this.#parts();
    const { removed, children } = this.#forget(idOrName, instance);
    durable?.dropSnapshot(removed, children, this.snapshots.currentId);
    this.#host.events.emit({ kind: 'snapshot-removed', guest: this.id, snapshot: removed.id });
  }

  async fork(options: ForkOptions = {}): Promise<this> {
    const { instance } = this.#parts();
    const isOfNow = options.snapshot === undefined;
    const state = isOfNow ? instance.state() : this.snapshots.state(options.snapshot);
    try {
      // The host makes it of this guest's own kind, with that kind's faces.
      return (await this.#host.fork(this, state, options.name)) as this;
    } finally {
      if (isOfNow) instance.release?.(state);
    }
  }

  async forkMany(count: number, options: Omit<ForkOptions, 'name'> = {}): Promise<this[]> {
    const forks: this[] = [];
    try {
      while (forks.length < count) forks.push(await this.fork(options));
    } catch (error) {
      for (const fork of forks) await fork.remove();
      throw error;
    }
    return forks;
  }

  async exec(command: string, ...parameters: readonly unknown[]): Promise<unknown> {
    this.checkOpen();
    return await this.#parts().instance.exec(command, parameters);
  }

  async mine(count = 1, options: { readonly intervalSeconds?: number } = {}): Promise<string> {
    this.checkOpen();
    const { instance } = this.#parts();
    if (instance.mine === undefined)
      throw notSupported(this, `kind ${this.kind} has no clock of blocks`);
    return await instance.mine(count, options.intervalSeconds);
  }

  async warp(seconds: number): Promise<number> {
    this.checkOpen();
    const { instance } = this.#parts();
    if (instance.warp === undefined)
      throw notSupported(this, `kind ${this.kind} has no clock of blocks`);
    return await instance.warp(seconds);
  }

  async isReady(): Promise<boolean> {
    return this.#hasRoom() && (await this.#parts().instance.isReady());
  }

  async remove(): Promise<void> {
    if (this.#isRemoved) return;
    this.#isRemoved = true;
    await this.halt();
    this.detach();
    this.#host.forget(this);
  }

  /** Closes the doors and keeps what is not kept yet. For the host's own end: the next start goes on from here. */
  async halt(): Promise<void> {
    const parts = this.#attached;
    if (parts === undefined) return;
    parts.job.pause();
    this.#cancelLoad?.();
    this.#rejectWaiting('guest-stopped', `guest '${this.name}' is stopped`);
    const before = this.#state;
    this.#state = { name: 'stopped' };
    this.#setAlarm();
    await this.#closeDoors(parts.instance);
    // One that failed kept all that is good; one that fails here has said so.
    if (before.name !== 'failed') await parts.durable?.committed().catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }

  /** Lets go of the machine and closes the database, which keeps what it has. */
  detach(): void {
    const parts = this.#attached;
    if (parts === undefined) return;
    this.#rejectWaiting('guest-stopped', `guest '${this.name}' is gone`);
    parts.job[Symbol.dispose]();
    if (parts.instance.release !== undefined) {
      for (const { id } of this.snapshots.list()) this.#forget(id, parts.instance);
    }
    parts.instance.dispose();
    parts.durable?.[Symbol.dispose]();
    this.#attached = undefined;
  }

  /** @throws HostError `guest-failed`, `guest-stopped` */
  checkOpen(): void {
    const state = this.#state;
    if (state.name === 'running' || state.name === 'paused') return;
    throw this.#closedError(state);
  }

  async settle<T>(task: Task<T>): Promise<T> {
    const { job } = this.#parts();
    this.checkOpen();
    const loading = this.#load();
    if (loading !== undefined) await loading;
    if (!task.isEnded) this.#host.scheduler.runNow(job, () => task.isEnded);
    // A slice of this very task may have been the one that broke the machine.
    this.#checkNotFailed();
    if (!task.isEnded) await this.#untilDone(task);
    return task.result;
  }

  /** Resolves when all that the machine did so far can't be lost. */
  async committed(): Promise<void> {
    this.#checkLimits();
    this.#checkNotFailed();
    try {
      await this.#attached?.durable?.committed();
    } catch (error) {
      // It failed with it, and says so in its own words.
      this.#checkNotFailed();
      throw error;
    }
  }

  /** The guest can not go on: it gets no CPU, and clients get the reason. Other guests do not notice. */
  fail(reason: GuestFailure): void {
    if (this.#state.name === 'failed') return;
    this.#attached?.job.pause();
    this.#setState({ name: 'failed', reason });
    this.#log('error', `failed: ${reason.message}`, { code: reason.code });
    const error = this.#closedError(this.#state);
    this.#rejectWaiting(error.code, error.message);
    this.#attached?.instance.failed?.(error);
  }

  /** Takes a state into the tree, which then answers for it. */
  #keep(state: unknown, instance: Instance, name: string | undefined): Snapshot {
    try {
      return this.snapshots.take(state, {
        name,
        takenAtMs: this.#host.clock.unixMs(),
        head: instance.head(),
      });
    } catch (error) {
      instance.release?.(state);
      throw error;
    }
  }

  #forget(idOrName: string, instance: Instance): ReturnType<SnapshotTree<unknown>['remove']> {
    if (instance.release === undefined) return this.snapshots.remove(idOrName);
    const state = this.snapshots.state(idOrName);
    const result = this.snapshots.remove(idOrName);
    instance.release(state);
    return result;
  }

  #makeContext(): GuestContext {
    return {
      id: this.id,
      name: this.name,
      limits: this.limits,
      directory: this.#host.directoryOf(this.id),
      clock: this.#host.clock,
      requests: this.requests,
      entropy: (length) => this.#host.entropy(length),
      settle: (task) => this.settle(task),
      wake: () => this.#wake(),
      checkOpen: () => this.checkOpen(),
      isReady: () => this.#hasRoom(),
      committed: () => this.committed(),
      headMoved: (head) => this.#headMoved(head),
      log: (level, message, fields) => this.#log(level, message, fields),
    };
  }

  async #closeDoors(instance: Instance): Promise<void> {
    this.#endpoints = [];
    await instance.unlisten();
  }

  #hasRoom(): boolean {
    return this.#state.name === 'running' && this.#attached?.durable?.isFull !== true;
  }

  #wake(): void {
    this.#host.scheduler.wake(this.#parts().job);
    void this.#load();
  }

  /** The running guest's machine gets CPU: at once, or when what it needs is loaded. */
  #giveCpu(loadAfterMs = 0): void {
    const { instance, job } = this.#parts();
    if (instance.loader?.isLoaded !== false) return job.resume();
    this.#cancelLoad = this.#host.clock.after(loadAfterMs, () => void this.#load());
  }

  /** @returns undefined when the machine has all it needs to run */
  #load(): Promise<void> | undefined {
    const loader = this.#attached?.instance.loader;
    if (loader === undefined || loader.isLoaded) return undefined;
    this.#cancelLoad?.();
    this.#loading ??= loader.load().then(
      () => {
        this.#loading = undefined;
        if (this.#state.name === 'running') this.#attached?.job.resume();
      },
      (error: Error) => this.fail({ code: 'engine-limit', message: error.message }),
    );
    return this.#loading;
  }

  #parts(): Attached {
    if (this.#attached !== undefined) return this.#attached;
    this.#checkNotFailed();
    throw new HostError('guest-removed', `guest '${this.name}' was removed`);
  }

  #move(verb: LifeVerb): void {
    checkTransition(this.name, this.#state, verb);
    this.#setState({ name: transitions[verb].to });
  }

  #setState(state: GuestState): void {
    this.#state = state;
    // A failed guest tries again after a restart: what it kept is good.
    if (state.name !== 'failed') this.#keepState(state.name);
    this.#host.events.emit({
      kind: 'guest-state',
      guest: this.id,
      state: state.name,
      ...(state.name === 'failed' ? { reason: describeState(state) } : {}),
    });
    this.#setAlarm();
  }

  /** A verb works all the same when it can't be kept: after a restart the guest is where the one before left it. */
  #keepState(name: GuestStateName): void {
    try {
      this.#attached?.durable?.writeState(name);
    } catch (error) {
      this.#log('warn', `can't keep that it is ${name}: ${(error as Error).message}`);
    }
  }

  #afterSlice(result: RunResult): void {
    if (result.reason === 'fault') return this.fail(result.fault);
    this.#checkLimits();
    if (result.reason === 'halt' && this.#state.name === 'running') void this.stop();
    // Nobody may be waiting for what the slice did (a block by the clock); it is kept all the same.
    this.#attached?.durable?.changed();
    this.#setAlarm();
  }

  /** Has the host's clock tell the machine the time when it asked for it. */
  #setAlarm(): void {
    const isRunning = this.#state.name === 'running';
    this.#alarm.set(isRunning ? this.#attached?.instance.wakesAtMs() : undefined);
  }

  #onAlarm(): void {
    this.#attached?.instance.setNow(this.#host.clock.unixMs());
    this.#setAlarm();
  }

  #checkLimits(): void {
    if (this.#attached === undefined || this.#state.name === 'failed') return;
    const { memoryBytes, storageBytes } = this.#attached.instance.machine.usage();
    const { memoryBytesMax, storageBytesMax } = this.limits;
    if (memoryBytes > memoryBytesMax) {
      const message = `it holds ${memoryBytes} bytes of memory; its limit is ${memoryBytesMax}`;
      this.fail({ code: 'memory-limit', message });
    } else if (storageBytes > storageBytesMax) {
      const message = `its state takes ${storageBytes} bytes; its quota is ${storageBytesMax}`;
      this.fail({ code: 'storage-quota', message });
    }
  }

  #headMoved(head: string): void {
    if (head === this.#headSeen) return;
    this.#headSeen = head;
    this.#host.events.emit({ kind: 'head', guest: this.id, head });
  }

  /** What nobody waits for any more goes on all the same: a stopped guest's block is made when it starts again. */
  #untilDone(task: Task<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      task.onEnd(() => {
        this.#waiting.delete(reject);
        resolve();
      });
    });
  }

  #rejectWaiting(code: string, message: string): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const giveUp of waiting) giveUp(new HostError(code, message));
  }

  #checkNotFailed(): void {
    if (this.#state.name === 'failed') throw this.#closedError(this.#state);
  }

  #closedError(state: GuestState): HostError {
    if (state.name === 'failed') {
      return new HostError(
        'guest-failed',
        `guest '${this.name}' ${describeState(state)}`,
        'restore one of its snapshots, or fork one',
      );
    }
    return new HostError(
      'guest-stopped',
      `guest '${this.name}' is ${state.name}`,
      `start it: polyvisor start ${this.name}`,
    );
  }

  #log(level: LogLevel, message: string, fields: LogFields = {}): void {
    this.#host.logs.write(level, message, { guest: this.id, ...fields });
  }
}

/** What a machine needs is loaded this long after its start, when nobody asked for it before: clients come first. */
const LOAD_AFTER_MS = 50;

/** What a guest needs of its host. */
export interface GuestHost {
  readonly clock: HostClock;
  readonly scheduler: Scheduler;
  readonly events: HostEvents;
  readonly logs: LogBook;
  entropy(length: number): Uint8Array;
  /** Where a guest has files of its own; undefined: nowhere. */
  directoryOf(id: string): string | undefined;
  /** Makes a guest that goes on from `state` with `origin`'s options. */
  fork(origin: HostedGuest, state: unknown, name: string | undefined): Promise<Guest>;
  /** The guest is gone: so are its name and its database. */
  forget(guest: HostedGuest): void;
}

export interface GuestFacts {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly createdAtMs: number;
  readonly limits: ResolvedLimits;
  readonly parent: string | undefined;
  readonly options: unknown;
}

interface Attached {
  readonly instance: Instance;
  readonly job: Job;
  readonly durable: DurableLog | undefined;
}

function notSupported(guest: Guest, why: string): HostError {
  return new HostError('not-supported', `guest '${guest.name}' can't do that: ${why}`);
}
