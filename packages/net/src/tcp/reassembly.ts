import { distance } from './sequence.ts';

/** Segments kept at most: a sender that makes holes on purpose pays with its own throughput. */
const PIECES_MAX = 256;

interface Piece {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/** What came before its turn, in order; pieces may overlap. */
export class Reassembly {
  #pieces: Piece[] = [];

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** Keeps a copy. */
  add(sequence: number, bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#pieces.length >= PIECES_MAX) return;
    let index = this.#pieces.length;
    while (index > 0 && distance(sequence, this.#pieces[index - 1]!.sequence) < 0) index--;
    const before = this.#pieces[index - 1];
    // A piece sent again.
    if (before && distance(sequence + bytes.length, before.sequence + before.bytes.length) <= 0) {
      return;
    }
    this.#pieces.splice(index, 0, { sequence, bytes: bytes.slice() });
  }

  /** Takes the bytes that follow at `sequence`; undefined when they aren't there yet. */
  take(sequence: number): Uint8Array | undefined {
    for (;;) {
      const first = this.#pieces[0];
      if (!first || distance(first.sequence, sequence) > 0) return undefined;
      this.#pieces.shift();
      const rest = first.bytes.subarray(distance(sequence, first.sequence));
      if (rest.length > 0) return rest;
    }
  }
}
