/**
 * An operand's place in an instruction word of up to 64 bits, given as two halves of 32. Its bits may lie scattered:
 *
 *     word   31      25 24  20 19  15 14    12 11       8  7     6      0
 *            [imm 12,10:5][ rs2 ][ rs1 ][funct3][imm 4:1][imm 11][opcode]
 */
export interface Field {
  readonly kind: 'register' | 'immediate';
  readonly pieces: readonly Piece[];
  /** Whether the operand's highest bit is a sign. */
  readonly isSigned: boolean;
}

/** Bits [from, from + size) of the word are bits [to, to + size) of the operand. A piece stays in its half. */
export interface Piece {
  readonly from: number;
  readonly size: number;
  readonly to: number;
}

export function register(from: number, size: number): Field {
  return { kind: 'register', pieces: [{ from, size, to: 0 }], isSigned: false };
}

/** An unsigned number. */
export function immediate(...pieces: readonly Piece[]): Field {
  return { kind: 'immediate', pieces, isSigned: false };
}

/** A number in two's complement. */
export function signedImmediate(...pieces: readonly Piece[]): Field {
  return { kind: 'immediate', pieces, isSigned: true };
}

/** The operand: signed as the field says, else in [0, 2^32). */
export function extract(field: Field, low: number, high: number): number {
  let value = 0;
  let bits = 0;
  for (const { from, size, to } of field.pieces) {
    const half = from < 32 ? low : high;
    value |= ((half >>> (from & 31)) & ones(size)) << to;
    bits = Math.max(bits, to + size);
  }
  return field.isSigned ? (value << (32 - bits)) >> (32 - bits) : value >>> 0;
}

/** The bits of the word that the field takes up, as the two halves. */
export function fieldMask(field: Field): readonly [low: number, high: number] {
  let [low, high] = [0, 0];
  for (const { from, size } of field.pieces) {
    const bits = ones(size) << (from & 31);
    if (from < 32) low |= bits;
    else high |= bits;
  }
  return [low, high];
}

function ones(size: number): number {
  return size === 32 ? -1 : (1 << size) - 1;
}
