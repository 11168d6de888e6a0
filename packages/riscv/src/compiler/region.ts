import { codePlace } from '../csr-numbers.ts';
import { type Instruction, decode, isCompressed } from '../table/decoder.ts';

/** An instruction and its place in its page. */
export interface PlacedInstruction extends Instruction {
  readonly offset: number;
}

/** Instructions in a row; only the last one may jump. */
export interface Block {
  readonly offset: number;
  readonly instructions: readonly PlacedInstruction[];
  /** Where it goes on if the last one does not jump. */
  readonly end: number;
}

const PAGE_BYTES = 4096;

export interface RegionLimits {
  readonly blocksMax: number;
  readonly instructionsMax: number;
}

/**
 * The code of a page that can be reached from offsets without leaving the page, as blocks by rising offset. What has
 * no code of its own (`emit`) is not in any block: there the compiled code ends.
 */
export function findRegion(
  page: Uint8Array,
  starts: readonly number[],
  limits: RegionLimits,
): Block[] {
  const leaders = findLeaders(page, starts, limits);
  return [...leaders]
    .toSorted((a, b) => a - b)
    .map((offset) => readBlock(page, offset, leaders))
    .filter(({ instructions }) => instructions.length > 0);
}

/** The instruction at an offset, if it lies in the page as a whole and the compiler knows it. */
function instructionAt(page: Uint8Array, offset: number): PlacedInstruction | undefined {
  if (offset + 2 > PAGE_BYTES) return undefined;
  let word = page[offset]! | (page[offset + 1]! << 8);
  if (!isCompressed(word)) {
    if (offset + 4 > PAGE_BYTES) return undefined;
    word |= (page[offset + 2]! << 16) | (page[offset + 3]! << 24);
  }
  const instruction = decode(word);
  if (!instruction?.row.emit) return undefined;
  if (instruction.row.since === 'Zicsr' && codePlace(instruction.imm) === 0) return undefined;
  return { ...instruction, offset };
}

/** Offsets where control may come to, breadth first, as far as the limits go. */
function findLeaders(
  page: Uint8Array,
  starts: readonly number[],
  limits: RegionLimits,
): Set<number> {
  const leaders = new Set(starts);
  let instructions = 0;
  for (const leader of leaders) {
    for (let offset = leader; instructions < limits.instructionsMax; instructions++) {
      const instruction = instructionAt(page, offset);
      if (!instruction) break;
      const targets = successors(instruction);
      offset += instruction.length;
      if (targets) {
        for (const target of targets) {
          const isInPage = target >= 0 && target < PAGE_BYTES;
          if (isInPage && leaders.size < limits.blocksMax) leaders.add(target);
        }
        break;
      }
      if (leaders.has(offset)) break;
    }
  }
  return leaders;
}

/** Offsets, which may lie outside of the page, behind a branch or jump; undefined for all others. */
export function successors(instruction: PlacedInstruction): readonly number[] | undefined {
  const { row, offset, imm, length, rd } = instruction;
  if (row.format === 'b') return [offset + length, offset + imm];
  // Behind a call its end comes back.
  if (row.format === 'j') return rd === 0 ? [offset + imm] : [offset + imm, offset + length];
  if (row.name === 'jalr') return rd === 0 ? [] : [offset + length];
  return undefined;
}

function readBlock(page: Uint8Array, start: number, leaders: ReadonlySet<number>): Block {
  const instructions: PlacedInstruction[] = [];
  let offset = start;
  for (;;) {
    const instruction = instructionAt(page, offset);
    if (!instruction) break;
    instructions.push(instruction);
    offset += instruction.length;
    if (successors(instruction) || leaders.has(offset)) break;
    if (instructions.length === BLOCK_INSTRUCTIONS_MAX) break;
  }
  return { offset: start, instructions, end: offset };
}

/** So that a short budget is not often too short for a block. */
const BLOCK_INSTRUCTIONS_MAX = 256;
