import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diskFaultOf } from './block-device.ts';
import { memoryFile } from './file-door.ts';
import { openRawImage } from './raw-image.ts';
import { SparseDisk } from './sparse-disk.ts';

const SEED = 20_261_125;
const CHUNK = 64 * 1024;

function faultOf(use: () => void): string | undefined {
  try {
    use();
  } catch (error) {
    return diskFaultOf(error);
  }
  return undefined;
}

describe('a sparse disk', () => {
  test('holds what an array would, after save and load too', () => {
    const size = 3 * CHUNK + 17;
    const request = fc.record({
      kind: fc.constantFrom('write', 'discard', 'reload'),
      offset: fc.nat(size),
      length: fc.nat(2 * CHUNK),
      value: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 20 }), (requests) => {
        let disk = new SparseDisk(size);
        const model = new Uint8Array(size);
        for (const { kind, offset, length, value } of requests) {
          const end = Math.min(size, offset + length);
          if (kind === 'write') {
            disk.write(offset, new Uint8Array(end - offset).fill(value));
            model.fill(value, offset, end);
          } else if (kind === 'discard') {
            disk.discard(offset, end - offset);
            model.fill(0, offset, end);
          } else disk = SparseDisk.load(disk.save());
        }
        const content = new Uint8Array(size);
        disk.read(0, content);
        expect(content).toEqual(model);
      }),
      { seed: SEED, numRuns: 50 },
    );
  });

  test('takes memory for what was written only', () => {
    const disk = new SparseDisk(2 ** 40);
    disk.write(2 ** 39 + 1, Uint8Array.of(1));
    expect(disk.residentBytes).toBe(CHUNK);
    disk.discard(0, 2 ** 20);
    disk.discard(2 ** 39, CHUNK);
    expect(disk.residentBytes).toBe(0);
  });

  test('ends where it ends', () => {
    const disk = new SparseDisk(1000);
    const byte = Uint8Array.of(1);
    expect(faultOf(() => disk.write(999, byte))).toBeUndefined();
    expect(faultOf(() => disk.write(1000, byte))).toBe('disk-range');
    expect(faultOf(() => disk.read(999, new Uint8Array(2)))).toBe('disk-range');
    expect(faultOf(() => disk.read(-1, byte))).toBe('disk-range');
    expect(faultOf(() => disk.read(0.5, byte))).toBe('disk-range');
    expect(faultOf(() => disk.discard(0, 1001))).toBe('disk-range');
  });

  test.each([
    [2 * CHUNK - 1, 'disk-quota'],
    [2 * CHUNK, undefined],
    [2 * CHUNK + 1, undefined],
  ])('with %d bytes of memory for two chunks: %s', (residentBytesMax, fault) => {
    const disk = new SparseDisk(10 * CHUNK, { residentBytesMax });
    expect(faultOf(() => disk.write(CHUNK - 1, Uint8Array.of(1, 2)))).toBe(fault);
  });

  test.each([
    [[[1, new Uint8Array(CHUNK)]]],
    [[[0, new Uint8Array(CHUNK - 1)]]],
    [[[-1, new Uint8Array(CHUNK)]]],
    [
      [
        [0, new Uint8Array(CHUNK)],
        [0, new Uint8Array(CHUNK)],
      ],
    ],
  ])('does not load a state that is none', (chunks) => {
    const state = { bytes: 1000, chunks: chunks as [number, Uint8Array][] };
    expect(() => SparseDisk.load(state)).toThrow(expect.objectContaining({ code: 'disk-state' }));
  });
});

describe('a raw image', () => {
  test('is its file, and zeros where the file is shorter', () => {
    const file = memoryFile(Uint8Array.of(1, 2, 3));
    const disk = openRawImage(file, { bytes: 6 });
    const content = new Uint8Array(6);
    disk.read(0, content);
    expect(content).toEqual(Uint8Array.of(1, 2, 3, 0, 0, 0));
    disk.write(4, Uint8Array.of(5));
    disk.read(0, content);
    expect(content).toEqual(Uint8Array.of(1, 2, 3, 0, 5, 0));
    expect(faultOf(() => disk.write(6, Uint8Array.of(1)))).toBe('disk-range');
  });

  test('read-only means it', () => {
    const disk = openRawImage(memoryFile(new Uint8Array(4)), { isReadOnly: true });
    expect(faultOf(() => disk.write(0, Uint8Array.of(1)))).toBe('disk-read-only');
  });
});
