import { EMPTY_BYTES, concatBytes } from '@polyvisor/bytes/bytes';
import type { StateReader, StateWriter } from '../state.ts';
import type { VirtioDevice, VirtioPort } from './device.ts';
import { fillQueue, serveQueue } from './serve.ts';

/** @see VIRTIO 1.2, section 5.3, "Console Device" */
const FEATURE_SIZE = 1n << 0n;
const RECEIVE = 0;
const TRANSMIT = 1;
/** A write of the guest is taken in pieces of at most this. */
const PIECE_BYTES = 65_536;

/** Bytes that wait for the guest to read them. */
export const CONSOLE_INPUT_BYTES_MAX = 65_536;

export interface ConsoleOptions {
  readonly transmit: (bytes: Uint8Array) => void;
  readonly columns?: number;
  readonly rows?: number;
}

/** A terminal: one port of bytes in both directions, and its size. */
export class VirtioConsole implements VirtioDevice {
  readonly deviceId = 3;
  readonly features = FEATURE_SIZE;
  readonly queueSizes = [64, 64];
  readonly config = new Uint8Array(12);
  readonly #transmit: (bytes: Uint8Array) => void;
  #input: Uint8Array = EMPTY_BYTES;
  #port: VirtioPort | undefined;

  constructor({ transmit, columns = 80, rows = 25 }: ConsoleOptions) {
    this.#transmit = transmit;
    this.#setSize(columns, rows);
  }

  /** Bytes for the guest to read. @returns how many of them there was room for */
  receive(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, CONSOLE_INPUT_BYTES_MAX - this.#input.length);
    this.#input = concatBytes(this.#input, bytes.subarray(0, count));
    if (this.#port) this.#deliver();
    return count;
  }

  /** The window was resized: the guest hears of it. */
  resize(columns: number, rows: number): void {
    this.#setSize(columns, rows);
    this.#port?.configChanged();
  }

  start(port: VirtioPort): void {
    this.#port = port;
  }

  reset(): void {
    this.#port = undefined;
  }

  notify(queue: number): void {
    if (queue === RECEIVE) this.#deliver();
    else this.#send();
  }

  saveState(out: StateWriter): void {
    out.bytes(this.#input).bytes(this.config);
  }

  loadState(from: StateReader): void {
    this.#input = from.bytes(CONSOLE_INPUT_BYTES_MAX);
    this.config.set(from.bytes(this.config.length));
  }

  #setSize(columns: number, rows: number): void {
    const view = new DataView(this.config.buffer);
    view.setUint16(0, columns, true);
    view.setUint16(2, rows, true);
    view.setUint32(4, 1, true);
  }

  #send(): void {
    serveQueue(this.#port!, TRANSMIT, (chain) => {
      while (chain.readableBytes > 0) this.#transmit(chain.read(PIECE_BYTES));
    });
  }

  #deliver(): void {
    const isWaiting = (): boolean => this.#input.length > 0;
    fillQueue(this.#port!, RECEIVE, isWaiting, (chain) => {
      this.#input = this.#input.slice(chain.write(this.#input));
    });
  }
}
