import type { GuestRam, InterruptLine } from '../device.ts';
import type { StateReader, StateWriter, Stateful } from '../state.ts';
import type { VirtioDevice, VirtioPort } from './device.ts';
import { Virtqueue } from './queue.ts';

/** Device status. @see VIRTIO 1.2, section 2.1 */
export const STATUS_DRIVER_OK = 4;
const STATUS_FEATURES_OK = 8;
export const STATUS_NEEDS_RESET = 64;

/** Features of every device. @see VIRTIO 1.2, chapter 6 */
const FEATURE_INDIRECT = 1n << 28n;
const FEATURE_EVENT_INDEX = 1n << 29n;
const FEATURE_VERSION_1 = 1n << 32n;
const CORE_FEATURES = FEATURE_INDIRECT | FEATURE_EVENT_INDEX | FEATURE_VERSION_1;

/** Interrupt status: a queue has news, the configuration has. */
const INTERRUPT_QUEUE = 1;
const INTERRUPT_CONFIG = 2;

/** What all virtio devices have in common, as a transport presents it to the driver. */
export class VirtioCore implements VirtioPort, Stateful {
  readonly device: VirtioDevice;
  readonly queues: readonly Virtqueue[];
  readonly #line: InterruptLine;
  readonly offered: bigint;
  /** What the driver accepted. */
  features = 0n;
  status = 0;
  /** Which 32 bits of the features the driver reads and writes. */
  featuresSelect = 0;
  driverFeaturesSelect = 0;
  queueSelect = 0;
  interruptStatus = 0;
  /** Counts changes of the configuration, modulo 256. */
  generation = 0;

  constructor(device: VirtioDevice, ram: GuestRam, line: InterruptLine) {
    this.device = device;
    this.#line = line;
    this.offered = device.features | CORE_FEATURES;
    this.queues = device.queueSizes.map((size) => new Virtqueue(ram, size, () => this.#fail()));
  }

  get selected(): Virtqueue | undefined {
    return this.queues[this.queueSelect];
  }

  queue(index: number): Virtqueue {
    return this.queues[index]!;
  }

  /** 32 of the bits on offer. */
  offeredWord(): number {
    return this.featuresSelect > 1 ? 0 : word(this.offered, this.featuresSelect);
  }

  acceptedWord(): number {
    return this.driverFeaturesSelect > 1 ? 0 : word(this.features, this.driverFeaturesSelect);
  }

  acceptWord(value: number): void {
    if (this.driverFeaturesSelect > 1 || (this.status & STATUS_FEATURES_OK) !== 0) return;
    const shift = BigInt(32 * this.driverFeaturesSelect);
    const kept = this.features & ~(0xffff_ffffn << shift);
    this.features = kept | (BigInt(value >>> 0) << shift);
  }

  setStatus(value: number): void {
    if (value === 0) return this.#reset();
    let next = value & 0xff;
    const isAgreeing = (next & ~this.status & STATUS_FEATURES_OK) !== 0;
    // What was not offered, or a driver from before version 1, is not agreed to (section 3.1.1,
    // steps 5 and 6).
    if (isAgreeing && !this.#areFeaturesGood()) next &= ~STATUS_FEATURES_OK;
    const isStarting =
      (next & ~this.status & STATUS_DRIVER_OK) !== 0 && (next & STATUS_FEATURES_OK) !== 0;
    this.status = next | (this.status & STATUS_NEEDS_RESET);
    if (isStarting && (this.status & STATUS_NEEDS_RESET) === 0) {
      this.device.start(this);
      this.queues.forEach((queue, index) => queue.isReady && this.device.notify(index));
    }
  }

  /** The driver has put its tables into the selected queue. */
  enableSelected(): void {
    const queue = this.selected;
    if (!queue || queue.isReady) return;
    queue.enable((this.features & FEATURE_EVENT_INDEX) !== 0n);
  }

  notify(index: number): void {
    const queue = this.queues[index];
    if (this.#isRunning() && queue?.isReady === true && !queue.isBroken) this.device.notify(index);
  }

  signal(index: number): void {
    if (this.queues[index]!.takeSignal()) this.#interrupt(INTERRUPT_QUEUE);
  }

  configChanged(): void {
    this.generation = (this.generation + 1) & 0xff;
    if ((this.status & STATUS_DRIVER_OK) !== 0) this.#interrupt(INTERRUPT_CONFIG);
  }

  /** @param bits of the interrupt status that the driver has seen */
  acknowledge(bits: number): void {
    this.interruptStatus &= ~bits;
    this.#line(this.interruptStatus !== 0);
  }

  readConfig(offset: number, size: 1 | 2 | 4 | 8): number | bigint {
    const { config } = this.device;
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(config[offset + i] ?? 0);
    return size === 8 ? value : Number(value);
  }

  writeConfig(offset: number, size: 1 | 2 | 4 | 8, value: number | bigint): void {
    let rest = BigInt(value);
    for (let i = 0; i < size; i++, rest >>= 8n) {
      this.device.writeConfig?.(offset + i, Number(rest & 0xffn));
    }
  }

  saveState(out: StateWriter): void {
    out.u64(this.features).u32(this.status).u32(this.interruptStatus).u32(this.generation);
    out.u32(this.featuresSelect).u32(this.driverFeaturesSelect).u32(this.queueSelect);
    for (const queue of this.queues) queue.saveState(out);
    this.device.saveState?.(out);
  }

  loadState(from: StateReader): void {
    this.features = from.u64();
    this.status = from.u32(0xff);
    this.interruptStatus = from.u32(INTERRUPT_QUEUE | INTERRUPT_CONFIG);
    this.generation = from.u32(0xff);
    this.featuresSelect = from.u32();
    this.driverFeaturesSelect = from.u32();
    this.queueSelect = from.u32();
    this.device.reset();
    for (const queue of this.queues) queue.loadState(from);
    if (this.#isRunning()) this.device.start(this);
    this.device.loadState?.(from);
    this.#line(this.interruptStatus !== 0);
  }

  #isRunning(): boolean {
    return (this.status & (STATUS_DRIVER_OK | STATUS_NEEDS_RESET)) === STATUS_DRIVER_OK;
  }

  #areFeaturesGood(): boolean {
    return (this.features & ~this.offered) === 0n && (this.features & FEATURE_VERSION_1) !== 0n;
  }

  #interrupt(bit: number): void {
    this.interruptStatus |= bit;
    this.#line(true);
  }

  /** The driver broke a queue: it hears of it, and nothing more is done for it (section 2.1.2). */
  #fail(): void {
    this.status |= STATUS_NEEDS_RESET;
    if ((this.status & STATUS_DRIVER_OK) !== 0) this.configChanged();
  }

  #reset(): void {
    this.status = 0;
    this.features = 0n;
    this.featuresSelect = 0;
    this.driverFeaturesSelect = 0;
    this.queueSelect = 0;
    this.device.reset();
    for (const queue of this.queues) queue.reset();
    this.acknowledge(INTERRUPT_QUEUE | INTERRUPT_CONFIG);
  }
}

function word(bits: bigint, index: number): number {
  return Number(BigInt.asUintN(32, bits >> BigInt(32 * index)));
}
