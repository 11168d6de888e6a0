import type { EthState } from '@polyvisor/eth/state';
import { RpcError, rpcCodes } from '@polyvisor/rpc/rpc-error';

/**
 * Snapshots by id: `0x0`, `0x1`, … Taking one and going back cost the same however large the chain.
 */
export class Snapshots {
  readonly #states = new Map<number, EthState>();
  readonly #max: number;
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  take(state: EthState): number {
    if (this.#states.size >= this.#max) {
      throw new RpcError(rpcCodes.limitExceeded, `more than ${this.#max} snapshots`);
    }
    const id = this.#next++;
    this.#states.set(id, state);
    return id;
  }

  /** The state of a snapshot; it and the later ones are gone then. Undefined: there is none. */
  use(id: bigint): EthState | undefined {
    const from = Number(id);
    const state = this.#states.get(from);
    if (!state) return undefined;
    for (let later = this.#next - 1; later >= from; later--) this.#states.delete(later);
    return state;
  }

  clear(): void {
    this.#states.clear();
  }

  entries(): IterableIterator<[id: number, state: EthState]> {
    return this.#states.entries();
  }
}
