import type { GuestLimits, GuestSpec } from '@polyvisor/host/guest-spec';
import type { GuestKinds } from '@polyvisor/host/kinds/registry';

/** What a kind's own function takes: its options and the limits of any guest, in one object. */
export type Settings<K extends keyof GuestKinds> = GuestKinds[K]['options'] &
  GuestLimits & { readonly name?: string };

/** Parts the limits of any guest from the options of its kind. */
export function specOf<K extends keyof GuestKinds>(kind: K, settings: Settings<K>): GuestSpec<K> {
  const { name, cpu, memory, storage, network, ...options } = settings;
  return {
    kind,
    ...(name === undefined ? {} : { name }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
    ...(storage === undefined ? {} : { storage }),
    ...(network === undefined ? {} : { network }),
    // What is left is the kind's own.
    options: options as GuestKinds[K]['options'],
  };
}
