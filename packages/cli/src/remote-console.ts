import { typist } from '@polyvisor/host/control/typist';
import type { GuestConsole } from '@polyvisor/host/instance';
import type { ControlClient } from './control-client.ts';
import { guestPath } from './control-client.ts';

/** The terminal of a guest on a host in another process. */
export class RemoteConsole implements GuestConsole {
  readonly #client: ControlClient;
  readonly #path: string;
  readonly #listeners = new Set<(bytes: Uint8Array) => void>();
  readonly #type: (bytes: Uint8Array) => void;

  /** @param onFailure the host does not answer any more, or refuses */
  constructor(client: ControlClient, guest: string, onFailure: (error: unknown) => void) {
    this.#client = client;
    this.#path = guestPath(guest, 'console');
    this.#type = typist(async (bytes) => {
      const body = { data: Buffer.from(bytes).toString('base64') };
      return ((await client.call('POST', this.#path, body)) as { taken: number }).taken;
    }, onFailure);
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
    this.#type(bytes);
    return bytes.length;
  }
}
