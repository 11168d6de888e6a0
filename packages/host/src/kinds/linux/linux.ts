import type { Boot } from '@polyvisor/board/boot';
import { assert } from '@polyvisor/errors/assert';
import { findImage } from '@polyvisor/images/image-store';
import { homeDirectory } from '../../home-directory.ts';
import type { GuestContext } from '../../instance.ts';
import type { GuestKind } from '../kind.ts';
import { HostShares } from './host-shares.ts';
import { LinuxInstance } from './linux-instance.ts';
import type { LinuxMedia } from './linux-instance.ts';
import type { LinuxState } from './linux-machine.ts';
import { openMedia, readBoot } from './linux-media.ts';
import { MemoryDisks } from './memory-disks.ts';
import { resolveLinuxOptions } from './linux-options.ts';
import { StoredDisks } from './stored-disks.ts';
import type { LinuxOptions, ResolvedLinuxOptions } from './linux-types.ts';

/** RISC-V computers. */
export const linuxKind: GuestKind<
  LinuxOptions,
  ResolvedLinuxOptions,
  LinuxState,
  object,
  LinuxInstance
> = {
  resolve: (options, where) =>
    resolveLinuxOptions(options, where, (name) => findImage(homeDirectory(), name)),
  create: async (options, context) => begin(options, context),
  // Its state ended with the host that had it: it boots again.
  load: async (options, _rows, context) => begin(options, context),
  async fork(options, state, context) {
    const { media, files } = state;
    const letGo = files.hold();
    try {
      const disks = await state.disks.open(context.directory);
      return makeInstance(options, { media, files, disks }, context, state);
    } finally {
      letGo();
    }
  },
  forkOptions: (options) => ({
    ...options,
    forwards: options.forwards.map((forward) => ({ ...forward, hostPort: 0 })),
  }),
  loadState(): never {
    assert(false, 'no state of a computer is in a database');
  },
  faces: () => ({}),
};

function begin(options: ResolvedLinuxOptions, context: GuestContext): LinuxInstance {
  const { storageBytesMax } = context.limits;
  const { media, plans, files } = openMedia(options, storageBytesMax, () => context.clock.unixMs());
  const letGo = files.hold();
  try {
    const disks =
      context.directory === undefined || plans.every(({ isReadOnly }) => isReadOnly)
        ? MemoryDisks.begin(plans, storageBytesMax)
        : StoredDisks.open(context.directory, plans, storageBytesMax);
    return makeInstance(options, { media, disks, files }, context);
  } finally {
    letGo();
  }
}

/** Takes over the disks. */
function makeInstance(
  options: ResolvedLinuxOptions,
  media: Omit<LinuxMedia, 'boot' | 'shares'>,
  context: GuestContext,
  state?: LinuxState,
): LinuxInstance {
  const shares = new HostShares(options.shares ?? []);
  const boot = (): Boot => readBoot(options);
  try {
    return new LinuxInstance(options, { boot, shares, ...media }, context, state);
  } catch (error) {
    shares[Symbol.dispose]();
    media.disks.close();
    throw error;
  }
}
