import { crc32 as zlibCrc32 } from 'node:zlib';
import { HostError } from '@polyvisor/errors/host-error';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyBackend } from './copy-backend.ts';
import { crc32 } from './crc32.ts';
import { createMemory, forkMemory } from './guest-memory.ts';
import { CHUNK_BYTES } from './pages.ts';
import { loadSnapshot, saveSnapshot } from './snapshot-file.ts';

const SEED = 20_260_103;
const options = { bytesMax: 8 * CHUNK_BYTES, backend: copyBackend };
const file = sampleFile();

describe('a snapshot file', () => {
  test('holds only chunks with contents', () => {
    expect(file.length).toBe(24 + 2 * (8 + CHUNK_BYTES));
  });

  test('gives back the memory', () => {
    using snapshot = loadSnapshot(file, options);
    using memory = forkMemory(snapshot, options);
    expect(memory.byteLength).toBe(4 * CHUNK_BYTES);
    expect(memory.bytes()[3]).toBe(9);
    expect(memory.bytes()[2 * CHUNK_BYTES + 5]).toBe(8);
    expect(memory.bytes().reduce((sum, byte) => sum + byte, 0)).toBe(17);
  });

  test('loads up to the limit', () => {
    const load = (chunks: number) =>
      loadSnapshot(file, { ...options, bytesMax: chunks * CHUNK_BYTES });
    expect(load(5).byteLength).toBe(4 * CHUNK_BYTES);
    expect(load(4).byteLength).toBe(4 * CHUNK_BYTES);
    expect(() => load(3)).toThrow('over the limit');
  });

  test('is refused when cut anywhere', () => {
    for (const length of [0, 7, 8, 23, 24, 25, 31, 32, 33, file.length - 1]) {
      expectBad(file.subarray(0, length));
    }
  });

  test('is refused with bytes behind', () => expectBad(Uint8Array.from([...file, 0])));

  test(`is refused with any bit flipped (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(31), fc.nat(file.length - 1)), fc.nat(7), (at, bit) => {
        const corrupt = file.slice();
        corrupt[at]! ^= 1 << bit;
        expectBad(corrupt);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test('of another version says so', () => {
    const newer = file.slice();
    newer[8] = 2;
    expect(() => loadSnapshot(newer, options)).toThrow('has version 2; this program reads 1');
  });

  test('with a chunk twice, or behind the end, is refused', () => {
    const second = 24 + 8 + CHUNK_BYTES;
    for (const index of [0, 4]) expectBad(withRecordIndex(file, second, index));
  });
});

test(`crc32 equals zlib's, in one piece and in two (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
      expect(crc32(bytes)).toBe(zlibCrc32(bytes));
      expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(zlibCrc32(bytes));
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

/** Four chunks, of which 0 and 2 hold something. */
function sampleFile(): Uint8Array {
  using memory = createMemory(4 * CHUNK_BYTES, options);
  memory.bytes()[3] = 9;
  memory.bytes()[2 * CHUNK_BYTES + 5] = 8;
  using snapshot = memory.snapshot();
  return Uint8Array.from(Buffer.concat([...saveSnapshot(snapshot)]));
}

/** The file with a record's number changed, and its checksum right. */
function withRecordIndex(bytes: Uint8Array, at: number, index: number): Uint8Array {
  const out = bytes.slice();
  const view = new DataView(out.buffer, out.byteOffset);
  view.setUint32(at, index, true);
  const chunk = out.subarray(at + 8, at + 8 + CHUNK_BYTES);
  view.setUint32(at + 4, zlibCrc32(chunk, zlibCrc32(out.subarray(at, at + 4))), true);
  return out;
}

function expectBad(bytes: Uint8Array): void {
  let code: unknown;
  try {
    loadSnapshot(bytes, options);
  } catch (error) {
    code = error instanceof HostError ? error.code : error;
  }
  expect(code).toBe('memory-file');
}
