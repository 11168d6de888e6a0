/** Decompression is the host's: Node has both natively, a browser may bring its own. */
export interface Decompress {
  /**
   * A raw deflate stream (RFC 1951), which bytes of something else may follow.
   * @throws any error when it is broken or longer than `bytesMax`
   */
  deflateRaw(input: Uint8Array, bytesMax: number): Uint8Array;
  /** One Zstandard frame (RFC 8878), which zeros may follow; errors as above. */
  zstd(input: Uint8Array, bytesMax: number): Uint8Array;
}
