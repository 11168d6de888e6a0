/** Blocks that each round of the writer writes. */
export const BLOCK_COUNT = 64;

/** What a round writes to a block: its number, then bytes that only this round and block have. */
export function blockOf(round: number, block: number, blockBytes: number): Uint8Array {
  const words = new Uint32Array(blockBytes / 4);
  words[0] = round;
  let state = round * BLOCK_COUNT + block + 1;
  for (let index = 1; index < words.length; index++) {
    state = Math.imul(state, 0x9e37_79b1) ^ (state >>> 15);
    words[index] = state;
  }
  return new Uint8Array(words.buffer);
}

export function roundIn(content: Uint8Array): number {
  return new Uint32Array(content.buffer, content.byteOffset, 1)[0]!;
}
