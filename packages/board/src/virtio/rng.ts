import { EMPTY_BYTES, concatBytes } from '@polyvisor/bytes/bytes';
import type { StateReader, StateWriter } from '../state.ts';
import type { VirtioDevice, VirtioPort } from './device.ts';
import { fillQueue } from './serve.ts';

/** Bytes that are kept for the guest. */
export const ENTROPY_BYTES_MAX = 4096;

/**
 * A source of entropy, which the host hands in: what is there is given out, each byte once, and a
 * guest that asks for more waits. @see VIRTIO 1.2, section 5.4, "Entropy Device"
 */
export class VirtioRng implements VirtioDevice {
  readonly deviceId = 4;
  readonly features = 0n;
  readonly queueSizes = [8];
  readonly config = new Uint8Array(0);
  #pool: Uint8Array = EMPTY_BYTES;
  #port: VirtioPort | undefined;

  /** How many bytes there is room for. */
  get wantedBytes(): number {
    return ENTROPY_BYTES_MAX - this.#pool.length;
  }

  /** Random bytes for the guest; what there is no room for is dropped. */
  receive(bytes: Uint8Array): void {
    this.#pool = concatBytes(this.#pool, bytes.subarray(0, this.wantedBytes));
    if (this.#port) this.notify();
  }

  /** Takes back what was not given out. */
  clear(): void {
    this.#pool = EMPTY_BYTES;
  }

  start(port: VirtioPort): void {
    this.#port = port;
  }

  reset(): void {
    this.#port = undefined;
  }

  notify(): void {
    const isWaiting = (): boolean => this.#pool.length > 0;
    fillQueue(this.#port!, 0, isWaiting, (chain) => {
      this.#pool = this.#pool.slice(chain.write(this.#pool));
    });
  }

  saveState(out: StateWriter): void {
    out.bytes(this.#pool);
  }

  loadState(from: StateReader): void {
    this.#pool = from.bytes(ENTROPY_BYTES_MAX);
  }
}
