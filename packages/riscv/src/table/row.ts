import type { Emitter } from '../emitter.ts';
import type { HartView } from '../hart-view.ts';
import type { FormatName } from './formats.ts';

export type Extension =
  | 'I'
  | 'M'
  | 'A'
  | 'F'
  | 'D'
  | 'C'
  | 'Zicsr'
  | 'Zifencei'
  | 'Zba'
  | 'Zbb'
  | 'Zbs'
  | 'Zicbom'
  | 'Zicboz'
  | 'Sv39';

/** One instruction of 32 bits. Decoder, disassembler, both tiers and the fuzzers come from the rows. */
export interface Row {
  readonly name: string;
  readonly since: Extension;
  readonly format: FormatName;
  /** The word is this instruction if `(word & mask) === match`. */
  readonly mask: number;
  readonly match: number;
  /** Registers of floating point among the operands, as 'rd rs1'; the others are integer registers. */
  readonly floats?: ReadonlySet<RegisterOperand>;
  /** What it does, obvious before fast; the slow path of both tiers, too. */
  readonly evaluate: (m: HartView, o: Operands) => void;
  /** Code that does the same. Without it the instruction is left to `evaluate`. */
  readonly emit?: (e: Emitter) => void;
  /** Whether the next instruction may not be the one behind it. */
  readonly isJump?: boolean;
}

export type RegisterOperand = 'rd' | 'rs1' | 'rs2' | 'rs3';

/** What an instruction's word holds; 0 where it has no such operand. */
export interface Operands {
  readonly rd: number;
  readonly rs1: number;
  readonly rs2: number;
  readonly rs3: number;
  /** Immediate, shift amount, number of a CSR, or the fence's sets. */
  readonly imm: number;
  /** Rounding mode. */
  readonly rm: number;
}

export type Evaluate = Row['evaluate'];
export type Emit = (e: Emitter) => void;
