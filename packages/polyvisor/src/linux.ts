import type { GuestLimits, GuestSpec } from '@polyvisor/host/guest-spec';
import type { LinuxOptions } from '@polyvisor/host/kinds/linux/linux-types';
import { specOf } from './spec-of.ts';

export type { DiskOptions, LinuxOptions } from '@polyvisor/host/kinds/linux/linux-types';

/**
 * A computer that runs Linux, described: what `host.create` and `defineConfig` take. Plain data; nothing runs yet.
 * @example linux({ ram: '1GiB', memory: '2GiB', network: { allow: ['internet'] } })
 */
export function linux(settings: LinuxSettings = {}): GuestSpec<'linux'> {
  return specOf('linux', settings);
}

/** The computer's own options and the limits of any guest, in one object. */
export interface LinuxSettings extends LinuxOptions, GuestLimits {
  readonly name?: string;
}
