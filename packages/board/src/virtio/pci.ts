import type { InterruptLine, MmioDevice } from '../device.ts';
import { PCI_INTA, type PciFunction } from '../pci.ts';
import type { StateReader, StateWriter, Stateful } from '../state.ts';
import type { VirtioCore } from './core.ts';
import { withHalf } from './mmio.ts';

/** Configuration header, type 0. @see PCI Local Bus Specification 3.0, section 6.1 */
const COMMAND = 0x04;
const STATUS = 0x06;
const BAR0 = 0x10;
const CAPABILITIES = 0x34;
const INTERRUPT_PIN = 0x3d;
const COMMAND_MEMORY = 2;
const COMMAND_INTX_DISABLE = 0x400;
const STATUS_INTERRUPT = 8;
const STATUS_CAPABILITIES = 0x10;

/** @see VIRTIO 1.2, section 4.1.4, "Virtio Structure PCI Capabilities" */
const VENDOR = 0x1af4;
const DEVICE_BASE = 0x1040;
const CAPABILITY_VENDOR = 9;
const COMMON = { type: 1, offset: 0x0000, length: 0x38 };
const NOTIFY = { type: 2, offset: 0x3000, length: 0x1000 };
const ISR = { type: 3, offset: 0x1000, length: 0x1000 };
const DEVICE = { type: 4, offset: 0x2000, length: 0x1000 };
const WINDOW = { type: 5, offset: 0, length: 0 };
const NOTIFY_MULTIPLIER = 4;
const BAR_BYTES = 0x4000;
const NO_VECTOR = 0xffff;

/** Class codes by device id, so that lists of devices read well; others are "unclassified". */
const CLASSES: Readonly<Record<number, number>> = {
  1: 0x02_0000, // net: Ethernet
  2: 0x01_0000, // block: SCSI
  3: 0x07_8000, // console: communication
  19: 0x02_8000, // vsock: network
  26: 0x01_8000, // fs: mass storage
};
const CLASS_OTHER = 0xff_0000;

/** A virtio device as a PCI function, without MSI: its interrupt is pin A. */
export class VirtioPci implements PciFunction, Stateful {
  readonly registers: MmioDevice;
  readonly #core: VirtioCore;
  readonly #config = new Uint8Array(256);
  readonly #view = new DataView(this.#config.buffer);
  /** Bits of the configuration that a driver may change. */
  readonly #writable = new Uint8Array(256);
  /** Where the capability lies through which registers are reached without a BAR. */
  readonly #windowAt: number;
  readonly #line: InterruptLine;
  #isRaised = false;

  /** @param connect makes the core, with the line that it is to drive */
  constructor(line: InterruptLine, connect: (line: InterruptLine) => VirtioCore) {
    this.#line = line;
    this.#core = connect((isHigh) => {
      this.#isRaised = isHigh;
      this.#drive();
    });
    this.#windowAt = this.#layOut(this.#core.device.deviceId);
    this.registers = {
      size: BAR_BYTES,
      load: (offset, size) => this.#load(offset, size),
      store: (offset, size, value) => this.#store(offset, size, value),
    };
  }

  get window(): { readonly base: number; readonly size: number } | undefined {
    if ((this.#view.getUint16(COMMAND, true) & COMMAND_MEMORY) === 0) return undefined;
    return { base: (this.#view.getUint32(BAR0, true) & ~0xf) >>> 0, size: BAR_BYTES };
  }

  readConfig(offset: number, size: 1 | 2 | 4): number {
    if (offset >= 256) return 0;
    if (offset === this.#windowAt + 16) return this.#throughWindow(size);
    const status = this.#view.getUint16(STATUS, true) & ~STATUS_INTERRUPT;
    this.#view.setUint16(STATUS, status | (this.#isRaised ? STATUS_INTERRUPT : 0), true);
    if (size === 1) return this.#view.getUint8(offset);
    return size === 2 ? this.#view.getUint16(offset, true) : this.#view.getUint32(offset, true);
  }

  writeConfig(offset: number, size: 1 | 2 | 4, value: number): void {
    if (offset >= 256) return;
    if (offset === this.#windowAt + 16) {
      this.#throughWindow(size, value);
      return;
    }
    for (let i = 0; i < size; i++) {
      const mask = this.#writable[offset + i]!;
      const byte = (value >>> (8 * i)) & 0xff;
      this.#config[offset + i] = (this.#config[offset + i]! & ~mask) | (byte & mask);
    }
    this.#drive();
  }

  saveState(out: StateWriter): void {
    out.bytes(this.#config);
    this.#core.saveState(out);
  }

  loadState(from: StateReader): void {
    const saved = from.bytes(this.#config.length);
    // Only what a driver can write comes from the file.
    saved.forEach((byte, i) => {
      const mask = this.#writable[i]!;
      this.#config[i] = (this.#config[i]! & ~mask) | (byte & mask);
    });
    this.#core.loadState(from);
  }

  #drive(): void {
    const isDisabled = (this.#view.getUint16(COMMAND, true) & COMMAND_INTX_DISABLE) !== 0;
    this.#line(this.#isRaised && !isDisabled);
  }

  /** Writes the header and the list of capabilities. @returns where the last of these is */
  #layOut(deviceId: number): number {
    const view = this.#view;
    view.setUint16(0x00, VENDOR, true);
    view.setUint16(0x02, DEVICE_BASE + deviceId, true);
    view.setUint16(STATUS, STATUS_CAPABILITIES, true);
    // Revision 1 says that it is no transitional device (section 4.1.2.1).
    view.setUint32(0x08, ((CLASSES[deviceId] ?? CLASS_OTHER) << 8) | 1, true);
    view.setUint16(0x2c, VENDOR, true);
    view.setUint16(0x2e, DEVICE_BASE + deviceId, true);
    this.#config[INTERRUPT_PIN] = PCI_INTA;
    this.#allow(COMMAND, 2, COMMAND_MEMORY | 4 | COMMAND_INTX_DISABLE);
    this.#allow(BAR0, 4, -BAR_BYTES);
    this.#allow(0x0c, 1, 0xff);
    this.#allow(0x3c, 1, 0xff);
    let at = 0x40;
    this.#config[CAPABILITIES] = at;
    for (const capability of [COMMON, ISR, DEVICE, NOTIFY]) {
      const length = capability === NOTIFY ? 20 : 16;
      this.#addCapability(at, length, capability, at + length);
      if (capability === NOTIFY) view.setUint32(at + 16, NOTIFY_MULTIPLIER, true);
      at += length;
    }
    this.#addCapability(at, 20, WINDOW, 0);
    // The driver chooses what the window shows: BAR, offset, length.
    this.#allow(at + 4, 1, 0xff);
    this.#allow(at + 8, 4, -1);
    this.#allow(at + 12, 4, -1);
    return at;
  }

  #addCapability(
    at: number,
    length: number,
    { type, offset, length: size }: { type: number; offset: number; length: number },
    next: number,
  ): void {
    this.#config.set([CAPABILITY_VENDOR, next, length, type], at);
    this.#view.setUint32(at + 8, offset, true);
    this.#view.setUint32(at + 12, size, true);
  }

  #allow(offset: number, size: number, mask: number): void {
    for (let i = 0; i < size; i++) this.#writable[offset + i] = (mask >>> (8 * i)) & 0xff;
  }

  /** Registers by way of the configuration (section 4.1.4.9). */
  #throughWindow(size: 1 | 2 | 4, value?: number): number {
    const bar = this.#config[this.#windowAt + 4]!;
    const offset = this.#view.getUint32(this.#windowAt + 8, true);
    const length = this.#view.getUint32(this.#windowAt + 12, true);
    if (bar !== 0 || length !== size || offset % size !== 0 || offset + size > BAR_BYTES) return 0;
    if (value === undefined) return Number(this.#load(offset, size));
    this.#store(offset, size, value);
    return 0;
  }

  #load(offset: number, size: 1 | 2 | 4 | 8): number | bigint {
    if (offset >= NOTIFY.offset) return 0;
    if (offset >= DEVICE.offset) return this.#core.readConfig(offset - DEVICE.offset, size);
    if (offset >= ISR.offset) return offset === ISR.offset ? this.#takeInterrupt() : 0;
    return this.#loadCommon(offset, size);
  }

  #store(offset: number, size: 1 | 2 | 4 | 8, value: number | bigint): void {
    if (offset >= NOTIFY.offset) {
      this.#core.notify((offset - NOTIFY.offset) / NOTIFY_MULTIPLIER);
    } else if (offset >= DEVICE.offset) {
      this.#core.writeConfig(offset - DEVICE.offset, size, value);
    } else if (offset < COMMON.length) {
      if (size !== 8) return this.#storeCommon(offset, Number(value) >>> 0);
      this.#storeCommon(offset, Number(BigInt(value) & 0xffff_ffffn));
      this.#storeCommon(offset + 4, Number(BigInt(value) >> 32n));
    }
  }

  /** Reading the interrupt status takes it. */
  #takeInterrupt(): number {
    const status = this.#core.interruptStatus;
    this.#core.acknowledge(status);
    return status;
  }

  /** @see VIRTIO 1.2, section 4.1.4.3, "Common configuration structure layout" */
  #loadCommon(offset: number, size: 1 | 2 | 4 | 8): number | bigint {
    if (size === 8) {
      return BigInt(this.#commonWord(offset)) | (BigInt(this.#commonWord(offset + 4)) << 32n);
    }
    return this.#commonWord(offset) % 2 ** (8 * size);
  }

  #commonWord(offset: number): number {
    const core = this.#core;
    const queue = core.selected;
    switch (offset) {
      case 0x00:
        return core.featuresSelect;
      case 0x04:
        return core.offeredWord();
      case 0x08:
        return core.driverFeaturesSelect;
      case 0x0c:
        return core.acceptedWord();
      case 0x10:
      case 0x1a:
        return NO_VECTOR;
      case 0x12:
        return core.queues.length;
      case 0x14:
        return core.status;
      case 0x15:
        return core.generation;
      case 0x16:
        return core.queueSelect;
      // A queue that does not exist has size 0.
      case 0x18:
        return queue?.size ?? 0;
      case 0x1c:
        return queue?.isReady === true ? 1 : 0;
      case 0x1e:
        return core.queueSelect;
      case 0x20:
      case 0x24:
        return half(queue?.descriptors, offset);
      case 0x28:
      case 0x2c:
        return half(queue?.available, offset);
      case 0x30:
      case 0x34:
        return half(queue?.used, offset);
      default:
        return 0;
    }
  }

  #storeCommon(offset: number, value: number): void {
    const core = this.#core;
    const queue = core.selected;
    switch (offset) {
      case 0x00:
        core.featuresSelect = value;
        return;
      case 0x08:
        core.driverFeaturesSelect = value;
        return;
      case 0x0c:
        return core.acceptWord(value);
      case 0x14:
        return core.setStatus(value & 0xff);
      case 0x16:
        core.queueSelect = value & 0xffff;
        return;
      case 0x1c:
        if (value === 1) core.enableSelected();
        return;
    }
    if (!queue || queue.isReady) return;
    switch (offset) {
      case 0x18:
        queue.size = value & 0xffff;
        return;
      case 0x20:
      case 0x24:
        queue.descriptors = withHalf(queue.descriptors, offset, value);
        return;
      case 0x28:
      case 0x2c:
        queue.available = withHalf(queue.available, offset, value);
        return;
      case 0x30:
      case 0x34:
        queue.used = withHalf(queue.used, offset, value);
    }
  }
}

function half(address = 0, offset: number): number {
  return offset % 8 === 4 ? Math.floor(address / 2 ** 32) : address % 2 ** 32;
}
