import { inflateRawSync, zstdDecompressSync } from 'node:zlib';
import type { Decompress } from './decompress.ts';

export const nodeDecompress: Decompress = {
  deflateRaw: (input, bytesMax) => inflateRawSync(input, { maxOutputLength: bytesMax }),
  zstd: (input, bytesMax) => zstdDecompressSync(input, { maxOutputLength: bytesMax }),
};
