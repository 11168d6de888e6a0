import { HostError } from '@polyvisor/errors/host-error';

/** @see Linux, Documentation/arch/riscv/boot-image-header.rst */
const HEADER_BYTES = 64;
const TEXT_OFFSET = 8;
const IMAGE_SIZE = 16;
const FLAGS = 24;
const MAGIC2 = 56;
const MAGIC2_VALUE = 0x0543_5352; // "RSC\x05"
const FLAG_BIG_ENDIAN = 1n;

export interface LinuxImage {
  /** Bytes from the beginning of RAM to where the image is to lie, and where it begins. */
  readonly offset: number;
  /**
   * Bytes of memory from there on that the kernel uses before it knows its memory: image and bss.
   */
  readonly byteLength: number;
}

/**
 * Reads the header of an uncompressed kernel `Image`.
 * @throws HostError `kernel-image` if it is none for RISC-V
 */
export function readLinuxImage(image: Uint8Array): LinuxImage {
  if (image.length < HEADER_BYTES) throw bad('is too short for a header');
  const view = new DataView(image.buffer, image.byteOffset, HEADER_BYTES);
  if (view.getUint32(MAGIC2, true) !== MAGIC2_VALUE) {
    if (image[0] === 0x1f && image[1] === 0x8b) throw bad('is compressed', 'unpack it with gunzip');
    throw bad('lacks the mark of a RISC-V kernel', 'give the file `Image` of a riscv64 kernel');
  }
  if ((view.getBigUint64(FLAGS, true) & FLAG_BIG_ENDIAN) !== 0n) throw bad('is big-endian');
  const offset = view.getBigUint64(TEXT_OFFSET, true);
  const byteLength = view.getBigUint64(IMAGE_SIZE, true);
  if (offset >= 2n ** 32n || byteLength >= 2n ** 32n) throw bad('has an impossible header');
  return { offset: Number(offset), byteLength: Math.max(Number(byteLength), image.length) };
}

function bad(why: string, hint?: string): HostError {
  return new HostError('kernel-image', `the kernel image ${why}`, hint);
}
