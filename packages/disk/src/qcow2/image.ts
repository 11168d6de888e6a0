import { checkRange, diskFault } from '../block-device.ts';
import type { BlockDevice } from '../block-device.ts';
import type { Decompress } from '../decompress.ts';
import type { FileDoor } from '../file-door.ts';
import type { Qcow2Header } from './header.ts';
import { Recent } from './recent.ts';
import { zstdFrameBytes } from './zstd-frame.ts';

/** L2 tables kept: with clusters of 64 KiB, 4 MiB that map 32 GiB. */
const TABLES_KEPT = 64;
/** Decompressed clusters kept: what a sequential reader with small requests needs. */
const CLUSTERS_KEPT = 8;
const SECTOR_BYTES = 512;
const SUBCLUSTERS = 32;
/** Bits 9 to 55 of an entry. */
const OFFSET_HIGH_MASK = 0x00ff_ffff;
const OFFSET_LOW_MASK = 0xffff_fe00;
const IS_COMPRESSED = 0x4000_0000;
const IS_ZERO = 1;

export interface Qcow2Parts {
  readonly file: FileDoor;
  readonly header: Qcow2Header;
  /** What the image is a difference to; may be shorter or longer. */
  readonly backing: BlockDevice | undefined;
  readonly decompress: Decompress;
}

/** A qcow2 image, read-only: writes go to an overlay over it. Snapshots inside the image are not looked at. */
export function openQcow2(parts: Qcow2Parts): BlockDevice {
  const { header } = parts;
  const l1 = readTable(parts.file, header.l1Offset, header.l1Entries * 8);
  const image = new Image(parts, l1);
  return {
    bytes: header.bytes,
    isReadOnly: true,
    read(offset, into) {
      checkRange(header.bytes, offset, into.length);
      image.read(offset, into);
    },
    write(offset, from) {
      checkRange(header.bytes, offset, from.length);
      throw diskFault('disk-read-only', 'a qcow2 image takes no writes', 'write to an overlay');
    },
    flush() {},
  };
}

class Image {
  readonly #parts: Qcow2Parts;
  readonly #l1: DataView;
  readonly #clusterBytes: number;
  readonly #unitBytes: number;
  readonly #tables: Recent<DataView>;
  readonly #clusters: Recent<Uint8Array>;

  constructor(parts: Qcow2Parts, l1: DataView) {
    this.#parts = parts;
    this.#l1 = l1;
    const { clusterBits, hasSubclusters } = parts.header;
    this.#clusterBytes = 2 ** clusterBits;
    this.#unitBytes = hasSubclusters ? this.#clusterBytes / SUBCLUSTERS : this.#clusterBytes;
    this.#tables = new Recent(TABLES_KEPT);
    this.#clusters = new Recent(CLUSTERS_KEPT);
  }

  read(offset: number, into: Uint8Array): void {
    let at = 0;
    while (at < into.length) {
      const inUnit = (offset + at) % this.#unitBytes;
      const length = Math.min(this.#unitBytes - inUnit, into.length - at);
      this.#readUnit(offset + at, into.subarray(at, at + length));
      at += length;
    }
  }

  /** Reads inside one cluster, or one subcluster where there are some. */
  #readUnit(offset: number, into: Uint8Array): void {
    const cluster = Math.floor(offset / this.#clusterBytes);
    const inCluster = offset % this.#clusterBytes;
    const { hasSubclusters, version } = this.#parts.header;
    const perTable = this.#clusterBytes / (hasSubclusters ? 16 : 8);
    const table = this.#table(Math.floor(cluster / perTable));
    if (!table) return this.#readBacking(offset, into);

    const entry = (cluster % perTable) * (hasSubclusters ? 16 : 8);
    const high = table.getUint32(entry);
    const low = table.getUint32(entry + 4);
    if ((high & IS_COMPRESSED) !== 0) {
      into.set(this.#compressed(high, low).subarray(inCluster, inCluster + into.length));
      return;
    }
    const host = offsetOf(high, low);
    if (hasSubclusters) {
      const bit = 1 << Math.floor(inCluster / this.#unitBytes);
      const isZero = (table.getUint32(entry + 8) & bit) !== 0;
      const isAllocated = (table.getUint32(entry + 12) & bit) !== 0;
      if (isZero && isAllocated) throw damaged('a subcluster that is zero and is not');
      if (isZero) into.fill(0);
      else if (isAllocated) this.#readData(host, inCluster, into);
      else this.#readBacking(offset, into);
      return;
    }
    if ((low & IS_ZERO) !== 0) {
      if (version === 2) throw damaged('a zero cluster in version 2');
      into.fill(0);
    } else if (host === 0) this.#readBacking(offset, into);
    else this.#readData(host, inCluster, into);
  }

  #readData(host: number, inCluster: number, into: Uint8Array): void {
    const { file } = this.#parts;
    // The last cluster of a file may be cut short; one that begins after the end was never written.
    if (host === 0 || host % this.#clusterBytes !== 0 || host >= file.bytes) {
      throw damaged(`a cluster at ${host}`);
    }
    file.read(host + inCluster, into);
  }

  #readBacking(offset: number, into: Uint8Array): void {
    const { backing } = this.#parts;
    const length = Math.min(into.length, Math.max(0, (backing?.bytes ?? 0) - offset));
    if (length > 0) backing?.read(offset, into.subarray(0, length));
    into.fill(0, length);
  }

  /** The L2 table of an entry in L1; undefined where nothing is mapped. */
  #table(index: number): DataView | undefined {
    const host = offsetOf(this.#l1.getUint32(index * 8), this.#l1.getUint32(index * 8 + 4));
    if (host === 0) return undefined;
    return this.#tables.get(host, () => {
      const { file } = this.#parts;
      if (host % this.#clusterBytes !== 0 || host + this.#clusterBytes > file.bytes) {
        throw damaged(`an L2 table at ${host}`);
      }
      return readTable(file, host, this.#clusterBytes);
    });
  }

  /**
   * A compressed cluster. With x = 70 - cluster bits, an entry has the offset in bits 0 to x - 1 (any byte) and in
   * bits x to 61 how many sectors the data goes on after the one it begins in.
   */
  #compressed(high: number, low: number): Uint8Array {
    const { file, header } = this.#parts;
    const offsetBits = 70 - header.clusterBits;
    const highOffsetMask = 2 ** (offsetBits - 32) - 1;
    const start = (high & highOffsetMask) * 2 ** 32 + low;
    const sectors = ((high & (IS_COMPRESSED - 1)) >>> (offsetBits - 32)) + 1;
    return this.#clusters.get(start, () => {
      const end = Math.min(start - (start % SECTOR_BYTES) + sectors * SECTOR_BYTES, file.bytes);
      if (start >= end) throw damaged(`a compressed cluster at ${start}`);
      const input = new Uint8Array(end - start);
      file.read(start, input);
      let cluster: Uint8Array;
      try {
        cluster = this.#inflate(input);
      } catch (error) {
        throw diskFault('disk-damaged', `qcow2: a compressed cluster at ${start}`, undefined, {
          cause: error,
        });
      }
      if (cluster.length !== this.#clusterBytes) throw damaged(`a short cluster at ${start}`);
      return cluster;
    });
  }

  #inflate(input: Uint8Array): Uint8Array {
    const { header, decompress } = this.#parts;
    if (header.compression === 'deflate') return decompress.deflateRaw(input, this.#clusterBytes);
    return decompress.zstd(input.subarray(0, zstdFrameBytes(input)), this.#clusterBytes);
  }
}

function offsetOf(high: number, low: number): number {
  return (high & OFFSET_HIGH_MASK) * 2 ** 32 + ((low & OFFSET_LOW_MASK) >>> 0);
}

function readTable(file: FileDoor, offset: number, bytes: number): DataView {
  const table = new Uint8Array(bytes);
  file.read(offset, table);
  return new DataView(table.buffer);
}

function damaged(what: string): Error {
  return diskFault('disk-damaged', `qcow2: ${what}`);
}
