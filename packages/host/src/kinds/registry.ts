import type { Guest } from '../guest.ts';
import type { EvmFaces, EvmOptions } from './evm-types.ts';
import type { GuestKind } from './kind.ts';
import type { LinuxOptions } from './linux/linux-types.ts';

/** What each kind of guest is asked for with, and what `host.create` gives back. A new kind is a row here and below. */
export interface GuestKinds {
  evm: { readonly options: EvmOptions; readonly guest: Guest & EvmFaces };
  linux: { readonly options: LinuxOptions; readonly guest: Guest };
}

/** A kind as the host sees it: what is inside its options and states is the kind's own business. */
export type AnyGuestKind = GuestKind<unknown, unknown, unknown, object>;

/** Each kind is loaded when the first guest of it is made. */
export const guestKinds: Record<keyof GuestKinds, () => Promise<AnyGuestKind>> = {
  evm: async () => (await import('./evm.ts')).evmKind,
  linux: async () => (await import('./linux/linux.ts')).linuxKind,
};
