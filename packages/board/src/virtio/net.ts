import { assert } from '@polyvisor/errors/assert';
import type { StateReader, StateWriter } from '../state.ts';
import type { VirtioDevice, VirtioPort } from './device.ts';
import { QUEUE_SIZE_MAX } from './queue.ts';
import { fillQueue, serveQueue } from './serve.ts';

/** @see VIRTIO 1.2, section 5.1, "Network Device" */
const FEATURE_MTU = 1n << 3n;
const FEATURE_MAC = 1n << 5n;
const FEATURE_STATUS = 1n << 16n;
const LINK_UP = 1;
/** In front of every packet; without offloads only num_buffers is in use: one. */
const HEADER = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0);
const RECEIVE = 0;
const TRANSMIT = 1;

/** An Ethernet header with a VLAN tag, and the payload. */
export const FRAME_BYTES_MAX = 65_535;
/** Frames that wait for a guest that gives no buffers; the next is dropped, as a network does. */
export const RECEIVE_FRAMES_MAX = 1024;

export interface NetOptions {
  /** Six bytes. */
  readonly mac: Uint8Array;
  /** Largest IP packet in bytes; default 1500. */
  readonly mtu?: number;
  /**
   * Takes a frame that the guest sends: Ethernet from the destination address on, without checksum.
   */
  readonly transmit: (frame: Uint8Array) => void;
}

/** A network card without offloads. */
export class VirtioNet implements VirtioDevice {
  readonly deviceId = 1;
  readonly features = FEATURE_MAC | FEATURE_STATUS | FEATURE_MTU;
  readonly queueSizes = [QUEUE_SIZE_MAX, QUEUE_SIZE_MAX];
  readonly config: Uint8Array;
  readonly #transmit: (frame: Uint8Array) => void;
  #waiting: Uint8Array[] = [];
  #port: VirtioPort | undefined;

  constructor({ mac, mtu = 1500, transmit }: NetOptions) {
    assert(mac.length === 6, 'a MAC address has six bytes');
    this.#transmit = transmit;
    this.config = new Uint8Array(12);
    this.config.set(mac);
    const view = new DataView(this.config.buffer);
    view.setUint16(6, LINK_UP, true);
    view.setUint16(8, 1, true);
    view.setUint16(10, mtu, true);
  }

  /** A frame for the guest. False: dropped, for too many wait already or it is too long. */
  receive(frame: Uint8Array): boolean {
    if (!this.#port || frame.length > FRAME_BYTES_MAX) return false;
    if (this.#waiting.length >= RECEIVE_FRAMES_MAX) return false;
    this.#waiting.push(frame);
    this.#deliver();
    return true;
  }

  start(port: VirtioPort): void {
    this.#port = port;
  }

  reset(): void {
    this.#port = undefined;
    this.#waiting = [];
  }

  notify(queue: number): void {
    if (queue === TRANSMIT) this.#send();
    else this.#deliver();
  }

  saveState(out: StateWriter): void {
    out.u32(this.#waiting.length);
    for (const frame of this.#waiting) out.bytes(frame);
  }

  loadState(from: StateReader): void {
    const count = from.u32(RECEIVE_FRAMES_MAX);
    this.#waiting = Array.from({ length: count }, () => from.bytes(FRAME_BYTES_MAX));
  }

  #send(): void {
    serveQueue(this.#port!, TRANSMIT, (chain) => {
      if (chain.readableBytes <= HEADER.length) return;
      chain.read(HEADER.length);
      if (chain.readableBytes <= FRAME_BYTES_MAX) this.#transmit(chain.read(FRAME_BYTES_MAX));
    });
  }

  #deliver(): void {
    const isWaiting = (): boolean => this.#waiting.length > 0;
    fillQueue(this.#port!, RECEIVE, isWaiting, (chain) => {
      const frame = this.#waiting.shift()!;
      // A frame that the driver's buffer is too small for is lost; the buffer goes back empty.
      if (chain.writableBytes < HEADER.length + frame.length) return;
      chain.write(HEADER);
      chain.write(frame);
    });
  }
}
