import { HostError } from '@polyvisor/errors/host-error';

/**
 * A disk as virtio-blk, loaders and file systems see it: `bytes` bytes, read and written at any offset (a sector
 * is the device's idea, not the disk's), all of it synchronous.
 *
 * A request that fails throws a HostError whose code is one of `DiskFault`; the device asks `diskFaultOf` and answers
 * its guest with an I/O error. A failed write may have written some of its bytes, as with a real disk.
 */
export interface BlockDevice {
  /** Size in bytes; it doesn't change. */
  readonly bytes: number;
  /** Whether every write fails; absent means no. */
  readonly isReadOnly?: boolean;
  /** Fills `into` with the bytes from `offset` on. Bytes never written are zero. */
  read(offset: number, into: Uint8Array): void;
  write(offset: number, from: Uint8Array): void;
  /** When it returns, all that was written before outlives a crash, as far as what lies below can promise. */
  flush(): void;
  /** The bytes are no longer needed; they read as zeros, or as what they were. */
  discard?(offset: number, length: number): void;
  /** The bytes are zeros from now on, and take no room where that can be; absent: zeros have to be written. */
  zero?(offset: number, length: number): void;
}

/** A disk of nothing but zeros that takes no writes, for overlays to be over. */
export class BlankDisk implements BlockDevice {
  readonly bytes: number;
  readonly isReadOnly = true;

  /** @param bytes size, an integer from 0 to 2^53 - 1 */
  constructor(bytes: number) {
    checkRange(Number.MAX_SAFE_INTEGER, 0, bytes);
    this.bytes = bytes;
  }

  read(offset: number, into: Uint8Array): void {
    checkRange(this.bytes, offset, into.length);
    into.fill(0);
  }

  write(): never {
    throw diskFault('disk-read-only', 'the disk is read-only');
  }

  flush(): void {}
}

/**
 * What can go wrong with a request:
 * - `disk-range`: outside the disk
 * - `disk-read-only`: a write to a disk that takes none
 * - `disk-quota`: the guest's quota, or the host's own disk, has no room for it
 * - `disk-damaged`: what lies below is not what was written there, or breaks its format
 * - `disk-failed`: the host couldn't read or write
 */
export type DiskFault =
  | 'disk-range'
  | 'disk-read-only'
  | 'disk-quota'
  | 'disk-damaged'
  | 'disk-failed';

const FAULTS: ReadonlySet<string> = new Set<DiskFault>([
  'disk-range',
  'disk-read-only',
  'disk-quota',
  'disk-damaged',
  'disk-failed',
]);

/** Which fault an error of a `BlockDevice` is; undefined for what a device must not swallow: a bug. */
export function diskFaultOf(error: unknown): DiskFault | undefined {
  return error instanceof HostError && FAULTS.has(error.code)
    ? (error.code as DiskFault)
    : undefined;
}

/** An error of a `BlockDevice`, to be thrown. */
export function diskFault(
  fault: DiskFault,
  message: string,
  hint?: string,
  options?: ErrorOptions,
): HostError {
  return new HostError(fault, message, hint, options);
}

/** @throws HostError `disk-range` unless `[offset, offset + length)` lies in a disk of `bytes` bytes */
export function checkRange(bytes: number, offset: number, length: number): void {
  const isInside =
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= bytes;
  if (!isInside) {
    throw diskFault('disk-range', `${length} bytes at ${offset} are not in a disk of ${bytes}`);
  }
}
