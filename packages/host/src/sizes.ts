import { HostError } from '@polyvisor/errors/host-error';

/** Bytes: a whole number ≥ 0, or text such as `512KiB`, `256MiB`, `2GiB` (powers of 1024) or `1MB` (of 1000). */
export type Size = number | string;

/**
 * @param where what the size is for, as the user knows it (`guests.l1.memory`)
 * @throws HostError `bad-size`
 */
export function parseSize(size: Size, where: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([KMGT]i?)?B?\s*$/i.exec(String(size));
  const factor = UNIT_BYTES[(match?.[2] ?? '').toLowerCase()];
  const bytes = match && factor !== undefined ? Number(match[1]) * factor : Number.NaN;
  if (!Number.isSafeInteger(bytes)) {
    throw new HostError(
      'bad-size',
      `${where}: '${size}' is not a size in bytes`,
      'write a number of bytes, or text such as 256MiB or 2GiB',
    );
  }
  return bytes;
}

/** `268435456` -> `256 MiB`; at most one decimal. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNIT_NAMES.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || Number.isInteger(value) ? 0 : 1;
  return `${value.toFixed(digits)} ${UNIT_NAMES[unit]}`;
}

const UNIT_NAMES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const UNIT_BYTES: Record<string, number> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};
