import { codePlace } from './csr-numbers.ts';
import { ILLEGAL, operationOf } from './interpreter.ts';
import * as at from './layout.ts';
import { decode, isCompressed } from './table/decoder.ts';

/** Words of 32 bits of a decoded instruction's record. */
const WORDS = at.RECORD_BYTES / 4;
const ENTRIES = 1 << 14;

/** Records of words that were decoded before; a word has one place. The first word's is never 0: no record's is. */
const words = new Int32Array(ENTRIES);
const records = new Int32Array(ENTRIES * WORDS);
/** Whether the instruction behind is sure to be run next, or the word was none. */
const isEnd = new Uint8Array(ENTRIES);
const scratch = new DataView(new ArrayBuffer(at.RECORD_BYTES));

/**
 * Writes the record of the instruction in the low 16 or all 32 bits.
 * @param place in the engine's memory, in words of 32 bits
 * @returns whether the instruction behind is sure to be run next
 */
export function writeRecord(word: number, to: Int32Array, place: number): boolean {
  const entry = Math.imul(word, 0x9e37_79b1) >>> 18;
  if (words[entry] !== word || records[entry * WORDS] === 0) fill(entry, word);
  for (let i = 0; i < WORDS; i++) to[place + i] = records[entry * WORDS + i]!;
  return isEnd[entry] === 0;
}

function fill(entry: number, word: number): void {
  const instruction = decode(word);
  for (let i = 0; i < WORDS; i++) scratch.setInt32(4 * i, 0);
  scratch.setUint8(at.RECORD_STEP, (isCompressed(word) ? 2 : 4) << 3);
  if (instruction) {
    const { row, rd, rs1, rs2, rs3, imm, rm } = instruction;
    const put = (offset: number, value: number): void => scratch.setUint16(offset, value, true);
    const source = (name: 'rs1' | 'rs2' | 'rs3', register: number): number =>
      8 * register + (row.floats?.has(name) ? at.F : at.X);
    const isFloat = row.floats?.has('rd') ?? false;
    put(0, operationOf(row));
    scratch.setUint8(at.RECORD_RM, rm);
    put(at.RECORD_RD, isFloat ? at.F + 8 * rd : rd === 0 ? at.SINK : at.X + 8 * rd);
    put(at.RECORD_RS1, source('rs1', rs1));
    put(at.RECORD_RS2, source('rs2', rs2));
    put(at.RECORD_RS3, row.since === 'Zicsr' ? codePlace(imm) : source('rs3', rs3));
    scratch.setInt32(at.RECORD_IMM, imm, true);
  } else {
    scratch.setUint16(0, ILLEGAL, true);
  }
  words[entry] = word;
  for (let i = 0; i < WORDS; i++) records[entry * WORDS + i] = scratch.getInt32(4 * i, true);
  isEnd[entry] = instruction && !instruction.row.isJump ? 0 : 1;
}
