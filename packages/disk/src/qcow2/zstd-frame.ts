const MAGIC = 0xfd2f_b528;
/** Bytes of the frame content size by its flag; with flag 0 it's a byte in single segments only. */
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
const BLOCK_RLE = 1;

/**
 * Length of the Zstandard frame that `input` begins with; undefined where none does or it is cut short. Compressed
 * clusters lie one after the other without a length, and a decoder would go on with the next one.
 * @see RFC 8878, section 3.1.1
 */
export function zstdFrameBytes(input: Uint8Array): number | undefined {
  if (input.length < 5) return undefined;
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  if (view.getUint32(0, true) !== MAGIC) return undefined;
  const descriptor = view.getUint8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 4) !== 0;
  const contentSizeBytes = CONTENT_SIZE_BYTES[descriptor >> 6]!;
  let at = 5 + DICTIONARY_BYTES[descriptor & 3]!;
  // A window descriptor, or the one-byte size: exactly one byte but for a single segment with a longer size.
  at += contentSizeBytes + (isSingleSegment && contentSizeBytes > 0 ? 0 : 1);
  let isLast = false;
  while (!isLast) {
    if (at + 3 > input.length) return undefined;
    const block = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    isLast = (block & 1) !== 0;
    at += 3 + (((block >> 1) & 3) === BLOCK_RLE ? 1 : block >> 3);
  }
  at += hasChecksum ? 4 : 0;
  return at <= input.length ? at : undefined;
}
