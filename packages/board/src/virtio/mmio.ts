import type { MmioDevice } from '../device.ts';
import { WINDOW_BYTES } from '../layout.ts';
import type { StateReader, StateWriter, Stateful } from '../state.ts';
import type { VirtioCore } from './core.ts';

/** @see VIRTIO 1.2, section 4.2.2, "MMIO Device Register Layout" */
const MAGIC = 0x000;
const VERSION = 0x004;
const DEVICE_ID = 0x008;
const VENDOR_ID = 0x00c;
const DEVICE_FEATURES = 0x010;
const DEVICE_FEATURES_SELECT = 0x014;
const DRIVER_FEATURES = 0x020;
const DRIVER_FEATURES_SELECT = 0x024;
const QUEUE_SELECT = 0x030;
const QUEUE_SIZE_MAX = 0x034;
const QUEUE_SIZE = 0x038;
const QUEUE_READY = 0x044;
const QUEUE_NOTIFY = 0x050;
const INTERRUPT_STATUS = 0x060;
const INTERRUPT_ACKNOWLEDGE = 0x064;
const STATUS = 0x070;
const QUEUE_DESCRIPTORS = 0x080;
const QUEUE_AVAILABLE = 0x090;
const QUEUE_USED = 0x0a0;
const CONFIG_GENERATION = 0x0fc;
const CONFIG = 0x100;

const MAGIC_VALUE = 0x7472_6976; // "virt"
const VENDOR = 0x7976_6c50; // "Plvy"

/** A virtio device in a window of registers of its own. */
export class VirtioMmio implements MmioDevice, Stateful {
  readonly size = WINDOW_BYTES;
  readonly #core: VirtioCore;

  constructor(core: VirtioCore) {
    this.#core = core;
  }

  load(offset: number, size: 1 | 2 | 4 | 8): number | bigint {
    if (offset >= CONFIG) return this.#core.readConfig(offset - CONFIG, size);
    if (size !== 4) return 0;
    const core = this.#core;
    switch (offset) {
      case MAGIC:
        return MAGIC_VALUE;
      case VERSION:
        return 2;
      case DEVICE_ID:
        return core.device.deviceId;
      case VENDOR_ID:
        return VENDOR;
      case DEVICE_FEATURES:
        return core.offeredWord();
      case QUEUE_SIZE_MAX:
        return core.selected?.sizeMax ?? 0;
      case QUEUE_READY:
        return core.selected?.isReady === true ? 1 : 0;
      case INTERRUPT_STATUS:
        return core.interruptStatus;
      case STATUS:
        return core.status;
      case CONFIG_GENERATION:
        return core.generation;
      default:
        return 0;
    }
  }

  store(offset: number, size: 1 | 2 | 4 | 8, value: number | bigint): void {
    if (offset >= CONFIG) {
      return this.#core.writeConfig(offset - CONFIG, size, value);
    }
    if (size === 4) this.#write(offset, Number(value) >>> 0);
  }

  saveState(out: StateWriter): void {
    this.#core.saveState(out);
  }

  loadState(from: StateReader): void {
    this.#core.loadState(from);
  }

  #write(offset: number, word: number): void {
    const core = this.#core;
    const queue = core.selected;
    switch (offset) {
      case DEVICE_FEATURES_SELECT:
        core.featuresSelect = word;
        return;
      case DRIVER_FEATURES:
        return core.acceptWord(word);
      case DRIVER_FEATURES_SELECT:
        core.driverFeaturesSelect = word;
        return;
      case QUEUE_SELECT:
        core.queueSelect = word;
        return;
      case QUEUE_READY:
        if (word === 1) core.enableSelected();
        else queue?.reset();
        return;
      case QUEUE_NOTIFY:
        return core.notify(word);
      case INTERRUPT_ACKNOWLEDGE:
        return core.acknowledge(word);
      case STATUS:
        return core.setStatus(word);
    }
    // The tables of a queue in use stay where they are (section 4.2.2.2).
    if (!queue || queue.isReady) return;
    switch (offset) {
      case QUEUE_SIZE:
        queue.size = word & 0xffff;
        return;
      case QUEUE_DESCRIPTORS:
      case QUEUE_DESCRIPTORS + 4:
        queue.descriptors = withHalf(queue.descriptors, offset, word);
        return;
      case QUEUE_AVAILABLE:
      case QUEUE_AVAILABLE + 4:
        queue.available = withHalf(queue.available, offset, word);
        return;
      case QUEUE_USED:
      case QUEUE_USED + 4:
        queue.used = withHalf(queue.used, offset, word);
    }
  }
}

/**
 * A 64-bit address with its low or high half replaced; one that a number can't hold stays far
 * outside of RAM.
 */
export function withHalf(address: number, offset: number, half: number): number {
  const low = address % 2 ** 32;
  const high = Math.floor(address / 2 ** 32);
  return offset % 8 === 4 ? Math.min(half, HIGH_MAX) * 2 ** 32 + low : high * 2 ** 32 + half;
}

const HIGH_MAX = 2 ** 21 - 1;
