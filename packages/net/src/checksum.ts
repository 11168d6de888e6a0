/**
 * Sum of 16-bit big-endian words, not folded; an odd last byte is the high half of a word.
 * @param start even distance from where the sum began
 */
export function sumWords(bytes: Uint8Array, initial = 0): number {
  let sum = initial;
  const even = bytes.length & ~1;
  for (let at = 0; at < even; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!;
  if (even < bytes.length) sum += bytes[even]! << 8;
  return sum;
}

/** The internet checksum of a sum: 0 when the summed bytes held a right one. @see RFC 1071 */
export function foldChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  return folded ^ 0xffff;
}

/** Sum of the pseudo header that UDP and TCP put before themselves. */
export function sumPseudoHeader(
  source: number,
  destination: number,
  protocol: number,
  length: number,
): number {
  return (
    (source >>> 16) +
    (source & 0xffff) +
    (destination >>> 16) +
    (destination & 0xffff) +
    protocol +
    length
  );
}
