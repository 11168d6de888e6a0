/** `[start, end)` of unit `index` is what a request has `at` bytes from its own start. */
export interface Piece {
  readonly index: number;
  readonly start: number;
  readonly end: number;
  readonly at: number;
}

/** A request for `length` bytes at `offset`, cut where units of `unitBytes` end. */
export function* pieces(offset: number, length: number, unitBytes: number): Generator<Piece> {
  for (let at = 0; at < length;) {
    const start = (offset + at) % unitBytes;
    const end = Math.min(unitBytes, start + length - at);
    yield { index: Math.floor((offset + at) / unitBytes), start, end, at };
    at += end - start;
  }
}
