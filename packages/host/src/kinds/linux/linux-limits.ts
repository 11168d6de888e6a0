import type { Range } from '../../guest-spec.ts';

/** What the numbers of `LinuxOptions` may be, both ends allowed. */
export const linuxRanges = {
  ramBytes: { min: 2 ** 24, max: 2 ** 32 - 2 ** 16 },
  /** Blocks of a store have numbers of 32 bits. */
  diskBytes: { min: 2 ** 12, max: 2 ** 44 },
  hostPort: { min: 0, max: 65_535 },
  guestPort: { min: 1, max: 65_535 },
} as const satisfies Record<string, Range>;

/** The image that boots when nothing else is said. */
export const DEFAULT_IMAGE = 'linux';
export const DISKS_MAX = 16;
export const SHARES_MAX = 16;
export const FORWARDS_MAX = 256;
/** As the kernel's own limit. @see Linux, arch/riscv/include/uapi/asm/setup.h, COMMAND_LINE_SIZE */
export const COMMAND_LINE_MAX = 1024;
