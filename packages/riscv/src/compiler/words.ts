import type { Expression } from '@polyvisor/wasm/assembler';
import type { PlainInstruction } from '@polyvisor/wasm/instructions';
import type { Emitter } from '../emitter.ts';
import type { PlacedInstruction } from './region.ts';

/** An emitter that has any integer register. */
export interface RegisterEmitter extends Emitter {
  integer(register: number): Expression;
}

/** What rd holds is a number of 32 bits, extended by its sign. */
const givesWord = new Set(
  (
    'addw subw sllw srlw sraw addiw slliw srliw sraiw mulw divw divuw remw remuw rolw rorw roriw ' +
    'lb lh lw lbu lhu lui slt sltu slti sltiu'
  ).split(' '),
);

/** On words, these give a word; code on 32 bits needs no extension in between. */
const onWords: Readonly<Record<string, PlainInstruction>> = {
  and: 'i32.and',
  or: 'i32.or',
  xor: 'i32.xor',
};
const onWordAndImmediate: Readonly<Record<string, PlainInstruction>> = {
  andi: 'i32.and',
  ori: 'i32.or',
  xori: 'i32.xor',
};

/** By name: bits of what is shifted, and whether to the left. */
const shifts: Readonly<Record<string, readonly [bits: 32 | 64, isLeft: boolean]>> = {
  slliw: [32, true],
  srliw: [32, false],
  slli: [64, true],
  srli: [64, false],
};
/** What joins the halves of a rotation, by its bits. */
const joins: Readonly<Record<number, ReadonlySet<string>>> = {
  32: new Set(['or', 'xor', 'addw']),
  64: new Set(['or', 'xor', 'add']),
};

/** A register that holds what another one does, shifted. */
interface Shifted {
  readonly source: number;
  readonly bits: 32 | 64;
  readonly isLeft: boolean;
  /** By how much it is the one half of a rotation to the left. */
  readonly left: number;
}

/**
 * What is known of integer registers in a block: which hold words, and which hold one half of a rotation. RV64GC has
 * neither rotations nor logic on words; compilers write them as several instructions.
 */
export class Words {
  readonly #isWord = new Set<number>([0]);
  readonly #shifted = new Map<number, Shifted>();

  /** Emits what does the same in fewer steps. @returns whether there was such */
  emit(e: RegisterEmitter, instruction: PlacedInstruction): boolean {
    const { row, rs1, rs2, imm } = instruction;
    const { name } = row;
    const word = (value: Expression) => e.op('i32.wrap_i64', value);
    if (name === 'addiw' && imm === 0 && this.#isWord.has(rs1)) {
      e.write(e.rs1);
      return true;
    }
    const rotated = row.format === 'r' ? this.#rotated(e, instruction) : undefined;
    if (rotated !== undefined) {
      e.write(rotated);
      return true;
    }
    const isOfWords = this.#isWord.has(rs1) && (row.format === 'i' || this.#isWord.has(rs2));
    if (!isOfWords) return false;
    const operation = onWords[name] ?? onWordAndImmediate[name];
    if (operation === undefined) return false;
    const other = row.format === 'i' ? imm : word(e.rs2);
    e.write(e.op('i64.extend_i32_s', e.op(operation, word(e.rs1), other)));
    return true;
  }

  /** What is known behind an instruction. @param isSure whether rd is written, and not only perhaps */
  learn(instruction: PlacedInstruction, isSure: boolean): void {
    const { row, rd, rs1, imm } = instruction;
    const writes = row.format !== 'b' && row.format !== 's' && !row.floats?.has('rd');
    if (!writes || rd === 0) return;
    const isWord = this.#givesWord(instruction) && (isSure || this.#isWord.has(rd));
    this.#isWord.delete(rd);
    if (isWord) this.#isWord.add(rd);
    this.#shifted.delete(rd);
    for (const [register, { source }] of this.#shifted) {
      if (source === rd) this.#shifted.delete(register);
    }
    const shift = shifts[row.name];
    if (!shift || !isSure || rs1 === rd || rs1 === 0) return;
    const [bits, isLeft] = shift;
    this.#shifted.set(rd, { source: rs1, bits, isLeft, left: isLeft ? imm : bits - imm });
  }

  #rotated(e: RegisterEmitter, { row, rs1, rs2 }: PlacedInstruction): Expression | undefined {
    const first = this.#shifted.get(rs1);
    const second = this.#shifted.get(rs2);
    if (!first || !second || first.isLeft === second.isLeft || first.bits !== second.bits) {
      return undefined;
    }
    const { source, bits, left } = first;
    if (source !== second.source || left !== second.left) return undefined;
    if (!joins[bits]!.has(row.name)) return undefined;
    const value = e.integer(source);
    if (bits === 64) return e.op('i64.rotl', value, BigInt(left));
    return e.op('i64.extend_i32_s', e.op('i32.rotl', e.op('i32.wrap_i64', value), left));
  }

  #givesWord({ row, rs1, rs2, imm }: PlacedInstruction): boolean {
    const { name } = row;
    if (givesWord.has(name)) return true;
    if (name === 'andi') return imm >= 0 || this.#isWord.has(rs1);
    if (name in onWordAndImmediate) return this.#isWord.has(rs1);
    if (name === 'addi') return rs1 === 0 || (imm === 0 && this.#isWord.has(rs1));
    const isBoth = this.#isWord.has(rs1) && this.#isWord.has(rs2);
    if (name in onWords) return isBoth;
    return name === 'add' && isBoth && (rs1 === 0 || rs2 === 0);
  }
}
