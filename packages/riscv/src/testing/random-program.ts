import { compressedRows } from '../table/compressed.ts';
import { type Instruction, decode } from '../table/decoder.ts';
import type { Extension, Row } from '../table/row.ts';
import { rows } from '../table/rows.ts';
import { interestingNumbers } from './interesting-numbers.ts';
import { randomNumbers } from './random-numbers.ts';
import { encode } from './words.ts';

/**
 * A program of random instructions that any RV64GC machine can run, in user mode or without translation. It runs its
 * code several times, writes all registers to memory now and then, and ends with Linux's `write` of that to descriptor
 * 1 and `exit`.
 *
 *     base    code
 *     data    2 KiB of numbers that are only read · 4 KiB to read and write     x3 stands between
 *     dump    DUMP_BYTES for each time                                           x4 goes through it
 */
export interface RandomProgram {
  readonly base: number;
  readonly image: Uint8Array;
  readonly memoryBytes: number;
  /** An `ecall`, for a trap to end in. */
  readonly trapVector: number;
  readonly dump: number;
  readonly dumpBytes: number;
  /** Random instructions executed. */
  readonly instructions: number;
  /** For the n-th dump, the disassembled code in front of it. */
  readonly blocks: readonly (readonly number[])[];
}

export const BASE = 0x1000_0000;
const DATA = 3;
const DUMP = 4;
const SCRATCH = 5;
/** x0 to x31, f0 to f31, fcsr, and a sum of the memory that is written. */
export const DUMP_BYTES = 8 * 66;
const WRITTEN_BYTES = 1016;
const INSTRUCTIONS_PER_BLOCK = 40;
/** Offsets from x3 of what the program keeps for itself. */
const PASSES_LEFT = 2040;
const CODE_START = 2032;
const DUMP_START = 2024;

const EXCLUDED = new Set([
  'csrrw',
  'ecall',
  'ebreak',
  'fence.i',
  'sret',
  'mret',
  'wfi',
  'sfence.vma',
]);
const EXCLUDED_EXTENSIONS = new Set<Extension>(['Zicbom', 'Zicboz']);

export interface RandomProgramOptions {
  readonly seed: number;
  /** Stretches of instructions with a dump behind each, and how often all of them are run. */
  readonly blockCount: number;
  readonly passes: number;
  /** Which rows it is made of; default: all that it can have. */
  readonly accepts?: (name: string) => boolean;
}

export function randomProgram(options: RandomProgramOptions): RandomProgram {
  const { seed, blockCount, passes, accepts = () => true } = options;
  const next = randomNumbers(seed);
  const code = new StreamWriter(next, accepts);
  code.prologue();
  const start = code.length;
  const blocks: number[][] = [];
  for (let i = 0; i < blockCount; i++) {
    const from = code.words.length;
    for (let k = 0; k < INSTRUCTIONS_PER_BLOCK; k++) code.random();
    blocks.push(code.words.slice(from));
    code.dump();
  }
  code.epilogue();
  const dataStart = Math.ceil(code.length / 4096) * 4096 + 4096;
  const dump = BASE + dataStart + 8192;
  const dumpBytes = passes * blockCount * DUMP_BYTES;
  const image = new Uint8Array(dataStart + 8192);
  code.copyTo(image);
  const view = new DataView(image.buffer);
  for (let i = -2048; i < 2048 - 64; i += 8) {
    view.setBigUint64(dataStart + i, interestingNumbers(next), true);
  }
  view.setBigUint64(dataStart + PASSES_LEFT, BigInt(passes), true);
  view.setBigUint64(dataStart + CODE_START, BigInt(BASE + start), true);
  view.setBigUint64(dataStart + DUMP_START, BigInt(dump), true);
  view.setInt32(dataStart - 4096, encode('ecall'), true);
  code.patchPrologue(view, BASE + dataStart, dump);
  const memoryBytes = Math.ceil((dataStart + 8192 + dumpBytes) / 65_536) * 65_536;
  const instructions = passes * blockCount * INSTRUCTIONS_PER_BLOCK;
  const trapVector = BASE + dataStart - 4096;
  return { base: BASE, image, memoryBytes, trapVector, dump, dumpBytes, instructions, blocks };
}

type Choice = { readonly row: Row } | { readonly compressed: (typeof compressedRows)[number] };

/** Rows that a random program can have. */
export const randomRows: readonly Row[] = rows.filter(
  ({ name, since }) => !EXCLUDED.has(name) && !EXCLUDED_EXTENSIONS.has(since),
);

const choices: readonly Choice[] = [
  ...randomRows.map((row) => ({ row })),
  ...compressedRows
    .filter(({ stands }) => !EXCLUDED.has(stands))
    .map((compressed) => ({ compressed })),
];

class StreamWriter {
  readonly words: number[] = [];
  length = 0;
  readonly #next: () => number;
  readonly #choices: readonly Choice[];

  constructor(next: () => number, accepts: (name: string) => boolean) {
    this.#next = next;
    this.#choices = choices.filter((choice) =>
      accepts('row' in choice ? choice.row.name : choice.compressed.stands),
    );
  }

  /** lui and addi of the two pointers, patched later; then registers from the constants. */
  prologue(): void {
    for (let i = 0; i < 4; i++) this.#put(0x13);
    for (let i = 0; i < 32; i++) {
      if (i !== DATA && i !== DUMP) {
        this.#put(encode('ld', { rd: i, rs1: DATA, imm: -2048 + 8 * (this.#next() % 250) }));
      }
      this.#put(encode('fld', { rd: i, rs1: DATA, imm: -2048 + 8 * (this.#next() % 250) }));
    }
  }

  patchPrologue(view: DataView, data: number, dump: number): void {
    [
      [DATA, data],
      [DUMP, dump],
    ].forEach(([register, address], i) => {
      const upper = (address! + 0x800) & ~0xfff;
      view.setInt32(8 * i, encode('lui', { rd: register!, imm: upper }), true);
      const operands = { rd: register!, rs1: register!, imm: address! - upper };
      view.setInt32(8 * i + 4, encode('addi', operands), true);
    });
  }

  random(): void {
    for (;;) {
      const word = this.#randomWord(this.#choices[this.#next() % this.#choices.length]!);
      const instruction = word === undefined ? undefined : decode(word);
      if (!instruction || !this.#isHarmless(instruction)) continue;
      if (this.#putRandom(word!, instruction)) return;
    }
  }

  dump(): void {
    for (let i = 0; i < 32; i++)
      this.#put(encode('sd', { rs1: DUMP, rs2: i === DUMP ? 0 : i, imm: 8 * i }));
    for (let i = 0; i < 32; i++) this.#put(encode('fsd', { rs1: DUMP, rs2: i, imm: 256 + 8 * i }));
    this.#put(encode('csrrs', { rd: SCRATCH, imm: 3 }));
    this.#put(encode('sd', { rs1: DUMP, rs2: SCRATCH, imm: 512 }));
    this.#sumMemory();
    this.#put(encode('addi', { rd: DUMP, rs1: DUMP, imm: DUMP_BYTES }));
  }

  #sumMemory(): void {
    const [at, end, sum, value] = [5, 6, 7, 8];
    this.#put(encode('addi', { rd: at, rs1: DATA }));
    this.#put(encode('addi', { rd: end, rs1: DATA, imm: WRITTEN_BYTES }));
    this.#put(encode('addi', { rd: sum }));
    this.#put(encode('ld', { rd: value, rs1: at }));
    this.#put(encode('add', { rd: sum, rs1: sum, rs2: value }));
    this.#put(encode('rori', { rd: sum, rs1: sum, imm: 7 }));
    this.#put(encode('addi', { rd: at, rs1: at, imm: 8 }));
    this.#put(encode('blt', { rs1: at, rs2: end, imm: -16 }));
    this.#put(encode('sd', { rs1: DUMP, rs2: sum, imm: 520 }));
    for (const rd of [at, end, sum, value]) this.#put(encode('ld', { rd, rs1: DUMP, imm: 8 * rd }));
  }

  epilogue(): void {
    const [counter, target] = [SCRATCH, SCRATCH + 1];
    this.#put(encode('ld', { rd: counter, rs1: DATA, imm: PASSES_LEFT }));
    this.#put(encode('addi', { rd: counter, rs1: counter, imm: -1 }));
    this.#put(encode('sd', { rs1: DATA, rs2: counter, imm: PASSES_LEFT }));
    this.#put(encode('beq', { rs1: counter, rs2: 0, imm: 12 }));
    this.#put(encode('ld', { rd: target, rs1: DATA, imm: CODE_START }));
    this.#put(encode('jalr', { rd: 0, rs1: target, imm: 0 }));
    this.#put(encode('addi', { rd: 10, imm: 1 }));
    this.#put(encode('ld', { rd: 11, rs1: DATA, imm: DUMP_START }));
    this.#put(encode('sub', { rd: 12, rs1: DUMP, rs2: 11 }));
    this.#put(encode('addi', { rd: 17, imm: 64 }));
    this.#put(encode('ecall'));
    this.#put(encode('addi', { rd: 10, imm: 0 }));
    this.#put(encode('addi', { rd: 17, imm: 93 }));
    this.#put(encode('ecall'));
  }

  copyTo(image: Uint8Array): void {
    let at = 0;
    for (const word of this.words) {
      const length = lengthOf(word);
      for (let i = 0; i < length; i++) image[at++] = word >>> (8 * i);
    }
  }

  #put(word: number): void {
    this.words.push(word);
    this.length += lengthOf(word);
  }

  #randomWord(choice: Choice): number | undefined {
    if ('compressed' in choice) {
      const { mask, match } = choice.compressed;
      return (this.#next() & 0xffff & ~mask) | match;
    }
    const { row } = choice;
    let word = (this.#next() & ~row.mask) | row.match;
    // Rounding modes 5 and 6 are none; the fence's sets are reserved but for two.
    if (row.format.startsWith('float') && ((word >> 12) & 7) >= 5) word |= 7 << 12;
    if (row.format === 'csr' || row.format === 'csrImmediate') word = this.#floatCsr(row, word);
    return word;
  }

  /** Flags may become anything, the mode only one that there is. */
  #floatCsr(row: Row, word: number): number {
    const rd = (word >> 7) & 31;
    const n = this.#next();
    if (row.format === 'csr') return encode(row, { rd, imm: 1 + (n % 3) });
    // Of `fcsr` these are the flags, too.
    if (row.name !== 'csrrwi') return encode(row, { rd, imm: n & 1 ? 1 : 3, rm: (n >>> 1) % 32 });
    return n & 1
      ? encode(row, { rd, imm: 2, rm: (n >>> 1) % 5 })
      : encode(row, { rd, imm: 1, rm: (n >>> 1) % 32 });
  }

  #isHarmless({ row, rd, rs1 }: Instruction): boolean {
    const isPointer = (register: number): boolean => register === DATA || register === DUMP;
    if (isPointer(rd) && !row.floats?.has('rd')) return false;
    if (EXCLUDED.has(row.name)) return false;
    return !isAddressed(row) || (rs1 !== 0 && !isPointer(rs1));
  }

  /** With what it needs in front and behind. */
  #putRandom(word: number, instruction: Instruction): boolean {
    const { row, rs1, imm, length } = instruction;
    if (row.name === 'jalr') return this.#putIndirect(word, instruction);
    if (row.format === 'b' || row.format === 'j') {
      const over = this.#simple();
      const distance = length + lengthOf(over);
      const jump =
        length === 2 ? shortJump(word, distance) : encode(row, { ...instruction, imm: distance });
      this.#put(jump);
      this.#put(over);
      return true;
    }
    if (!isAddressed(row)) {
      this.#put(word);
      return true;
    }
    const isAtomic = row.since === 'A';
    const isWriting = row.format === 's' || row.format === 'amo';
    const place = (this.#next() % 1000) - (isWriting ? 0 : 1000) * (this.#next() & 1);
    const offset = length === 4 && !isAtomic ? imm >> 1 : imm;
    // A store of four bytes never meets a reservation of eight, on which machines differ.
    const base = isAtomic ? (place & ~7) + (row.name.endsWith('.w') ? 4 : 0) : place - offset;
    if (base < -2048 || base > 2047) return false;
    this.#put(encode('addi', { rd: rs1, rs1: DATA, imm: base }));
    this.#put(length === 2 || isAtomic ? word : encode(row, { ...instruction, imm: offset }));
    return true;
  }

  #putIndirect(word: number, { row, rd, rs1, length }: Instruction): boolean {
    if (rs1 === 0 || rs1 === DATA || rs1 === DUMP) return false;
    const over = this.#simple();
    const distance = 8 + length + lengthOf(over);
    this.#put(encode('auipc', { rd: rs1 }));
    this.#put(encode('addi', { rd: rs1, rs1, imm: length === 2 ? distance : 1000 }));
    this.#put(length === 2 ? word : encode(row, { rd, rs1, imm: distance - 1000 }));
    this.#put(over);
    return true;
  }

  /** One instruction without a condition. */
  #simple(): number {
    const rd = 6 + (this.#next() % 26);
    return this.#next() & 1
      ? encode('add', { rd, rs1: this.#next() % 32, rs2: this.#next() % 32 })
      : 0x0085; // c.addi x1, 1
  }
}

function lengthOf(word: number): number {
  return (word & 3) === 3 ? 4 : 2;
}

/** Whether rs1 is the address of an access. */
function isAddressed({ format, since, name }: Row): boolean {
  return since === 'A' || ((format === 'load' || format === 's') && name !== 'jalr');
}

/** c.j, c.beqz or c.bnez over `distance` bytes: 4 or 6. */
function shortJump(word: number, distance: number): number {
  const isUnconditional = word >> 13 === 5;
  const bits = isUnconditional ? ((distance >> 1) & 7) << 3 : ((distance >> 1) & 3) << 3;
  const kept = isUnconditional ? 0xe003 : 0xe383;
  return (word & kept) | bits;
}
