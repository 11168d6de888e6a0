import type { StateReader, StateWriter } from '../state.ts';
import type { DescriptorChain } from './chain.ts';
import type { VirtioDevice, VirtioPort } from './device.ts';
import { serveQueue } from './serve.ts';

/** @see VIRTIO 1.2, section 5.5, "Traditional Memory Balloon Device" */
export const BALLOON_PAGE_BYTES = 4096;
/** The other queue, 1, is for pages that the guest takes back: there is nothing to do. */
const INFLATE = 0;
/** Of page numbers in a request. */
const NUMBERS_BYTES_MAX = 4096;

/** Takes memory back from a guest: the host says how much, the guest chooses the pages. */
export class VirtioBalloon implements VirtioDevice {
  readonly deviceId = 5;
  /** The guest asks before it takes pages back. */
  readonly features = 1n << 0n;
  readonly queueSizes = [128, 128];
  readonly config = new Uint8Array(8);
  readonly #release: (address: number) => void;
  readonly #view = new DataView(this.config.buffer);
  #port: VirtioPort | undefined;

  /**
   * @param release is told the physical address of each page that the guest gave away; its contents
   * are lost
   */
  constructor(release: (address: number) => void) {
    this.#release = release;
  }

  /** Pages that the host wants. */
  get target(): number {
    return this.#view.getUint32(0, true);
  }

  set target(pages: number) {
    this.#view.setUint32(0, pages, true);
    this.#port?.configChanged();
  }

  /** Pages that the guest says it gave away. */
  get actual(): number {
    return this.#view.getUint32(4, true);
  }

  writeConfig(offset: number, byte: number): void {
    if (offset >= 4 && offset < 8) this.config[offset] = byte;
  }

  start(port: VirtioPort): void {
    this.#port = port;
  }

  reset(): void {
    this.#port = undefined;
    this.#view.setUint32(4, 0, true);
  }

  notify(index: number): void {
    serveQueue(this.#port!, index, (chain) => {
      if (index === INFLATE) this.#inflate(chain);
    });
  }

  saveState(out: StateWriter): void {
    out.bytes(this.config);
  }

  loadState(from: StateReader): void {
    this.config.set(from.bytes(this.config.length));
  }

  /** Linux names 256 pages at a time; what is beyond 1024 stays the guest's. */
  #inflate(chain: DescriptorChain): void {
    const numbers = chain.read(NUMBERS_BYTES_MAX);
    const view = new DataView(numbers.buffer);
    for (let at = 0; at + 4 <= numbers.length; at += 4) {
      this.#release(view.getUint32(at, true) * BALLOON_PAGE_BYTES);
    }
  }
}
