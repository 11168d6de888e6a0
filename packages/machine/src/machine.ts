/**
 * The contract between the host and everything it runs. A machine is synchronous and pure: it sees no clock,
 * no randomness and no socket. The host hands it time, entropy and packets through the machine's own methods,
 * and calls `run` with a budget whenever the machine has work, so a machine never runs longer than its slice.
 */
export interface Machine {
  /** What it is: `evm`, `linux`, … */
  readonly kind: string;
  /**
   * Spends at most about `budget` units of work (gas, compute units, instructions) and stops at the next
   * block boundary after that.
   */
  run(budget: number): RunResult;
  usage(): MachineUsage;
}

export type RunResult =
  /** The budget is spent and there is more to do. */
  | { readonly reason: 'budget'; readonly used: number }
  /** Nothing to do until something is handed in. */
  | { readonly reason: 'idle'; readonly used: number }
  /** The machine ended by itself, as a computer that powers off. */
  | { readonly reason: 'halt'; readonly used: number }
  /** The machine can not go on; the host marks the guest failed with this reason. */
  | { readonly reason: 'fault'; readonly used: number; readonly fault: Fault };

export interface Fault {
  readonly code:
    | 'memory-limit'
    | 'storage-quota'
    | 'storage-failure'
    | 'engine-limit'
    | 'corrupt-state';
  readonly message: string;
}

export interface MachineUsage {
  /** Units of work since creation. */
  readonly work: bigint;
  /** Bytes of memory that this machine alone holds: what its memory limit is compared with. */
  readonly memoryBytes: number;
  /** Bytes of state that a durable form of the machine needs: what its storage quota is compared with. */
  readonly storageBytes: number;
}
