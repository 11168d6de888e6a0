import type { Boot } from '@polyvisor/board/boot';
import { assert } from '@polyvisor/errors/assert';
import { findImage } from '@polyvisor/images/image-store';
import { homeDirectory } from '../../home-directory.ts';
import type { GuestContext } from '../../instance.ts';
import type { GuestKind } from '../kind.ts';
import { LinuxInstance } from './linux-instance.ts';
import type { LinuxState } from './linux-machine.ts';
import { openMedia, readBoot } from './linux-media.ts';
import { resolveLinuxOptions } from './linux-options.ts';
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
    const boot = (): Boot => readBoot(options);
    return new LinuxInstance(options, { boot, media, files }, context, state);
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
  const { media, files } = openMedia(options, context.limits.storageBytesMax, () =>
    context.clock.unixMs(),
  );
  return new LinuxInstance(options, { boot: () => readBoot(options), media, files }, context);
}
