/** The hardforks of Ethereum's mainnet that change execution, in order. BPO forks change only the blob schedule. */
export const hardforks = [
  'frontier',
  'homestead',
  'tangerineWhistle',
  'spuriousDragon',
  'byzantium',
  'constantinople',
  'petersburg',
  'istanbul',
  'berlin',
  'london',
  'paris',
  'shanghai',
  'cancun',
  'prague',
  'osaka',
  'bpo1',
  'bpo2',
  'bpo3',
  'bpo4',
] as const;

export type Hardfork = (typeof hardforks)[number];

/** Whether `fork` has the rules that came with `since`. */
export function isAtLeast(fork: Hardfork, since: Hardfork): boolean {
  return hardforks.indexOf(fork) >= hardforks.indexOf(since);
}
