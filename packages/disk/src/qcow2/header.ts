import { bytesToUtf8 } from '@polyvisor/bytes/bytes';
import { HostError } from '@polyvisor/errors/host-error';
import type { FileDoor } from '../file-door.ts';

/**
 * The header of a qcow2 image, big-endian:
 * ```
 *   0 magic 'QFI\xfb'     8 backing file: offset u64   16 its length u32   20 cluster bits u32
 *   4 version u32 (2, 3) 24 size of the disk u64       32 encryption u32   36 L1 entries u32
 *  40 L1 offset u64      48 refcounts (unused here)    60 snapshots (unused here)
 *  72 incompatible features u64 (version 3)           100 header length u32   104 compression u8
 * ```
 * then extensions {type u32, length u32, bytes padded to 8}, ended by type 0.
 * @see QEMU, docs/interop/qcow2.rst
 */
export interface Qcow2Header {
  readonly version: 2 | 3;
  readonly clusterBits: number;
  /** Size of the disk in bytes. */
  readonly bytes: number;
  readonly l1Offset: number;
  readonly l1Entries: number;
  readonly compression: 'deflate' | 'zstd';
  /** Entries of L2 tables are twice as long, and say for each 32nd of a cluster what it is. */
  readonly hasSubclusters: boolean;
  readonly backing: { readonly name: string; readonly format: string | undefined } | undefined;
}

const MAGIC = 0x5146_49fb;
const HEADER_BYTES_V2 = 72;
const HEADER_BYTES_V3 = 104;
/** Fields up to and with the compression type. */
const HEADER_BYTES_READ = 105;
const CLUSTER_BITS_MIN = 9;
const CLUSTER_BITS_MAX = 21;
/** Subclusters are at least a sector. */
const CLUSTER_BITS_MIN_SUBCLUSTERS = 14;
const BACKING_NAME_BYTES_MAX = 1023;
/** 64 GiB in clusters of 512 bytes, 2 EiB in the largest: nobody's L1 table is larger. */
const L1_BYTES_MAX = 32 * 1024 * 1024;
const EXTENSION_BACKING_FORMAT = 0xe279_2aca;

const INCOMPATIBLE = {
  dirty: 1n << 0n,
  corrupt: 1n << 1n,
  externalData: 1n << 2n,
  compressionType: 1n << 3n,
  subclusters: 1n << 4n,
} as const;
/** What a reader can do: a dirty or corrupt image has wrong reference counts, which only a writer needs. */
const READABLE =
  INCOMPATIBLE.dirty |
  INCOMPATIBLE.corrupt |
  INCOMPATIBLE.compressionType |
  INCOMPATIBLE.subclusters;

/** Whether a file begins as a qcow2 image does. */
export function isQcow2(file: FileDoor): boolean {
  return file.bytes >= 4 && readView(file, 0, 4).getUint32(0) === MAGIC;
}

/** @throws HostError `image-damaged`, `image-not-supported` */
export function readHeader(file: FileDoor): Qcow2Header {
  if (!isQcow2(file) || file.bytes < HEADER_BYTES_V2) throw damaged('the file is no qcow2 image');
  const view = readView(file, 0, HEADER_BYTES_READ);
  const version = view.getUint32(4);
  if (version !== 2 && version !== 3) throw notSupported(`version ${version} of qcow2`);
  if (view.getUint32(32) !== 0) throw notSupported('an encrypted image');

  const features = version === 3 ? readFeatures(view) : { length: HEADER_BYTES_V2, ...PLAIN };
  const clusterBits = view.getUint32(20);
  const bitsMin = features.hasSubclusters ? CLUSTER_BITS_MIN_SUBCLUSTERS : CLUSTER_BITS_MIN;
  if (clusterBits < bitsMin || clusterBits > CLUSTER_BITS_MAX) {
    throw damaged(`clusters of 2^${clusterBits} bytes`);
  }
  const clusterBytes = 2 ** clusterBits;
  if (features.length > clusterBytes) throw damaged(`a header of ${features.length} bytes`);

  const bytes = Number(view.getBigUint64(24));
  const l1Entries = view.getUint32(36);
  const l1Offset = Number(view.getBigUint64(40));
  const l2Reach = (clusterBytes / (features.hasSubclusters ? 16 : 8)) * clusterBytes;
  if (!Number.isSafeInteger(bytes)) throw damaged('a disk of 2^53 bytes or more');
  if (l1Entries * 8 > L1_BYTES_MAX) throw damaged(`an L1 table of ${l1Entries} entries`);
  if (l1Entries < Math.ceil(bytes / l2Reach)) throw damaged('an L1 table that is too short');
  if (l1Entries > 0 && (l1Offset % clusterBytes !== 0 || l1Offset + l1Entries * 8 > file.bytes)) {
    throw damaged(`an L1 table at ${l1Offset}`);
  }
  return {
    version,
    clusterBits,
    bytes,
    l1Offset,
    l1Entries,
    compression: features.compression,
    hasSubclusters: features.hasSubclusters,
    backing: readBacking(file, view, features.length, clusterBytes),
  };
}

const PLAIN = { compression: 'deflate', hasSubclusters: false } as const;

interface Features extends Pick<Qcow2Header, 'compression' | 'hasSubclusters'> {
  /** Bytes of the header, before the extensions. */
  readonly length: number;
}

function readFeatures(view: DataView): Features {
  const incompatible = view.getBigUint64(72);
  if ((incompatible & INCOMPATIBLE.externalData) !== 0n) {
    throw notSupported('data in another file');
  }
  if ((incompatible & ~READABLE) !== 0n) {
    throw notSupported(`features 0x${(incompatible & ~READABLE).toString(16)}`);
  }
  const length = view.getUint32(100);
  if (length < HEADER_BYTES_V3 || length % 8 !== 0) throw damaged(`a header of ${length} bytes`);
  const hasType = (incompatible & INCOMPATIBLE.compressionType) !== 0n;
  const type = hasType && length > HEADER_BYTES_V3 ? view.getUint8(104) : 0;
  if (type > 1) throw notSupported(`compression ${type}`);
  return {
    length,
    compression: type === 0 ? 'deflate' : 'zstd',
    hasSubclusters: (incompatible & INCOMPATIBLE.subclusters) !== 0n,
  };
}

function readBacking(
  file: FileDoor,
  view: DataView,
  headerBytes: number,
  clusterBytes: number,
): Qcow2Header['backing'] {
  const offset = Number(view.getBigUint64(8));
  const length = view.getUint32(16);
  if (offset === 0 || length === 0) return undefined;
  if (length > BACKING_NAME_BYTES_MAX || offset + length > Math.min(clusterBytes, file.bytes)) {
    throw damaged('a name of the backing file outside the first cluster');
  }
  const name = new Uint8Array(length);
  file.read(offset, name);
  return { name: bytesToUtf8(name), format: readBackingFormat(file, headerBytes, offset) };
}

function readBackingFormat(file: FileDoor, start: number, end: number): string | undefined {
  let at = start;
  while (at + 8 <= end) {
    const view = readView(file, at, 8);
    const type = view.getUint32(0);
    const length = view.getUint32(4);
    if (type === 0) return undefined;
    if (at + 8 + length > end) throw damaged('a header extension that does not end');
    if (type === EXTENSION_BACKING_FORMAT) {
      const format = new Uint8Array(length);
      file.read(at + 8, format);
      return bytesToUtf8(format);
    }
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return undefined;
}

function readView(file: FileDoor, offset: number, length: number): DataView {
  const bytes = new Uint8Array(length);
  file.read(offset, bytes);
  return new DataView(bytes.buffer);
}

function damaged(what: string): HostError {
  return new HostError('image-damaged', `qcow2: ${what}`);
}

function notSupported(what: string): HostError {
  const hint = 'qemu-img convert -O qcow2 makes a plain image of it';
  return new HostError('image-not-supported', `qcow2: ${what} is not supported`, hint);
}
