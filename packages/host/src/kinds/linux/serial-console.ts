import { SendQueue } from '@polyvisor/net/tcp/send-queue';
import type { GuestConsole } from '../../instance.ts';

/** Bytes of output that are kept for whoever looks later. */
export const CONSOLE_KEPT_BYTES_MAX = 256 * 1024;
/** Bytes typed that the guest has not read. */
export const CONSOLE_INPUT_BYTES_MAX = 1024 * 1024;

/** The terminal of a computer: what its serial line said lately, and what people type. */
export class SerialConsole implements GuestConsole {
  readonly input = new SendQueue();
  readonly #listeners = new Set<(bytes: Uint8Array) => void>();
  readonly #onInput: () => void;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;

  /** @param onInput there is input for the machine */
  constructor(onInput: () => void) {
    this.#onInput = onInput;
  }

  recent(): Uint8Array {
    const all = Buffer.concat(this.#kept);
    const newest = all.subarray(Math.max(0, all.length - CONSOLE_KEPT_BYTES_MAX));
    this.#kept = [newest];
    this.#keptBytes = newest.length;
    return newest;
  }

  on(listener: (bytes: Uint8Array) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  write(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, CONSOLE_INPUT_BYTES_MAX - this.input.length);
    if (count === 0) return 0;
    this.input.push(bytes.slice(0, count));
    this.#onInput();
    return count;
  }

  /** The guest wrote. */
  output(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
    // Not before it is twice too much, so that dropping is rare.
    if (this.#keptBytes > 2 * CONSOLE_KEPT_BYTES_MAX) this.recent();
    for (const listener of this.#listeners) listener(bytes);
  }
}
