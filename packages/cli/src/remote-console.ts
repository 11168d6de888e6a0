import type { GuestConsole } from '@polyvisor/host/instance';
import type { ControlClient } from './control-client.ts';
import { guestPath } from './control-client.ts';

/** Bytes that one request types. */
const PIECE_BYTES = 65_536;
/** How long it waits where the guest has no room for more. */
const RETRY_MS = 50;

/** The terminal of a guest on a host in another process. */
export class RemoteConsole implements GuestConsole {
  readonly #client: ControlClient;
  readonly #path: string;
  readonly #listeners = new Set<(bytes: Uint8Array) => void>();
  readonly #onFailure: (error: unknown) => void;
  #typed: Buffer = Buffer.alloc(0);
  #isTyping = false;

  /** @param onFailure the host does not answer any more, or refuses */
  constructor(client: ControlClient, guest: string, onFailure: (error: unknown) => void) {
    this.#client = client;
    this.#path = guestPath(guest, 'console');
    this.#onFailure = onFailure;
  }

  /** Tells what there is and what comes, until the signal, or the guest's end. */
  async follow(signal: AbortSignal): Promise<void> {
    for await (const value of this.#client.lines(`${this.#path}?follow=true`, signal)) {
      const bytes = Buffer.from((value as { data: string }).data, 'base64');
      for (const listener of this.#listeners) listener(bytes);
    }
  }

  /** `follow` begins with it. */
  recent(): Uint8Array {
    return new Uint8Array(0);
  }

  on(listener: (bytes: Uint8Array) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** In the order typed, whatever the network does. */
  write(bytes: Uint8Array): number {
    this.#typed = Buffer.concat([this.#typed, bytes]);
    if (!this.#isTyping) void this.#type();
    return bytes.length;
  }

  async #type(): Promise<void> {
    this.#isTyping = true;
    try {
      while (this.#typed.length > 0) {
        const piece = this.#typed.subarray(0, PIECE_BYTES);
        const body = { data: piece.toString('base64') };
        const { taken } = (await this.#client.call('POST', this.#path, body)) as { taken: number };
        this.#typed = this.#typed.subarray(taken);
        if (taken === 0) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    } catch (error) {
      this.#typed = Buffer.alloc(0);
      this.#onFailure(error);
    } finally {
      this.#isTyping = false;
    }
  }
}
