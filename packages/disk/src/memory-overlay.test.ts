import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BlankDisk } from './block-device.ts';
import type { BlockDevice } from './block-device.ts';
import { memoryFile } from './file-door.ts';
import { MemoryOverlay } from './memory-overlay.ts';
import { openRawImage } from './raw-image.ts';

const SEED = 20_261_125;
const BYTES = 5 * 4096 + 512;
const code = (name: string): unknown => expect.objectContaining({ code: name });

const baseContent = Uint8Array.from({ length: BYTES }, (_, i) => 1 + (i % 251));
const makeBase = (): BlockDevice => openRawImage(memoryFile(baseContent), { isReadOnly: true });

function contentOf(disk: BlockDevice): Uint8Array {
  const content = new Uint8Array(disk.bytes);
  disk.read(0, content);
  return content;
}

test(`any writes to overlays and their forks are as those to arrays (seed ${SEED})`, () => {
  const step = fc.record({
    disk: fc.nat(7),
    offset: fc.nat(BYTES - 1),
    length: fc.nat(9000),
    value: fc.nat(255),
    isFork: fc.boolean(),
    isZero: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const disks = [new MemoryOverlay(makeBase())];
      const models = [baseContent.slice()];
      for (const { disk, offset, length, value, isFork, isZero } of steps) {
        const at = disk % disks.length;
        if (isFork && disks.length < 5) {
          disks.push(disks[at]!.fork());
          models.push(models[at]!.slice());
        } else {
          const count = Math.min(length, BYTES - offset);
          const bytes = new Uint8Array(count).fill(isZero ? 0 : value);
          if (isZero) disks[at]!.zero(offset, count);
          else disks[at]!.write(offset, bytes);
          models[at]!.set(bytes, offset);
        }
      }
      expect(disks.map(contentOf)).toEqual(models);
    }),
    { seed: SEED },
  );
});

test('a write without room changes nothing; what is held already may change', () => {
  const disk = new MemoryOverlay(makeBase(), { heldBytesMax: 2 * 4096 });
  disk.write(0, new Uint8Array(8192));
  expect(() => disk.write(8191, new Uint8Array(2).fill(9))).toThrow(code('disk-quota'));
  expect(contentOf(disk)[8191]).toBe(0);
  disk.write(0, new Uint8Array(8192).fill(7));
  expect(disk.heldBytes).toBe(8192);
});

test('a whole block that is discarded gives its room back', () => {
  const disk = new MemoryOverlay(makeBase(), { heldBytesMax: 4096 });
  disk.write(0, new Uint8Array(4096));
  disk.discard(0, 4096);
  expect(disk.heldBytes).toBe(0);
  disk.write(4096, new Uint8Array(4096));
});

test('a read-only overlay takes no writes, nor do its forks', () => {
  const disk = new MemoryOverlay(makeBase(), { isReadOnly: true }).fork();
  expect(() => disk.write(0, Uint8Array.of(1))).toThrow(code('disk-read-only'));
});

test('a request outside is refused', () => {
  const disk = new MemoryOverlay(makeBase());
  expect(() => disk.write(BYTES, Uint8Array.of(1))).toThrow(code('disk-range'));
  expect(() => disk.read(BYTES - 1, new Uint8Array(2))).toThrow(code('disk-range'));
});

test('a blank disk that is zeroed holds nothing; one over an image holds that it is zeros', () => {
  const blank = new MemoryOverlay(new BlankDisk(BYTES));
  blank.write(0, new Uint8Array(8192).fill(1));
  blank.zero(0, 4096);
  blank.zero(4096, 1);
  blank.zero(3 * 4096, 1);
  expect(blank.heldBytes).toBe(4096);
  expect(contentOf(blank).subarray(4095, 4098)).toEqual(Uint8Array.of(0, 0, 1));
  const disk = new MemoryOverlay(makeBase(), { heldBytesMax: 4096 });
  disk.zero(0, 4096);
  expect(contentOf(disk)[0]).toBe(0);
  expect(() => disk.zero(4096, 4096)).toThrow(code('disk-quota'));
});

test('a disk that is larger than its base has zeros behind it', () => {
  const disk = new MemoryOverlay(makeBase(), { bytes: BYTES + 4096 });
  disk.write(BYTES + 100, Uint8Array.of(9));
  const content = contentOf(disk);
  expect(content.subarray(0, BYTES)).toEqual(baseContent);
  expect([content[BYTES], content[BYTES + 100], content.length]).toEqual([0, 9, BYTES + 4096]);
});
