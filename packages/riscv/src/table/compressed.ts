import {
  type Field,
  type Piece,
  extract,
  immediate,
  register,
  signedImmediate,
} from '@polyvisor/isa/field';
import type { Operands } from './row.ts';

/**
 * The "C" extension: each instruction of 16 bits stands for one of 32, and means what that one does.
 * @see RISC-V Unprivileged ISA 20240411, chapter 27
 */
export interface CompressedRow {
  readonly name: string;
  readonly mask: number;
  readonly match: number;
  /** Name of the instruction that it stands for. */
  readonly stands: string;
  /** The operands of that one; undefined where the word is reserved or another row's. */
  readonly operands: (word: number) => Partial<Operands> | undefined;
}

const SP = 2;
const RA = 1;

const piece = (from: number, size: number, to: number): Piece => ({ from, size, to });
const read = (field: Field) => (word: number) => extract(field, word, 0);

/** Full registers, and the eight that three bits name: x8 to x15. */
const rd = read(register(7, 5));
const rs2 = read(register(2, 5));
const low = (from: number) => (word: number) => 8 + ((word >> from) & 7);
const rdLow = low(2);
const rs1Low = low(7);

const imm6 = read(signedImmediate(piece(2, 5, 0), piece(12, 1, 5)));
const shamt = read(immediate(piece(2, 5, 0), piece(12, 1, 5)));
const addi4spn = read(immediate(piece(6, 1, 2), piece(5, 1, 3), piece(11, 2, 4), piece(7, 4, 6)));
const addi16sp = read(
  signedImmediate(piece(6, 1, 4), piece(2, 1, 5), piece(5, 1, 6), piece(3, 2, 7), piece(12, 1, 9)),
);
const lui = read(signedImmediate(piece(2, 5, 12), piece(12, 1, 17)));
const word4 = read(immediate(piece(6, 1, 2), piece(10, 3, 3), piece(5, 1, 6)));
const word8 = read(immediate(piece(10, 3, 3), piece(5, 2, 6)));
const loadSp4 = read(immediate(piece(4, 3, 2), piece(12, 1, 5), piece(2, 2, 6)));
const loadSp8 = read(immediate(piece(5, 2, 3), piece(12, 1, 5), piece(2, 3, 6)));
const storeSp4 = read(immediate(piece(9, 4, 2), piece(7, 2, 6)));
const storeSp8 = read(immediate(piece(10, 3, 3), piece(7, 3, 6)));
const jump = read(
  signedImmediate(
    piece(3, 3, 1),
    piece(11, 1, 4),
    piece(2, 1, 5),
    piece(7, 1, 6),
    piece(6, 1, 7),
    piece(9, 2, 8),
    piece(8, 1, 10),
    piece(12, 1, 11),
  ),
);
const branch = read(
  signedImmediate(piece(3, 2, 1), piece(10, 2, 3), piece(2, 1, 5), piece(5, 2, 6), piece(12, 1, 8)),
);

/** By quadrant (bits 1:0) and funct3 (bits 15:13). */
function row(
  name: string,
  quadrant: number,
  funct3: number,
  stands: string,
  operands: CompressedRow['operands'],
  mask = 0xe003,
  match = 0,
): CompressedRow {
  return { name, mask, match: (funct3 << 13) | quadrant | match, stands, operands };
}

type Read = (word: number) => number;

const loadLow = (imm: Read) => (w: number) => ({ rd: rdLow(w), rs1: rs1Low(w), imm: imm(w) });
const storeLow = (imm: Read) => (w: number) => ({ rs2: rdLow(w), rs1: rs1Low(w), imm: imm(w) });
const storeSp = (imm: Read) => (w: number) => ({ rs2: rs2(w), rs1: SP, imm: imm(w) });
const loadSp = (imm: Read) => (w: number) => ({ rd: rd(w), rs1: SP, imm: imm(w) });
/** `rd` 0 is reserved. */
const loadSpNotZero = (imm: Read) => (w: number) => (rd(w) === 0 ? undefined : loadSp(imm)(w));
const both = (w: number) => ({ rd: rs1Low(w), rs1: rs1Low(w), rs2: rdLow(w) });
const shifted = (w: number) => ({ rd: rs1Low(w), rs1: rs1Low(w), imm: shamt(w) });

// oxfmt-ignore
export const compressedRows: readonly CompressedRow[] = [
  row('c.addi4spn', 0, 0, 'addi', (w) => (addi4spn(w) === 0 ? undefined : { rd: rdLow(w), rs1: SP, imm: addi4spn(w) })),
  row('c.fld', 0, 1, 'fld', loadLow(word8)),
  row('c.lw',  0, 2, 'lw',  loadLow(word4)),
  row('c.ld',  0, 3, 'ld',  loadLow(word8)),
  row('c.fsd', 0, 5, 'fsd', storeLow(word8)),
  row('c.sw',  0, 6, 'sw',  storeLow(word4)),
  row('c.sd',  0, 7, 'sd',  storeLow(word8)),
  row('c.addi',  1, 0, 'addi',  (w) => ({ rd: rd(w), rs1: rd(w), imm: imm6(w) })),
  row('c.addiw', 1, 1, 'addiw', (w) => (rd(w) === 0 ? undefined : { rd: rd(w), rs1: rd(w), imm: imm6(w) })),
  row('c.li',    1, 2, 'addi',  (w) => ({ rd: rd(w), rs1: 0, imm: imm6(w) })),
  row('c.addi16sp', 1, 3, 'addi', 
    (w) => (addi16sp(w) === 0 ? undefined : { rd: SP, rs1: SP, imm: addi16sp(w) }), 0xef83, SP << 7),
  row('c.lui',   1, 3, 'lui',   (w) => (rd(w) === SP || lui(w) === 0 ? undefined : { rd: rd(w), imm: lui(w) })),
  row('c.srli',  1, 4, 'srli',  shifted, 0xec03, 0x0000),
  row('c.srai',  1, 4, 'srai',  shifted, 0xec03, 0x0400),
  row('c.andi',  1, 4, 'andi',  (w) => ({ rd: rs1Low(w), rs1: rs1Low(w), imm: imm6(w) }), 0xec03, 0x0800),
  row('c.sub',   1, 4, 'sub',   both, 0xfc63, 0x0c00),
  row('c.xor',   1, 4, 'xor',   both, 0xfc63, 0x0c20),
  row('c.or',    1, 4, 'or',    both, 0xfc63, 0x0c40),
  row('c.and',   1, 4, 'and',   both, 0xfc63, 0x0c60),
  row('c.subw',  1, 4, 'subw',  both, 0xfc63, 0x1c00),
  row('c.addw',  1, 4, 'addw',  both, 0xfc63, 0x1c20),
  row('c.j',     1, 5, 'jal',   (w) => ({ rd: 0, imm: jump(w) })),
  row('c.beqz',  1, 6, 'beq',   (w) => ({ rs1: rs1Low(w), rs2: 0, imm: branch(w) })),
  row('c.bnez',  1, 7, 'bne',   (w) => ({ rs1: rs1Low(w), rs2: 0, imm: branch(w) })),
  row('c.slli',  2, 0, 'slli',  (w) => ({ rd: rd(w), rs1: rd(w), imm: shamt(w) })),
  row('c.fldsp', 2, 1, 'fld',   loadSp(loadSp8)),
  row('c.lwsp',  2, 2, 'lw',    loadSpNotZero(loadSp4)),
  row('c.ldsp',  2, 3, 'ld',    loadSpNotZero(loadSp8)),
  row('c.jr',    2, 4, 'jalr',  (w) => (rd(w) === 0 ? undefined : { rd: 0, rs1: rd(w) }), 0xf07f),
  row('c.mv',    2, 4, 'add',   (w) => (rs2(w) === 0 ? undefined : { rd: rd(w), rs1: 0, rs2: rs2(w) }), 0xf003),
  row('c.ebreak', 2, 4, 'ebreak', () => ({}), 0xffff, 0x1000),
  row('c.jalr',  2, 4, 'jalr',  (w) => (rd(w) === 0 ? undefined : { rd: RA, rs1: rd(w) }), 0xf07f, 0x1000),
  row('c.add',   2, 4, 'add',
    (w) => (rs2(w) === 0 ? undefined : { rd: rd(w), rs1: rd(w), rs2: rs2(w) }), 0xf003, 0x1000),
  row('c.fsdsp', 2, 5, 'fsd',   storeSp(storeSp8)),
  row('c.swsp',  2, 6, 'sw',    storeSp(storeSp4)),
  row('c.sdsp',  2, 7, 'sd',    storeSp(storeSp8)),
];
