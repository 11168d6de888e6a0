import { readFileSync } from 'node:fs';
import { bytesToBigInt } from '@polyvisor/bytes/bytes';
import { hexToBytes } from '@polyvisor/bytes/hex';

export interface Vector {
  readonly name: string;
  readonly input: string;
  readonly expected: string;
}

interface VectorFile {
  readonly eip2537: Readonly<Record<string, readonly Vector[]>>;
  readonly eip7951: readonly Vector[];
}

export const vectors = JSON.parse(
  readFileSync(new URL('./eip-vectors.json', import.meta.url), 'utf8'),
) as VectorFile;

/** The bytes as big-endian numbers of `size` bytes. */
export function numbersOf(hex: string, size: number): bigint[] {
  const bytes = hexToBytes(hex);
  return Array.from({ length: bytes.length / size }, (_, i) =>
    bytesToBigInt(bytes.subarray(i * size, (i + 1) * size)),
  );
}
