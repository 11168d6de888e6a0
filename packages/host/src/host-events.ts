import type { GuestStateName } from './guest-state.ts';

/** What happens in a host, for the control API's event stream and for `host.on`. */
export type HostEvent =
  | { readonly kind: 'guest-created' | 'guest-removed'; readonly guest: string }
  | {
      readonly kind: 'guest-state';
      readonly guest: string;
      readonly state: GuestStateName;
      /** Why, when it failed. */
      readonly reason?: string;
    }
  | {
      readonly kind: 'snapshot-taken' | 'snapshot-restored' | 'snapshot-removed';
      readonly guest: string;
      readonly snapshot: string;
    }
  /** The guest got further, in its own terms: a new block. */
  | { readonly kind: 'head'; readonly guest: string; readonly head: string };

/**
 * Calls its listeners in the emitter's turn, in the order they came. That may be in the middle of a machine's slice, so
 * what a listener throws does not reach the emitter: it is the process's uncaught exception.
 */
export class HostEvents {
  readonly #listeners = new Set<(event: HostEvent) => void>();

  /** @returns a function that ends it */
  on(listener: (event: HostEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(event: HostEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
