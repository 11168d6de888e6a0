import type { BlockDevice } from '@polyvisor/disk/block-device';
import { diskFaultOf } from '@polyvisor/disk/block-device';
import type { Base } from '@polyvisor/disk/overlay/block-store';
import type { Fault } from '@polyvisor/machine/machine';

/** What a disk is made of. */
export interface DiskPlan {
  /** Below it; none: it begins as zeros. */
  readonly base: Base | undefined;
  readonly bytes: number;
  readonly isReadOnly: boolean;
}

/** The disks of one computer, as long as it lives. */
export interface GuestDisks {
  /** `/dev/vda` first. They stay the same when what is on them goes back. */
  readonly devices: readonly BlockDevice[];
  /** Bytes that they take of the storage limit. */
  readonly storageBytes: number;
  /** Bytes of the host's memory that hold what was written. */
  readonly memoryBytes: number;
  /** Why the computer can't go on, once: what it wrote found no room, or can't be kept. */
  takeFault(): Fault | undefined;
  /** What is on them now. It has to be released. @throws HostError of `DiskFault` */
  save(): SavedDisks;
  /** Keeps what was written, where they outlive the host. Once is enough. @throws HostError of `DiskFault` */
  close(): void;
}

/** Disks at one moment. */
export interface SavedDisks {
  /** The disks that it is of are as they were. @throws HostError of `DiskFault` */
  restore(): void;
  /**
   * Disks of another computer that begin so.
   * @param directory of that computer's own, if it has one
   * @throws HostError `disk-open`, and of `DiskFault`
   */
  open(directory: string | undefined): Promise<GuestDisks>;
  /** Nobody asks for it any more. */
  release(): void;
}

/** What disks say of the first change that failed, until somebody takes it. */
export class FirstFault {
  #fault: Fault | undefined;

  readonly note = (fault: Fault): void => {
    this.#fault ??= fault;
  };

  take(): Fault | undefined {
    const fault = this.#fault;
    this.#fault = undefined;
    return fault;
  }
}

/** A disk as its device has it: what is below can be exchanged, and a change that fails ends the computer. */
export class ExchangeableDisk implements BlockDevice {
  readonly bytes: number;
  readonly isReadOnly: boolean;
  below: BlockDevice;
  readonly #onFault: (fault: Fault) => void;

  constructor(below: BlockDevice, onFault: (fault: Fault) => void) {
    this.bytes = below.bytes;
    this.isReadOnly = below.isReadOnly ?? false;
    this.below = below;
    this.#onFault = onFault;
  }

  read(offset: number, into: Uint8Array): void {
    this.below.read(offset, into);
  }

  write(offset: number, from: Uint8Array): void {
    this.#change(() => this.below.write(offset, from));
  }

  flush(): void {
    this.#change(() => this.below.flush());
  }

  discard(offset: number, length: number): void {
    this.#change(() => this.below.discard!(offset, length));
  }

  zero(offset: number, length: number): void {
    this.#change(() => this.below.zero!(offset, length));
  }

  /** The device answers its guest with the error, too. */
  #change(act: () => void): void {
    try {
      act();
    } catch (error) {
      const code = FAULTS.get(diskFaultOf(error) ?? '');
      if (code !== undefined) this.#onFault({ code, message: (error as Error).message });
      throw error;
    }
  }
}

const FAULTS: ReadonlyMap<string, Fault['code']> = new Map([
  ['disk-quota', 'storage-quota'],
  ['disk-failed', 'storage-failure'],
]);
