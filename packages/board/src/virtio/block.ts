import { EMPTY_BYTES } from '@polyvisor/bytes/bytes';
import { assert } from '@polyvisor/errors/assert';
import { type BlockDevice, diskFaultOf } from '@polyvisor/disk/block-device';
import type { DescriptorChain } from './chain.ts';
import type { VirtioDevice, VirtioPort } from './device.ts';
import { QUEUE_SIZE_MAX } from './queue.ts';
import { serveQueue } from './serve.ts';

/** @see VIRTIO 1.2, section 5.2, "Block Device" */
const SECTOR_BYTES = 512;
const HEADER_BYTES = 16;
const ID_BYTES = 20;
const FEATURE_SEGMENTS_MAX = 1n << 2n;
const FEATURE_READ_ONLY = 1n << 5n;
const FEATURE_BLOCK_SIZE = 1n << 6n;
const FEATURE_FLUSH = 1n << 9n;
const FEATURE_DISCARD = 1n << 13n;
const FEATURE_WRITE_ZEROES = 1n << 14n;

const REQUEST_IN = 0;
const REQUEST_OUT = 1;
const REQUEST_FLUSH = 4;
const REQUEST_ID = 8;
const REQUEST_DISCARD = 11;
const REQUEST_WRITE_ZEROES = 13;

const STATUS_OK = 0;
const STATUS_IO_ERROR = 1;
const STATUS_UNSUPPORTED = 2;

/** Sectors that one discard or write-zeroes request may name: 128 MiB. */
export const DISCARD_SECTORS_MAX = 262_144;
/** Ranges of one request. */
export const DISCARD_SEGMENTS_MAX = 16;
const RANGE_BYTES = 16;
const ZEROS = new Uint8Array(65_536);
/** The disk is asked for so much at once, however scattered the guest's memory for it is. */
const PIECE_BYTES = 1_048_576;

export interface BlockOptions {
  readonly disk: BlockDevice;
  /** What the guest reads as its serial number: at most 20 bytes of ASCII. */
  readonly serial?: string;
}

/** A disk. Requests are served at once, in their order. */
export class VirtioBlock implements VirtioDevice {
  readonly deviceId = 2;
  readonly queueSizes = [QUEUE_SIZE_MAX];
  readonly features: bigint;
  readonly config: Uint8Array;
  readonly #disk: BlockDevice;
  readonly #serial: Uint8Array;
  #port: VirtioPort | undefined;
  #room: Uint8Array = EMPTY_BYTES;

  constructor({ disk, serial = '' }: BlockOptions) {
    assert(disk.bytes % SECTOR_BYTES === 0, 'a disk has whole sectors');
    this.#disk = disk;
    this.#serial = Uint8Array.from({ length: ID_BYTES }, (_, i) => serial.charCodeAt(i) || 0);
    const changing = disk.isReadOnly === true ? FEATURE_READ_ONLY : FEATURE_WRITE_ZEROES;
    const discarding = disk.discard && disk.isReadOnly !== true ? FEATURE_DISCARD : 0n;
    this.features =
      FEATURE_SEGMENTS_MAX | FEATURE_BLOCK_SIZE | FEATURE_FLUSH | changing | discarding;
    this.config = configOf(disk.bytes, disk.zero !== undefined);
  }

  start(port: VirtioPort): void {
    this.#port = port;
  }

  reset(): void {
    this.#port = undefined;
  }

  notify(): void {
    serveQueue(this.#port!, 0, (chain) => this.#serve(chain));
  }

  /** Header and data to read, then data and one byte of status to write. */
  #serve(chain: DescriptorChain): void {
    if (chain.readableBytes < HEADER_BYTES || chain.writableBytes < 1) return;
    const header = new DataView(chain.read(HEADER_BYTES).buffer);
    const type = header.getUint32(0, true);
    const offset = Number(header.getBigUint64(8, true)) * SECTOR_BYTES;
    let status: number;
    try {
      status = this.#perform(chain, type, offset);
    } catch (error) {
      if (diskFaultOf(error) === undefined) throw error;
      status = STATUS_IO_ERROR;
    }
    // The status is the last byte of the room, however much of the data was written.
    chain.writeZeros(chain.writableBytes - 1);
    chain.write(Uint8Array.of(status));
  }

  #perform(chain: DescriptorChain, type: number, offset: number): number {
    switch (type) {
      case REQUEST_IN:
        return this.#read(chain, offset);
      case REQUEST_OUT:
        return this.#write(chain, offset);
      case REQUEST_FLUSH:
        this.#disk.flush();
        return STATUS_OK;
      case REQUEST_ID:
        chain.write(this.#serial.subarray(0, chain.writableBytes - 1));
        return STATUS_OK;
      case REQUEST_DISCARD:
      case REQUEST_WRITE_ZEROES:
        return this.#erase(chain, type === REQUEST_DISCARD);
      default:
        return STATUS_UNSUPPORTED;
    }
  }

  #read(chain: DescriptorChain, offset: number): number {
    const length = chain.writableBytes - 1;
    if (!this.#isInside(offset, length)) return STATUS_IO_ERROR;
    for (let done = 0; done < length;) {
      const piece = this.#scratch(length - done);
      this.#disk.read(offset + done, piece);
      done += chain.write(piece);
    }
    return STATUS_OK;
  }

  #write(chain: DescriptorChain, offset: number): number {
    const length = chain.readableBytes;
    if (!this.#isInside(offset, length)) return STATUS_IO_ERROR;
    for (let done = 0; done < length;) {
      const piece = this.#scratch(length - done);
      chain.readInto(piece);
      this.#disk.write(offset + done, piece);
      done += piece.length;
    }
    return STATUS_OK;
  }

  /** Where data is gathered: a disk is faster with a lot at once than with each of the guest's pages. */
  #scratch(lengthMax: number): Uint8Array {
    const length = Math.min(lengthMax, PIECE_BYTES);
    if (this.#room.length < length) this.#room = new Uint8Array(length);
    return this.#room.subarray(0, length);
  }

  /** Ranges of { u64 sector · u32 sectors · u32 flags }. */
  #erase(chain: DescriptorChain, isDiscard: boolean): number {
    const offered = isDiscard ? FEATURE_DISCARD : FEATURE_WRITE_ZEROES;
    if ((this.features & offered) === 0n) return STATUS_UNSUPPORTED;
    const length = chain.readableBytes;
    if (length % RANGE_BYTES !== 0 || length > DISCARD_SEGMENTS_MAX * RANGE_BYTES) {
      return STATUS_IO_ERROR;
    }
    const ranges = new DataView(chain.read(length).buffer);
    for (let at = 0; at < length; at += RANGE_BYTES) {
      const offset = Number(ranges.getBigUint64(at, true)) * SECTOR_BYTES;
      const sectors = ranges.getUint32(at + 8, true);
      const flags = ranges.getUint32(at + 12, true);
      // Only "unmap", and only for zeroes; other bits are from the future.
      if ((flags & (isDiscard ? ~0 : ~1)) !== 0) return STATUS_UNSUPPORTED;
      const count = sectors * SECTOR_BYTES;
      if (sectors > DISCARD_SECTORS_MAX || !this.#isInside(offset, count)) return STATUS_IO_ERROR;
      if (isDiscard) this.#disk.discard!(offset, count);
      else this.#writeZeros(offset, count);
    }
    return STATUS_OK;
  }

  #writeZeros(offset: number, count: number): void {
    if (this.#disk.zero) return this.#disk.zero(offset, count);
    for (let done = 0; done < count; done += ZEROS.length) {
      this.#disk.write(offset + done, ZEROS.subarray(0, Math.min(ZEROS.length, count - done)));
    }
  }

  #isInside(offset: number, length: number): boolean {
    return length % SECTOR_BYTES === 0 && offset + length <= this.#disk.bytes;
  }
}

/** @see VIRTIO 1.2, section 5.2.4, "Device configuration layout" */
function configOf(bytes: number, canFree: boolean): Uint8Array {
  const config = new Uint8Array(60);
  const view = new DataView(config.buffer);
  view.setBigUint64(0, BigInt(bytes / SECTOR_BYTES), true);
  // Header and status take two of a queue's descriptors.
  view.setUint32(12, QUEUE_SIZE_MAX - 2, true);
  view.setUint32(20, SECTOR_BYTES, true);
  view.setUint16(34, 1, true);
  view.setUint32(36, DISCARD_SECTORS_MAX, true);
  view.setUint32(40, DISCARD_SEGMENTS_MAX, true);
  view.setUint32(44, 8, true);
  view.setUint32(48, DISCARD_SECTORS_MAX, true);
  view.setUint32(52, DISCARD_SEGMENTS_MAX, true);
  // Whether zeroing may free what was there.
  view.setUint8(56, Number(canFree));
  return config;
}
