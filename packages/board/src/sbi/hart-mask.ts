/**
 * Whether a mask of harts, whose bit 0 is hart `base`, is one of harts that exist: hart 0 alone, as
 * long as the board has one. A base of -1 means all of them. @see RISC-V SBI 2.0, section 3.1,
 * "Hart list parameter"
 */
export function selectsHart(mask: bigint, base: bigint): boolean {
  return base === ALL || (base === 0n && mask === 1n) || (mask === 0n && base === 0n);
}

const ALL = 2n ** 64n - 1n;
