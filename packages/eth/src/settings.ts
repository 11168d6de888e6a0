import { PersistentMap } from '@polyvisor/store/map';

/** When blocks are made. */
export type Mining =
  /** As soon as a transaction can be in one. */
  | { readonly mode: 'instant' }
  /** Every so many seconds, be there transactions or not. */
  | { readonly mode: 'interval'; readonly seconds: number }
  /** On request only. */
  | { readonly mode: 'manual' };

/** What of a chain its user may change while it runs. Part of its state: a snapshot has them too. */
export interface Settings {
  readonly chainId: bigint;
  readonly coinbase: Uint8Array;
  readonly gasLimit: bigint;
  readonly mining: Mining;
  /** How far the chain's clock is ahead of the host's, in seconds. */
  readonly clockOffset: number;
  /** Seconds from each block's timestamp to the next one's, whatever the clock says. */
  readonly timestampInterval: number | undefined;
  /** For the next block only: */
  readonly nextTimestamp: number | undefined;
  readonly nextBaseFee: bigint | undefined;
  readonly nextPrevRandao: Uint8Array | undefined;
  readonly nextBeaconRoot: Uint8Array | undefined;
  /** Addresses (latin1) that may send without a signature. */
  readonly impersonated: PersistentMap<true>;
  readonly impersonatesAll: boolean;
}

export const nextBlockSettings = {
  nextTimestamp: undefined,
  nextBaseFee: undefined,
  nextPrevRandao: undefined,
  nextBeaconRoot: undefined,
} as const satisfies Partial<Settings>;
