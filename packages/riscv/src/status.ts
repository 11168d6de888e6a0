/**
 * Bits of `mstatus`, `mip`, `menvcfg` and `satp`, and numbers of exceptions.
 * @see RISC-V Privileged ISA 20240411, sections 3.1.6, 3.1.9, 3.1.15, 3.1.18 and 12.1.11
 */
export const SIE = 1 << 1;
export const MIE = 1 << 3;
export const SPIE = 1 << 5;
export const MPIE = 1 << 7;
export const SPP = 1 << 8;
export const MPP_SHIFT = 11;
export const MPP = 3 << MPP_SHIFT;
/** Floating-point state: off, initial, clean, dirty. */
export const FS_MASK = 3 << 13;
export const MPRV = 1 << 17;
export const SUM = 1 << 18;
export const MXR = 1 << 19;
export const TVM = 1 << 20;
export const TW = 1 << 21;
export const TSR = 1 << 22;
/** U and S mode have 64 bits. */
export const UXL_64 = 2n << 32n;
export const SXL_64 = 2n << 34n;
/** What of `mstatus` is `sstatus`. */
export const STATUS_S = SIE | SPIE | SPP | FS_MASK | SUM | MXR;
/** Some state is dirty. */
export const SD = 1n << 63n;

export const SSIP = 1 << 1;
export const MSIP = 1 << 3;
export const STIP = 1 << 5;
export const MTIP = 1 << 7;
export const SEIP = 1 << 9;
export const MEIP = 1 << 11;
export const S_INTERRUPTS = SSIP | STIP | SEIP;

/** Bits of `menvcfg`; those of `senvcfg` are the first three. */
export const CBIE = 3n << 4n;
export const CBCFE = 1n << 6n;
export const CBZE = 1n << 7n;
/** Accessed and dirty bits are set by the hart (Svadu). */
export const ADUE = 1n << 61n;
/** `stimecmp` is there for S mode (Sstc). */
export const STCE = 1n << 63n;

export const USER = 0;
export const SUPERVISOR = 1;
export const MACHINE = 3;
export type Privilege = typeof USER | typeof SUPERVISOR | typeof MACHINE;

export const ILLEGAL_INSTRUCTION = 2;
export const LOAD_MISALIGNED = 4;
export const STORE_MISALIGNED = 6;
export const ECALL_FROM_U = 8;
export const ECALL_FROM_S = 9;
export const ECALL_FROM_M = 11;

/** How memory is accessed, and the exceptions where that fails. */
export const accesses = {
  execute: { accessFault: 1, pageFault: 12 },
  read: { accessFault: 5, pageFault: 13 },
  write: { accessFault: 7, pageFault: 15 },
} as const;
export type Access = keyof typeof accesses;
