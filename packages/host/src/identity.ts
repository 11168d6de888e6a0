/** Names that the host gives: short, lower-case, safe in a path and in a shell. Entropy comes from the caller. */

/** `length` characters of [a-z2-7], 5 bits each. */
export function randomName(entropy: (length: number) => Uint8Array, length: number): string {
  let name = '';
  for (const byte of entropy(length)) name += ALPHABET[byte & 31];
  return name;
}

/** `wanted` itself, or `wanted-2`, `wanted-3`, …: the first that is not taken. */
export function firstFreeName(wanted: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(wanted)) return wanted;
  for (let number = 2; ; number++) {
    const name = `${wanted}-${number}`;
    if (!isTaken(name)) return name;
  }
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
