import { bytesToHex } from '@polyvisor/bytes/hex';
import { differenceOfTiers } from '@polyvisor/evm/testing/tiers';
import type { Fuzz } from './fuzz.ts';

/** Random programs, interpreted and compiled, in slices of any size: all that can be seen of them must be equal. */
export const fuzz: Fuzz = {
  summary: 'random programs, interpreted and compiled',
  run: async ({ seed, n }) => {
    const counts: Record<string, number> = {};
    for (let i = 0; i < n; i++) {
      const { status, difference } = differenceOfTiers(seed + i);
      if (difference !== undefined) {
        throw new Error(
          `case ${i} (--seed ${seed + i} --n 1): ${difference.what}\n code ${bytesToHex(difference.code)}` +
            `\n other ${bytesToHex(difference.other)}`,
        );
      }
      counts[status] = (counts[status] ?? 0) + 1;
    }
    return counts;
  },
};
