import fc from 'fast-check';
import { expect, test } from 'vitest';
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
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const disks = [new MemoryOverlay(makeBase())];
      const models = [baseContent.slice()];
      for (const { disk, offset, length, value, isFork } of steps) {
        const at = disk % disks.length;
        if (isFork && disks.length < 5) {
          disks.push(disks[at]!.fork());
          models.push(models[at]!.slice());
        } else {
          const bytes = new Uint8Array(Math.min(length, BYTES - offset)).fill(value);
          disks[at]!.write(offset, bytes);
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
