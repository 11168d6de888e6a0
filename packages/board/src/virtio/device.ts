import type { StateReader, StateWriter } from '../state.ts';
import type { Virtqueue } from './queue.ts';

/**
 * What is particular to one kind of virtio device. The rest (status, features, queues, interrupts)
 * is `VirtioCore`'s, and how a driver reaches it a transport's.
 */
export interface VirtioDevice {
  /** @see VIRTIO 1.2, chapter 5, "Device Types" */
  readonly deviceId: number;
  /** Bits that it offers beside those of the core. */
  readonly features: bigint;
  /** Largest size of each of its queues: powers of two. */
  readonly queueSizes: readonly number[];
  /** Its configuration space as it is now. */
  readonly config: Uint8Array;
  /** A byte of the configuration that the driver wrote. */
  writeConfig?(offset: number, byte: number): void;
  /** The driver is ready: what the device may use from now on. */
  start(port: VirtioPort): void;
  /** The driver has put buffers into a queue. */
  notify(queue: number): void;
  /** Forgets all that belongs to the driver; `start` comes again. */
  reset(): void;
  saveState?(out: StateWriter): void;
  loadState?(from: StateReader): void;
}

/** The core, as the device behind it sees it. */
export interface VirtioPort {
  /** Features that driver and device agreed on. */
  readonly features: bigint;
  queue(index: number): Virtqueue;
  /** Tells the driver that buffers came back, if it wants to know. */
  signal(index: number): void;
  /** Tells the driver that the configuration changed. */
  configChanged(): void;
}
