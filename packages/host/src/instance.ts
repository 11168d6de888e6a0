import type { HostError } from '@polyvisor/errors/host-error';
import type { Machine } from '@polyvisor/machine/machine';
import type { Task } from '@polyvisor/machine/tasks';
import type { Change } from '@polyvisor/store/rows';
import type { HostClock } from './clock.ts';
import type { ResolvedLimits } from './guest-spec.ts';
import type { LogFields, LogLevel } from './log-book.ts';
import type { RequestLog } from './request-log.ts';

/**
 * A guest as its kind makes it: a machine, and what the guest contract needs beyond `Machine`. The host knows the
 * machine's state only as an immutable value: keeping it is a snapshot, handing it to another instance is a fork.
 */
export interface Instance<State = unknown> {
  readonly machine: Machine;
  /** Loads what the machine needs to run, and not to be looked at. Kinds without it have all they need. */
  readonly loader?: Loader;
  /** The whole state, now. O(1). */
  state(): State;
  /** Goes back (or sideways) to a state of this kind; work under way is dropped. O(1). */
  restore(state: State): void;
  /** Hands the machine the time of day. */
  setNow(unixMs: number): void;
  /** When it wants to be told the time again, Unix milliseconds; undefined: it does not. */
  wakesAtMs(): number | undefined;
  /** How far it is, in its own terms: the height of a chain. */
  head(): string;
  /** What a person wants to see in one line, in order: `['chain', '31337'], ['block', '7']`. */
  facts(): readonly Fact[];
  /** Rows of the durable form that differ from `before` (everything, when undefined). O(changes). */
  changesSince(before: State | undefined): Iterable<Change>;
  /** Whether a client's next transaction would succeed. */
  isReady(): Promise<boolean>;
  /** Opens its native interfaces to the network as its options say. */
  listen(options?: ListenOptions): Promise<readonly Endpoint[]>;
  /** Closes them. */
  unlisten(): Promise<void>;
  /** Runs a command of its shell or a method of its RPC, for `polyvisor exec`. */
  exec(command: string, parameters: readonly unknown[]): Promise<unknown>;
  /** Kinds with a clock of blocks: makes `count` blocks. @returns the new head */
  mine?(count: number, intervalSeconds?: number): Promise<string>;
  /** Kinds with a clock: moves it ahead. @returns the new time, Unix seconds */
  warp?(seconds: number): Promise<number>;
  /** Kinds with a terminal. */
  readonly console?: GuestConsole;
  /** Kinds that run programs and have files. */
  readonly shell?: GuestShell;
  /** The guest failed: kinds where somebody may wait for it beside the tasks tell them. */
  failed?(reason: HostError): void;
  /** Bytes that its doors received and sent. */
  networkBytes(): number;
  /** Kinds whose states hold more than plain memory: nobody needs this one any more. */
  release?(state: State): void;
  /**
   * Whether its state is gone with the host: the database then has what the guest was made with, and the next host
   * begins it anew.
   */
  readonly isVolatile?: boolean;
  /** Timers and listeners end. The state stays readable. */
  dispose(): void;
}

/** The terminal of a guest: bytes in both directions. */
export interface GuestConsole {
  /** The newest output, as far as it is kept. */
  recent(): Uint8Array;
  /** Calls for all output to come. @returns a function that ends it */
  on(listener: (bytes: Uint8Array) => void): () => void;
  /** Types. @returns how many of the bytes there was room for */
  write(bytes: Uint8Array): number;
}

/** Programs and files of a guest. */
export interface GuestShell {
  /** Resolves once the guest can run programs. */
  ready(): Promise<void>;
  /**
   * Runs a program to its end.
   * @param words the program and its arguments, as they are: no shell looks at them
   * @throws HostError `bad-command`, `agent-busy`, `output-limit`, `guest-stopped`, `guest-restored`
   */
  run(words: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /** Makes a file, or replaces what is in it. @throws HostError `command-failed` with what the guest says */
  writeFile(path: string, content: Uint8Array | string): Promise<void>;
  /** @throws HostError `command-failed` with what the guest says, `output-limit` */
  readFile(path: string): Promise<Uint8Array>;
}

export interface RunOptions {
  readonly stdin?: Uint8Array | string;
  /** Default: `/`. */
  readonly directory?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Is given output as it comes; the result has it all the same. */
  readonly onOutput?: (stream: OutputStream, bytes: Uint8Array) => void;
}

export type OutputStream = 'stdout' | 'stderr';

export interface CommandResult {
  /** 0 to 255; 128 and a signal's number where one ended it. */
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

export type Fact = readonly [name: string, value: string];

/** A native interface of a guest. */
export interface Endpoint {
  /** What speaks there: `http`, `ws`. */
  readonly protocol: string;
  readonly url: string;
}

export interface ListenOptions {
  readonly host?: string;
  /** 0: any free port. */
  readonly port?: number;
}

/** What the host gives an instance; nothing else is within its reach. */
export interface GuestContext {
  readonly id: string;
  readonly name: string;
  readonly clock: HostClock;
  readonly limits: ResolvedLimits;
  /** Of its own, for files that outlive the host and go with the guest; made by who wants it. Undefined: none does. */
  readonly directory: string | undefined;
  readonly requests: RequestLog;
  /** Random bytes from the host. */
  entropy(length: number): Uint8Array;
  /**
   * Has the scheduler run the machine until the task is done; at once when the CPU is free.
   * Rejects with the task's own error, or with HostError `guest-failed`, `guest-stopped`.
   */
  settle<T>(task: Task<T>): Promise<T>;
  /** Has the scheduler run the machine: it has work that nobody waits for. */
  wake(): void;
  /** Throws unless the guest may answer clients. @throws HostError `guest-failed`, `guest-stopped` */
  checkOpen(): void;
  /** Whether the guest runs and has room for what clients send. */
  isReady(): boolean;
  /** Resolves when all that the machine did so far can't be lost: what clients may be told. */
  committed(): Promise<void>;
  /** The guest got further. */
  headMoved(head: string): void;
  log(level: LogLevel, message: string, fields?: LogFields): void;
}

/** Code that a machine gets no CPU without; clients are answered meanwhile. */
export interface Loader {
  readonly isLoaded: boolean;
  load(): Promise<void>;
}
