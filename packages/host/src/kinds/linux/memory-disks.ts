import { BlankDisk } from '@polyvisor/disk/block-device';
import { MemoryOverlay } from '@polyvisor/disk/memory-overlay';
import type { Fault } from '@polyvisor/machine/machine';
import { ExchangeableDisk, FirstFault } from './guest-disks.ts';
import type { DiskPlan, GuestDisks, SavedDisks } from './guest-disks.ts';

/** Disks that keep what is written to them in memory: they end with their host. */
export class MemoryDisks implements GuestDisks {
  readonly devices: readonly ExchangeableDisk[];
  #overlays: readonly MemoryOverlay[];
  readonly #fault = new FirstFault();

  /** @param bytesMax that each may hold of what was written */
  static begin(plans: readonly DiskPlan[], bytesMax: number): MemoryDisks {
    return new MemoryDisks(plans.map((plan) => overlayOf(plan, bytesMax)));
  }

  private constructor(overlays: readonly MemoryOverlay[]) {
    this.#overlays = overlays;
    this.devices = overlays.map((overlay) => new ExchangeableDisk(overlay, this.#fault.note));
  }

  get storageBytes(): number {
    return this.#overlays.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  get memoryBytes(): number {
    return this.storageBytes;
  }

  takeFault(): Fault | undefined {
    return this.#fault.take();
  }

  save(): SavedDisks {
    const saved = this.#overlays.map((overlay) => overlay.fork());
    const copies = (): MemoryOverlay[] => saved.map((overlay) => overlay.fork());
    return {
      restore: () => this.#replace(copies()),
      open: async () => new MemoryDisks(copies()),
      release() {},
    };
  }

  close(): void {}

  #replace(overlays: readonly MemoryOverlay[]): void {
    this.#overlays = overlays;
    this.#fault.take();
    for (const [index, disk] of this.devices.entries()) disk.below = overlays[index]!;
  }
}

export function overlayOf({ base, bytes, isReadOnly }: DiskPlan, bytesMax: number): MemoryOverlay {
  const below = base?.device ?? new BlankDisk(bytes);
  return new MemoryOverlay(below, { bytes, isReadOnly, heldBytesMax: bytesMax });
}
