import { HostError } from '@polyvisor/errors/host-error';
import type { GuestKinds } from './kinds/registry.ts';
import { parseSize } from './sizes.ts';
import type { Size } from './sizes.ts';

/** What a user asks for: plain data, the same in a config file, in code and over the control API. */
export interface GuestSpec<K extends keyof GuestKinds = keyof GuestKinds> extends GuestLimits {
  readonly kind: K;
  /** Unique in its host: letters, digits, `-`, `_`, `.`; 63 at most. Default: the kind, numbered when taken. */
  readonly name?: string;
  readonly options: GuestKinds[K]['options'];
}

/** What every kind of guest can be limited by. */
export interface GuestLimits {
  readonly cpu?: {
    /** Share of the CPU relative to other guests, in [0.001, 1000]. Default 1. */
    readonly weight?: number;
    /** Most CPU time, as a fraction of one CPU in [0.001, 1]. Default: no cap. */
    readonly cap?: number;
  };
  /** Most memory that the guest alone may hold. Default 1 GiB. */
  readonly memory?: Size;
  /** Most bytes of durable state. Default 16 GiB. */
  readonly storage?: Size;
  /** What the guest itself may reach. Default `none`. */
  readonly network?: NetworkPolicy;
}

/** `none`: nothing outside the guest. A list: these host names. */
export type NetworkPolicy = 'none' | { readonly allow: readonly string[] };

/** Limits with every default filled in and every range checked. */
export interface ResolvedLimits {
  readonly cpu: { readonly weight: number; readonly cap: number | undefined };
  readonly memoryBytesMax: number;
  readonly storageBytesMax: number;
  readonly network: NetworkPolicy;
}

export const defaultLimits: ResolvedLimits = {
  cpu: { weight: 1, cap: undefined },
  memoryBytesMax: 2 ** 30,
  storageBytesMax: 2 ** 34,
  network: 'none',
};

/** Ranges of the limits, both ends allowed. */
export const limitRanges = {
  weight: { min: 0.001, max: 1000 },
  cap: { min: 0.001, max: 1 },
  memoryBytes: { min: 2 ** 20, max: 2 ** 40 },
  storageBytes: { min: 2 ** 16, max: 2 ** 46 },
} as const;

/**
 * @param where how the user knows the guest (`guests.l1`)
 * @throws HostError `bad-option` naming what, where and the range
 */
export function resolveLimits(limits: GuestLimits, where: string): ResolvedLimits {
  const { weight, cap } = limits.cpu ?? {};
  return {
    cpu: {
      weight: inRange(
        weight ?? defaultLimits.cpu.weight,
        limitRanges.weight,
        `${where}.cpu.weight`,
      ),
      cap: cap === undefined ? undefined : inRange(cap, limitRanges.cap, `${where}.cpu.cap`),
    },
    memoryBytesMax: bytesInRange(
      limits.memory ?? defaultLimits.memoryBytesMax,
      limitRanges.memoryBytes,
      `${where}.memory`,
    ),
    storageBytesMax: bytesInRange(
      limits.storage ?? defaultLimits.storageBytesMax,
      limitRanges.storageBytes,
      `${where}.storage`,
    ),
    network: limits.network ?? defaultLimits.network,
  };
}

/** @throws HostError `bad-name` */
export function checkGuestName(name: string): string {
  if (GUEST_NAME.test(name)) return name;
  throw new HostError(
    'bad-name',
    `'${name}' is not a guest's name`,
    'use 1 to 63 letters, digits, -, _ or ., starting with a letter or digit',
  );
}

export const GUEST_NAME: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** @throws HostError `bad-option` */
export function inRange(value: number, { min, max }: Range, where: string): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw new HostError(
    'bad-option',
    `${where}: ${String(value)} is out of range`,
    `give a number from ${min} to ${max}`,
  );
}

/** @throws HostError `bad-option` */
export function wholeInRange(value: number, range: Range, where: string): number {
  if (Number.isSafeInteger(inRange(value, range, where))) return value;
  throw new HostError('bad-option', `${where}: ${value} is not a whole number`);
}

function bytesInRange(size: Size, range: Range, where: string): number {
  return inRange(parseSize(size, where), range, where);
}
