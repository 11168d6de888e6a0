/** Sequence numbers are 32 bits and wrap; all of those in use lie within 2^31 of each other. @see RFC 9293 3.4 */

export function add(sequence: number, count: number): number {
  return (sequence + count) >>> 0;
}

/** How far `a` is after `b`: negative when it is before. */
export function distance(a: number, b: number): number {
  return (a - b) | 0;
}
