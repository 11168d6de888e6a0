import { type Field, immediate, register, signedImmediate } from '@polyvisor/isa/field';
import type { Operands } from './row.ts';

/**
 * Where operands lie in a word of 32 bits.
 * @see RISC-V Unprivileged ISA 20240411, section 2.3 and chapter 35
 */
const rd = register(7, 5);
const rs1 = register(15, 5);
const rs2 = register(20, 5);
const rs3 = register(27, 5);
const rm = immediate({ from: 12, size: 3, to: 0 });

/** How an assembler writes the operands, and which field each is. */
export interface Format {
  readonly syntax: string;
  readonly fields: Readonly<Partial<Record<keyof Operands, Field>>>;
}

// oxfmt-ignore
export const formats = {
  none: { syntax: '', fields: {} },
  r: { syntax: 'rd, rs1, rs2', fields: { rd, rs1, rs2 } },
  r2: { syntax: 'rd, rs1', fields: { rd, rs1 } },
  i: { syntax: 'rd, rs1, imm', fields: { rd, rs1, imm: signedImmediate({ from: 20, size: 12, to: 0 }) } },
  load: { syntax: 'rd, imm(rs1)', fields: { rd, rs1, imm: signedImmediate({ from: 20, size: 12, to: 0 }) } },
  shift6: { syntax: 'rd, rs1, imm', fields: { rd, rs1, imm: immediate({ from: 20, size: 6, to: 0 }) } },
  shift5: { syntax: 'rd, rs1, imm', fields: { rd, rs1, imm: immediate({ from: 20, size: 5, to: 0 }) } },
  s: {
    syntax: 'rs2, imm(rs1)',
    fields: { rs1, rs2, imm: signedImmediate({ from: 7, size: 5, to: 0 }, { from: 25, size: 7, to: 5 }) },
  },
  b: {
    syntax: 'rs1, rs2, imm',
    fields: {
      rs1,
      rs2,
      imm: signedImmediate(
        { from: 8, size: 4, to: 1 },
        { from: 25, size: 6, to: 5 },
        { from: 7, size: 1, to: 11 },
        { from: 31, size: 1, to: 12 },
      ),
    },
  },
  u: { syntax: 'rd, imm', fields: { rd, imm: signedImmediate({ from: 12, size: 20, to: 12 }) } },
  j: {
    syntax: 'rd, imm',
    fields: {
      rd,
      imm: signedImmediate(
        { from: 21, size: 10, to: 1 },
        { from: 20, size: 1, to: 11 },
        { from: 12, size: 8, to: 12 },
        { from: 31, size: 1, to: 20 },
      ),
    },
  },
  fence: { syntax: 'imm', fields: { imm: immediate({ from: 20, size: 12, to: 0 }) } },
  amo: { syntax: 'rd, rs2, (rs1)', fields: { rd, rs1, rs2 } },
  lr: { syntax: 'rd, (rs1)', fields: { rd, rs1 } },
  address: { syntax: '(rs1)', fields: { rs1 } },
  pair: { syntax: 'rs1, rs2', fields: { rs1, rs2 } },
  csr: { syntax: 'rd, imm, rs1', fields: { rd, imm: immediate({ from: 20, size: 12, to: 0 }), rs1 } },
  /** `rs1` is a number in [0, 32) here. */
  csrImmediate: {
    syntax: 'rd, imm, rm',
    fields: { rd, imm: immediate({ from: 20, size: 12, to: 0 }), rm: immediate({ from: 15, size: 5, to: 0 }) },
  },
  float: { syntax: 'rd, rs1, rs2, rm', fields: { rd, rs1, rs2, rm } },
  float1: { syntax: 'rd, rs1, rm', fields: { rd, rs1, rm } },
  float3: { syntax: 'rd, rs1, rs2, rs3, rm', fields: { rd, rs1, rs2, rs3, rm } },
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof formats;
