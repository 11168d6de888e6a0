import type { EthMachine } from '@polyvisor/eth/machine';
import type { EthState } from '@polyvisor/eth/state';
import type { Task } from '@polyvisor/machine/tasks';
import type { Filters } from './filter-book.ts';
import type { EthServiceLimits } from './limits.ts';
import type { Snapshots } from './snapshots.ts';
import type { Subscriptions } from './subscription-book.ts';

/** What the host gives an interface to a machine. */
export interface EthServiceContext {
  readonly machine: EthMachine;
  /** Accounts whose keys the node holds, in order. */
  readonly accounts: readonly NodeAccount[];
  /** `Polyvisor/0.1.0/…` */
  readonly clientVersion: string;
  readonly instanceId: string;
  /** Has the host run the machine until the task is done. @throws what the task failed with */
  settle<T>(task: Task<T>): Promise<T>;
  /**
   * Resolves when all that the machine did so far can't be lost: awaited before a client is told of
   * a change.
   */
  committed(): Promise<void>;
  /** @throws HostError when the guest failed or is stopped */
  checkOpen(): void;
  /** Time of day, Unix milliseconds. */
  nowMs(): number;
  entropy(length: number): Uint8Array;
  /** What differs from the default limits. */
  readonly limits?: Partial<EthServiceLimits>;
}

export interface NodeAccount {
  /** 20 bytes. */
  readonly address: Uint8Array;
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
}

/** What methods work on: the machine, and what the interface itself remembers. */
export interface EthNode extends EthServiceContext {
  readonly limits: EthServiceLimits;
  readonly filters: Filters;
  readonly snapshots: Snapshots;
  readonly subscriptions: Subscriptions;
  /** Aborted when the interface is closed: whoever waits gives up. */
  readonly closed: AbortSignal;
}

/** Changes the machine's state and resolves when the change can't be lost. */
export async function change(node: EthNode, step: (state: EthState) => EthState): Promise<void> {
  await node.settle(node.machine.change(step));
  await node.committed();
}
