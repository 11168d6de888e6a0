import { VirtioCore } from '../virtio/core.ts';
import type { VirtioDevice } from '../virtio/device.ts';
import { VirtioMmio } from '../virtio/mmio.ts';
import { DriverQueue } from './driver-queue.ts';
import { TestRam } from './test-ram.ts';

/** A driver that has set a device up over MMIO, queue i at offset 0x20000 * i of its RAM. */
export class MmioDriver {
  readonly ram = new TestRam();
  readonly core: VirtioCore;
  readonly mmio: VirtioMmio;
  readonly queues: readonly DriverQueue[];
  isInterrupted = false;

  constructor(device: VirtioDevice, features = 0xffff_ffff_ffffn, queueSize = 16) {
    this.core = new VirtioCore(device, this.ram, (isHigh) => (this.isInterrupted = isHigh));
    this.mmio = new VirtioMmio(this.core);
    this.queues = device.queueSizes.map((sizeMax, i) => {
      return new DriverQueue(this.ram, 0x2_0000 * i, Math.min(queueSize, sizeMax));
    });
    this.setUp(features);
  }

  read(offset: number): number {
    return Number(this.mmio.load(offset, 4));
  }

  write(offset: number, value: number): void {
    this.mmio.store(offset, 4, value);
  }

  /** @see VIRTIO 1.2, section 3.1.1, "Driver Requirements: Device Initialization" */
  setUp(features: bigint): void {
    this.write(0x70, 0);
    this.write(0x70, 3);
    for (const half of [0, 1]) {
      this.write(0x14, half);
      const wanted = Number((features >> BigInt(32 * half)) & 0xffff_ffffn);
      this.write(0x24, half);
      this.write(0x20, (this.read(0x10) & wanted) >>> 0);
    }
    this.write(0x70, 11);
    this.queues.forEach((queue, i) => {
      queue.restart();
      this.write(0x30, i);
      this.write(0x38, queue.size);
      this.write(0x80, queue.descriptors);
      this.write(0x90, queue.available);
      this.write(0xa0, queue.used);
      this.write(0x44, 1);
    });
    this.write(0x70, 15);
  }

  notify(queue: number): void {
    this.write(0x50, queue);
  }

  /** Acknowledges what the device signals. @returns bits of the interrupt status */
  takeInterrupt(): number {
    const status = this.read(0x60);
    this.write(0x64, status);
    return status;
  }
}
