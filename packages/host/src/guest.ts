import type { Endpoint, Fact, GuestConsole, GuestShell, ListenOptions } from './instance.ts';
import type { GuestState } from './guest-state.ts';
import type { ResolvedLimits } from './guest-spec.ts';
import type { RequestLog } from './request-log.ts';
import type { Snapshot, SnapshotTree } from './snapshots.ts';

/** The contract that every guest keeps, whatever it is inside. */
export interface Guest extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly state: GuestState;
  readonly createdAtMs: number;
  readonly limits: ResolvedLimits;
  /** The guest it was forked from, if any. */
  readonly parent: string | undefined;
  /** Its native interfaces that are open to the network. */
  readonly endpoints: readonly Endpoint[];
  readonly snapshots: Pick<SnapshotTree<unknown>, 'list' | 'get' | 'currentId'>;
  readonly requests: RequestLog;
  facts(): readonly Fact[];
  head(): string;
  usage(): GuestUsage;
  start(): Promise<void>;
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
  /** Opens its native interface; port 0 or none: any free port. @returns the URL */
  listen(options?: ListenOptions): Promise<string>;
  /** O(1) in the size of the guest. */
  snapshot(name?: string): Promise<Snapshot>;
  /** Goes back (or sideways) to a snapshot; a failed guest runs again. */
  restore(snapshot: string): Promise<Snapshot>;
  removeSnapshot(snapshot: string): Promise<void>;
  /** A copy of the running guest, or of one of its snapshots, that shares what neither has changed since. */
  fork(options?: ForkOptions): Promise<this>;
  /** `count` forks, or none. */
  forkMany(count: number, options?: Omit<ForkOptions, 'name'>): Promise<this[]>;
  /** Its terminal. @throws HostError `not-supported` for kinds without one */
  readonly console: GuestConsole;
  /** Its programs and files. @throws HostError `not-supported` for kinds without them */
  readonly shell: GuestShell;
  /** A method of its RPC, or a command of its shell. */
  exec(command: string, ...parameters: readonly unknown[]): Promise<unknown>;
  /** @throws HostError `not-supported` for kinds without a clock of blocks */
  mine(count?: number, options?: { readonly intervalSeconds?: number }): Promise<string>;
  warp(seconds: number): Promise<number>;
  /** Whether a client's next transaction would succeed. */
  isReady(): Promise<boolean>;
  /** Removes the guest and all that it kept. */
  remove(): Promise<void>;
}

export interface ForkOptions {
  readonly name?: string;
  /** Id or name of the snapshot to fork from. Default: the present state. */
  readonly snapshot?: string;
}

export interface GuestUsage {
  readonly cpuMs: number;
  /** Units of work: gas, compute units, instructions. */
  readonly work: bigint;
  /** Bytes of memory that this guest alone holds. */
  readonly memoryBytes: number;
  /** Bytes of state that its durable form needs. */
  readonly storageBytes: number;
  /** Bytes received and sent by its doors. */
  readonly networkBytes: number;
  readonly requests: number;
  readonly requestsFailed: number;
}
