import { join } from 'node:path';
import { diskFault, diskFaultOf } from '@polyvisor/disk/block-device';
import type { BlockDevice } from '@polyvisor/disk/block-device';
import { copyNodeStore, openNodeStore } from '@polyvisor/disk/node-store';
import type { BlockStore } from '@polyvisor/disk/overlay/block-store';
import { HostError } from '@polyvisor/errors/host-error';
import type { Fault } from '@polyvisor/machine/machine';
import { ExchangeableDisk, FirstFault } from './guest-disks.ts';
import { overlayOf } from './memory-disks.ts';
import type { DiskPlan, GuestDisks, SavedDisks } from './guest-disks.ts';

/** In the guest's own directory. */
const STORE = 'disks';
/** Of disks in a store: those of all of a guest's snapshots. */
const STORED_DISKS_MAX = 65_536;

/**
 * Disks in a block store of the guest's own, in its directory: what the guest flushed outlives the host, however that
 * ends. States of memory do not, so those of disks go with them at the next start.
 */
export class StoredDisks implements GuestDisks {
  readonly devices: readonly ExchangeableDisk[];
  readonly #directory: string;
  readonly #plans: readonly DiskPlan[];
  readonly #bytesMax: number;
  readonly #store: BlockStore;
  readonly #fault = new FirstFault();
  #savedCount = 0;
  #isClosed = false;

  /**
   * Those that the directory has, or new ones.
   * @param bytesMax that all of them may take, with what snapshots keep of them
   * @throws HostError `disk-open`, `disk-store-damaged`, `disk-base`, and of `DiskFault`
   */
  static open(directory: string, plans: readonly DiskPlan[], bytesMax: number): StoredDisks {
    return new StoredDisks(directory, plans, bytesMax);
  }

  private constructor(
    directory: string,
    plans: readonly DiskPlan[],
    bytesMax: number,
    begin?: string,
  ) {
    this.#directory = directory;
    this.#plans = plans;
    this.#bytesMax = bytesMax;
    this.#store = openNodeStore(join(directory, STORE), {
      dataBytesMax: bytesMax,
      disksMax: STORED_DISKS_MAX,
    });
    try {
      if (begin !== undefined) this.#store.revert(this.#pairs(begin));
      const names = new Set(this.#names());
      for (const { name } of this.#store.list()) if (!names.has(name)) this.#store.remove(name);
      const overlays = this.#overlays();
      this.devices = overlays.map((overlay) => new ExchangeableDisk(overlay, this.#fault.note));
    } catch (error) {
      this.#store.close();
      throw error;
    }
  }

  get storageBytes(): number {
    return this.#store.dataBytes;
  }

  get memoryBytes(): number {
    return this.#store.memoryBytes;
  }

  takeFault(): Fault | undefined {
    return this.#fault.take();
  }

  save(): SavedDisks {
    const prefix = this.#keep((name) => name);
    return {
      restore: () => {
        this.#store.revert(this.#pairs(prefix));
        for (const [index, overlay] of this.#overlays().entries()) {
          this.devices[index]!.below = overlay;
        }
        this.#fault.take();
      },
      open: (directory) => this.#copy(prefix, directory!),
      release: () => this.#release(prefix),
    };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#store.close();
  }

  /** The store as it is now, in which the disks then go back to what was saved. This one goes on meanwhile. */
  async #copy(saved: string, directory: string): Promise<StoredDisks> {
    if (this.#isClosed) throw diskFault('disk-failed', 'the disks that it is a copy of are closed');
    // What is copied must not change, whoever releases it: blocks that something keeps are not written again.
    const kept = this.#keep((name) => saved + name);
    try {
      await copyNodeStore(join(this.#directory, STORE), join(directory, STORE));
    } finally {
      this.#release(kept);
    }
    return new StoredDisks(directory, this.#plans, this.#bytesMax, kept);
  }

  /** Forks each disk. @returns what the forks' names begin with */
  #keep(originOf: (name: string) => string): string {
    const prefix = `saved-${++this.#savedCount}.`;
    try {
      for (const name of this.#names()) this.#store.fork(originOf(name), prefix + name);
    } catch (error) {
      this.#release(prefix);
      throw error;
    }
    return prefix;
  }

  #release(prefix: string): void {
    if (this.#isClosed) return;
    try {
      for (const { name } of this.#store.list()) {
        if (name.startsWith(prefix)) this.#store.remove(name);
      }
    } catch (error) {
      // The next start removes what a store that failed has kept.
      if (diskFaultOf(error) === undefined) throw error;
    }
  }

  #pairs(prefix: string): (readonly [name: string, from: string])[] {
    return this.#names().map((name) => [name, prefix + name] as const);
  }

  /** Disks that are written to are in the store, by the numbers of their places. */
  #names(): string[] {
    return this.#plans.flatMap(({ isReadOnly }, index) => (isReadOnly ? [] : [String(index)]));
  }

  #overlays(): BlockDevice[] {
    const known = new Set(this.#store.list().map(({ name }) => name));
    return this.#plans.map((plan, index) => {
      const name = String(index);
      if (plan.isReadOnly) return overlayOf(plan, 0);
      if (known.has(name)) return openOver(this.#store, name, plan);
      const { bytes, base } = plan;
      return this.#store.create(name, {
        bytes,
        quotaBytes: this.#bytesMax,
        ...(base === undefined ? {} : { base }),
      });
    });
  }
}

function openOver(store: BlockStore, name: string, { base }: DiskPlan): BlockDevice {
  try {
    return store.open(name, base);
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== 'disk-base') throw error;
    throw new HostError(
      'disk-base',
      `the image below disk ${name} is not what it was when the guest began`,
      'what the guest wrote makes no sense over another: put back the file, with the time of its last change',
      { cause: error },
    );
  }
}
