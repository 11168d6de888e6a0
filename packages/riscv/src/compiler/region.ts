import { codePlace } from '../csr-numbers.ts';
import { type Instruction, decode, isCompressed } from '../table/decoder.ts';
import type { Row } from '../table/row.ts';

/** An instruction and its place in its page. */
export interface PlacedInstruction extends Instruction {
  readonly offset: number;
  /** Of a branch that only passes over the guarded instructions behind it: their number. */
  readonly passes?: number;
  /** Whether it has an effect only if the branch in front of it was not taken. */
  readonly isGuarded?: boolean;
}

/** Instructions in a row; only the last one may jump, but for branches over guarded ones. */
export interface Block {
  readonly offset: number;
  readonly instructions: readonly PlacedInstruction[];
  /** Where it goes on if the last one does not jump. */
  readonly end: number;
}

/** What is compiled together. */
export interface Region {
  /** By rising offset. */
  readonly blocks: readonly Block[];
  /** Offsets of blocks where control may come in. */
  readonly entries: readonly number[];
}

export const PAGE_BYTES = 4096;
/** So that what the interpreter must do at a budget's end is little. */
const BLOCK_INSTRUCTIONS_MAX = 256;

export interface RegionLimits {
  readonly blocksMax: number;
  readonly instructionsMax: number;
}

/**
 * The code of a page that can be reached from offsets without leaving the page. What has no code of its own (`emit`)
 * is not in any block: there the compiled code ends.
 * @param isReached whether control has come to an offset before: what it has not, is left out
 */
export function findRegion(
  page: Uint8Array,
  starts: readonly number[],
  limits: RegionLimits,
  isReached: (offset: number) => boolean,
): Region {
  const { leaders, entries } = findLeaders(page, starts, limits, isReached);
  const blocks = [...leaders]
    .toSorted((a, b) => a - b)
    .map((offset) => readBlock(page, offset, leaders))
    .filter(({ instructions }) => instructions.length > 0);
  const isEntry = new Set(entries);
  for (const block of blocks) {
    // A loop's head, so that whoever left in the middle of the loop comes back soon.
    for (const target of jumpsOf(block).targets) if (target <= block.offset) isEntry.add(target);
  }
  guardShortBlocks(blocks, isEntry);
  return {
    blocks,
    entries: blocks.map(({ offset }) => offset).filter((offset) => isEntry.has(offset)),
  };
}

/** More are not worth being calculated in vain. */
const GUARDED_MAX = 2;

/**
 * Calculations that a branch passes over are better done in any case, and their results dropped if it is taken: such
 * branches are those that processors guess wrong. The blocks become one.
 */
function guardShortBlocks(blocks: Block[], isEntry: ReadonlySet<number>): void {
  const arrivals = new Map<number, number>();
  for (const block of blocks) {
    for (const to of jumpsOf(block).targets) arrivals.set(to, (arrivals.get(to) ?? 0) + 1);
  }
  for (let i = blocks.length - 2; i >= 0; i--) {
    const { offset, instructions, end } = blocks[i]!;
    const passed = blocks[i + 1]!;
    const branch = instructions.at(-1)!;
    if (branch.row.format !== 'b' || branch.offset + branch.imm !== passed.end) continue;
    const isOnlyPassed = passed.offset === end && arrivals.get(end) === 1 && !isEntry.has(end);
    const passes = passed.instructions.length;
    if (!isOnlyPassed || passes > GUARDED_MAX || !passed.instructions.every(isCalculation))
      continue;
    const guarded = passed.instructions.map((one) => ({ ...one, isGuarded: true }));
    const joined = [...instructions.slice(0, -1), { ...branch, passes }, ...guarded];
    const next = blocks[i + 2];
    // Two ways led there, and both have become one.
    const isJoined =
      next?.offset === passed.end && arrivals.get(next.offset) === 2 && !isEntry.has(next.offset);
    if (isJoined) {
      blocks.splice(i, 3, {
        offset,
        instructions: [...joined, ...next.instructions],
        end: next.end,
      });
    } else {
      blocks.splice(i, 2, { offset, instructions: joined, end: passed.end });
    }
  }
}

const CALCULATION_FORMATS = new Set(['r', 'r2', 'i', 'shift5', 'shift6', 'u']);

/** Whether all it does is to write an integer register, and at no great cost. */
function isCalculation({ row, isGuarded, passes }: PlacedInstruction): boolean {
  const isPlain = CALCULATION_FORMATS.has(row.format) && !row.isJump && row.floats === undefined;
  const isDivision = row.name.startsWith('div') || row.name.startsWith('rem');
  const isOfIntegers = row.since === 'I' || row.since === 'M' || row.since.startsWith('Zb');
  return isPlain && isOfIntegers && !isDivision && !isGuarded && passes === undefined;
}

/** The instruction at an offset, if it lies in the page as a whole. */
function instructionAt(page: Uint8Array, offset: number): PlacedInstruction | undefined {
  if (offset + 2 > PAGE_BYTES) return undefined;
  let word = page[offset]! | (page[offset + 1]! << 8);
  if (!isCompressed(word)) {
    if (offset + 4 > PAGE_BYTES) return undefined;
    word |= (page[offset + 2]! << 16) | (page[offset + 3]! << 24);
  }
  const instruction = decode(word);
  return instruction && { ...instruction, offset };
}

function hasCode({ row, imm }: Instruction): boolean {
  return row.emit !== undefined && !(row.since === 'Zicsr' && codePlace(imm) === 0);
}

/** Offsets where control may come to, breadth first, as far as the limits go; and where it does so from outside. */
function findLeaders(
  page: Uint8Array,
  starts: readonly number[],
  limits: RegionLimits,
  isReached: (offset: number) => boolean,
): { leaders: Set<number>; entries: Set<number> } {
  const leaders = new Set(starts);
  const entries = new Set(starts);
  let instructions = 0;
  const lead = (target: number): void => {
    const isInPage = target >= 0 && target < PAGE_BYTES;
    if (isInPage && leaders.size < limits.blocksMax && isReached(target)) leaders.add(target);
  };
  for (const leader of leaders) {
    for (let offset = leader; instructions < limits.instructionsMax; instructions++) {
      const instruction = instructionAt(page, offset);
      if (!instruction) break;
      offset += instruction.length;
      if (!hasCode(instruction) || isCall(instruction)) {
        // The interpreter, or whoever is called, comes back here.
        lead(offset);
        entries.add(offset);
      }
      if (!hasCode(instruction)) break;
      if (isJump(instruction)) {
        for (const target of targetsOf(instruction)) lead(target);
        break;
      }
      if (leaders.has(offset)) break;
    }
  }
  return { leaders, entries };
}

function isJump({ row }: Instruction): boolean {
  return row.format === 'b' || row.format === 'j' || row.name === 'jalr';
}

function isCall(instruction: Instruction): boolean {
  return isJump(instruction) && instruction.rd !== 0;
}

/** Offsets, which may lie outside of the page, behind a branch or jump: that of its immediate first. */
function targetsOf({ row, offset, imm, length }: PlacedInstruction): readonly number[] {
  if (row.format === 'b') return [offset + imm, offset + length];
  return row.format === 'j' ? [offset + imm] : [];
}

/** How control leaves a block. */
export interface Jumps {
  /** Offsets, which may lie outside of the page. */
  readonly targets: readonly number[];
  /** Whether it may go anywhere. */
  readonly isIndirect: boolean;
  /** Whether it most likely goes back to a caller. */
  readonly isReturn: boolean;
}

const RETURN_ADDRESS = 1;

export function jumpsOf({ instructions, end }: Block): Jumps {
  const last = instructions.at(-1)!;
  const isIndirect = last.row.name === 'jalr';
  const isReturn = isIndirect && last.rd === 0 && last.rs1 === RETURN_ADDRESS;
  return { targets: isJump(last) ? targetsOf(last) : [end], isIndirect, isReturn };
}

/** Whether it calls what `has` says is in the region. */
export function callsInside({ instructions }: Block, has: (offset: number) => boolean): boolean {
  const last = instructions.at(-1)!;
  return last.row.format === 'j' && isCall(last) && has(last.offset + last.imm);
}

function readBlock(page: Uint8Array, start: number, leaders: ReadonlySet<number>): Block {
  const instructions: PlacedInstruction[] = [];
  let offset = start;
  for (;;) {
    const instruction = instructionAt(page, offset);
    if (!instruction || !hasCode(instruction)) break;
    instructions.push(instruction);
    offset += instruction.length;
    if (isJump(instruction) || leaders.has(offset)) break;
    if (instructions.length === BLOCK_INSTRUCTIONS_MAX) break;
  }
  return { offset: start, instructions, end: offset };
}

export function writesRegister({ format }: Row): boolean {
  return format !== 'b' && format !== 's' && format !== 'fence';
}
