/** Writes of a device come in pieces up to 1 MiB; several of them fit. */
const PIECE_BYTES = 4 * 1024 * 1024;

const ALIGNMENT = 8;

/**
 * Memory for blocks that wait for a commit, the same after each: to make it anew for every write costs more than the
 * writes.
 */
export class WaitingRoom {
  readonly #piecesMax: number;
  readonly #pieces: Uint8Array[] = [];
  /** Where the next block goes. */
  #piece = 0;
  #used = 0;

  /** @param bytesMax beyond which memory is made for each write */
  constructor(bytesMax: number) {
    this.#piecesMax = Math.ceil(bytesMax / PIECE_BYTES);
  }

  /** Room that nobody else has until `clear`; there may be anything in it. */
  take(length: number): Uint8Array {
    const bytes = Math.ceil(length / ALIGNMENT) * ALIGNMENT;
    if (this.#used + bytes > PIECE_BYTES) {
      this.#piece++;
      this.#used = 0;
    }
    if (length > PIECE_BYTES || this.#piece >= this.#piecesMax) return new Uint8Array(length);
    const piece = (this.#pieces[this.#piece] ??= new Uint8Array(PIECE_BYTES));
    const at = this.#used;
    this.#used += bytes;
    return piece.subarray(at, at + length);
  }

  /** All that was taken is free again. */
  clear(): void {
    this.#piece = 0;
    this.#used = 0;
  }
}
