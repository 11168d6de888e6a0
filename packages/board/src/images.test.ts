import { describe, expect, test } from 'vitest';
import { readElf } from './elf.ts';
import { readLinuxImage } from './linux-image.ts';
import { elfOf } from './testing/assembler.ts';

/** A header that says: at 2 MiB, 3 MiB long. */
function image(): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(8, 0x20_0000n, true);
  view.setBigUint64(16, 0x30_0000n, true);
  bytes.set(new TextEncoder().encode('RSC\x05'), 56);
  return bytes;
}
const changed = (file: Uint8Array, at: number, ...bytes: number[]) => {
  file.set(bytes, at);
  return file;
};

describe('a kernel image', () => {
  test('says where it lies and how much it needs', () => {
    expect(readLinuxImage(image())).toEqual({ offset: 0x20_0000, byteLength: 0x30_0000 });
  });

  test.each<[string, Uint8Array, string]>([
    ['of 63 bytes', image().subarray(0, 63), 'too short'],
    ['without the mark', changed(image(), 56, 0), 'lacks the mark'],
    ['compressed', changed(image(), 0, 0x1f, 0x8b).fill(0, 56), 'is compressed'],
    ['big-endian', changed(image(), 24, 1), 'big-endian'],
    ['of an impossible size', changed(image(), 20, 1), 'impossible'],
  ])('%s is refused', (_, file, why) => {
    expect(() => readLinuxImage(file)).toThrow(why);
  });
});

describe('a program', () => {
  const elf = () => elfOf(0x8000_0000, Uint8Array.of(1, 2, 3, 4));

  test('has an entry and segments', () => {
    expect(readElf(elf())).toEqual({
      entry: 0x8000_0000n,
      segments: [{ address: 0x8000_0000, bytes: Uint8Array.of(1, 2, 3, 4), byteLength: 4 }],
    });
  });

  test.each<[string, Uint8Array, string]>([
    ['of 63 bytes', elf().subarray(0, 63), 'too short'],
    ['of another kind', changed(elf(), 0, 0), 'no ELF'],
    ['of 32 bits', changed(elf(), 4, 1), 'not 64-bit'],
    ['for x86', changed(elf(), 18, 62), 'another processor'],
    ['that is relocatable', changed(elf(), 16, 1), 'not an executable'],
    ['cut in its headers', elf().subarray(0, 100), 'ends in its headers'],
    ['cut in its segment', elf().subarray(0, 122), 'ends in a segment'],
    ['with less memory than file', changed(elf(), 104, 3), 'longer than its memory'],
    ['with an offset beyond all numbers', changed(elf(), 79, 0xff), 'impossible offset'],
  ])('%s is refused', (_, file, why) => {
    expect(() => readElf(file)).toThrow(why);
  });
});
