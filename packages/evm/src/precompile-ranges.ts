import { type Hardfork, isAtLeast } from './hardfork.ts';

/** Ranges of addresses, inclusive, at which a fork has precompiled contracts; `precompiles/` says what they do. */
export function precompileRanges(fork: Hardfork): readonly (readonly [number, number])[] {
  const last = isAtLeast(fork, 'prague')
    ? 0x11
    : isAtLeast(fork, 'cancun')
      ? 0x0a
      : isAtLeast(fork, 'istanbul')
        ? 0x09
        : isAtLeast(fork, 'byzantium')
          ? 0x08
          : 0x04;
  return isAtLeast(fork, 'osaka')
    ? [
        [1, last],
        [0x100, 0x100],
      ]
    : [[1, last]];
}
