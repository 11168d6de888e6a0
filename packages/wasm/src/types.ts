/** Value types of WebAssembly by their binary codes. @see Core Specification 2.0, section 5.3. */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const FUNCREF = 0x70;
export const EXTERNREF = 0x6f;
/** Block type of a block without parameters and results. */
export const EMPTY = 0x40;

export type ValueType =
  | typeof I32
  | typeof I64
  | typeof F32
  | typeof F64
  | typeof V128
  | typeof FUNCREF
  | typeof EXTERNREF;

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Sizes in elements or 64 KiB pages. */
export interface Limits {
  readonly initial: number;
  readonly maximum?: number;
  readonly shared?: boolean;
}
