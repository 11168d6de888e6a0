/** What an image from outside may cost to read. */
export interface ImageLimits {
  /** Bytes of one archive, layer or file after decompression. */
  readonly unpackedBytesMax: number;
  /** Files of one archive. */
  readonly entriesMax: number;
  readonly layersMax: number;
}

export const IMAGE_LIMITS: ImageLimits = {
  unpackedBytesMax: 8 * 1024 ** 3,
  entriesMax: 2_000_000,
  layersMax: 256,
};
