import { HostError } from '@polyvisor/errors/host-error';
import { crc32 } from './crc32.ts';
import { type MemoryOptions, type MemorySnapshot, createMemory } from './guest-memory.ts';
import { CHUNK_BYTES, MEMORY_BYTES_MAX } from './pages.ts';

/**
 * A snapshot as bytes; numbers are little-endian. Chunks of zeros are left out.
 *
 *     header   magic "polymem\0" · u32 version · u32 chunks of the memory · u32 records · u32 CRC of the 20 bytes
 *     record   u32 number of the chunk, ascending · u32 CRC of number and bytes · 65536 bytes
 */
const MAGIC = new TextEncoder().encode('polymem\0');
const VERSION = 1;
const HEADER_BYTES = 24;
const RECORD_HEAD_BYTES = 8;
const RECORD_BYTES = RECORD_HEAD_BYTES + CHUNK_BYTES;

/** The bytes in pieces, to be written one after another. */
export function* saveSnapshot(snapshot: MemorySnapshot): Generator<Uint8Array, void, void> {
  const image = snapshot.image.hold();
  try {
    const chunkCount = image.byteLength / CHUNK_BYTES;
    const indexes = Array.from({ length: chunkCount }, (_, i) => i);
    const filled = indexes.filter((i) => image.chunk(i) !== undefined);
    yield header(chunkCount, filled.length);
    for (const index of filled) yield record(index, image.chunk(index)!);
  } finally {
    image.release();
  }
}

/**
 * Reads what `saveSnapshot` wrote.
 * @throws HostError `memory-file` if it is truncated, corrupt, of another version, or longer than the limit
 */
export function loadSnapshot(file: Uint8Array, options: MemoryOptions): MemorySnapshot {
  const { chunkCount, recordCount } = readHeader(file);
  const byteLength = chunkCount * CHUNK_BYTES;
  if (byteLength > options.bytesMax) {
    throw bad(`holds ${byteLength} bytes of memory, over the limit of ${options.bytesMax}`);
  }
  const wanted = HEADER_BYTES + recordCount * RECORD_BYTES;
  if (file.length !== wanted) throw bad(`has ${file.length} bytes where ${wanted} are due`);
  using memory = createMemory(byteLength, options);
  const bytes = memory.bytes();
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  let previous = -1;
  for (let at = HEADER_BYTES; at < file.length; at += RECORD_BYTES) {
    const index = view.getUint32(at, true);
    const chunk = file.subarray(at + RECORD_HEAD_BYTES, at + RECORD_BYTES);
    if (view.getUint32(at + 4, true) !== recordChecksum(file.subarray(at, at + 4), chunk)) {
      throw bad(`is corrupt behind byte ${at}`);
    }
    if (index <= previous || index >= chunkCount) throw bad(`has chunk ${index} out of order`);
    previous = index;
    bytes.set(chunk, index * CHUNK_BYTES);
  }
  return memory.snapshot();
}

function readHeader(file: Uint8Array): { chunkCount: number; recordCount: number } {
  if (file.length < HEADER_BYTES) throw bad('ends inside its header');
  const view = new DataView(file.buffer, file.byteOffset, HEADER_BYTES);
  if (MAGIC.some((byte, i) => file[i] !== byte)) throw bad('is no memory snapshot');
  const version = view.getUint32(8, true);
  if (version !== VERSION) throw bad(`has version ${version}; this program reads ${VERSION}`);
  if (view.getUint32(20, true) !== crc32(file.subarray(0, 20))) throw bad('has a corrupt header');
  const chunkCount = view.getUint32(12, true);
  if (chunkCount * CHUNK_BYTES > MEMORY_BYTES_MAX) throw bad('is longer than a memory can be');
  return { chunkCount, recordCount: view.getUint32(16, true) };
}

function header(chunkCount: number, recordCount: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, chunkCount, true);
  view.setUint32(16, recordCount, true);
  view.setUint32(20, crc32(bytes.subarray(0, 20)), true);
  return bytes;
}

function record(index: number, chunk: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, index, true);
  view.setUint32(4, recordChecksum(bytes.subarray(0, 4), chunk), true);
  bytes.set(chunk, RECORD_HEAD_BYTES);
  return bytes;
}

function recordChecksum(index: Uint8Array, chunk: Uint8Array): number {
  return crc32(chunk, crc32(index));
}

function bad(why: string): HostError {
  return new HostError('memory-file', `the memory file ${why}`, 'take the snapshot anew');
}
