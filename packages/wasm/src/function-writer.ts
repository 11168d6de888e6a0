import { ByteWriter } from './byte-writer.ts';
import { type Instruction, writeInstruction, writeOpcode } from './instruction-codec.ts';
import {
  type LaneInstruction,
  type MemoryInstruction,
  type PlainInstruction,
  laneInstructions,
  memoryInstructions,
  plainInstructions,
} from './instructions.ts';
import { EMPTY, type FunctionType, type ValueType } from './types.ts';

/** A block's type: nothing, one result, or the index of a function type of the module. */
export type BlockType = typeof EMPTY | ValueType | { readonly typeIndex: number };

/**
 * Writes one function's body. Every method appends an instruction and returns the writer, so code reads
 * in execution order. `depth` counts the open blocks: a branch to a label opened at depth d is `br(depth - d)`.
 */
export class FunctionWriter {
  readonly index: number;
  readonly typeIndex: number;
  readonly type: FunctionType;
  readonly name: string;
  readonly locals: ValueType[] = [];
  readonly code: ByteWriter = new ByteWriter();
  /** Places in the code of branches that are rarely taken: `if` or `br_if`. */
  readonly rareBranches: number[] = [];
  depth = 0;

  constructor(index: number, typeIndex: number, type: FunctionType, name: string) {
    this.index = index;
    this.typeIndex = typeIndex;
    this.type = type;
    this.name = name;
  }

  /** Declares a local and returns its index. */
  local(type: ValueType): number {
    this.locals.push(type);
    return this.type.params.length + this.locals.length - 1;
  }

  op(...names: PlainInstruction[]): this {
    for (const name of names) writeOpcode(this.code, plainInstructions[name][0]);
    return this;
  }

  /** A load or store at `offset` bytes behind the address on the stack, without an alignment promise. */
  mem(name: MemoryInstruction, offset = 0, memory = 0): this {
    writeOpcode(this.code, memoryInstructions[name][0]);
    return this.#memArg(offset, memory);
  }

  /** An instruction on one lane of a vector. */
  lane(name: LaneInstruction, lane: number): this {
    writeOpcode(this.code, laneInstructions[name][0]);
    this.code.u8(lane);
    return this;
  }

  /** Any instruction, as the reader gives it. */
  instruction(instruction: Instruction): this {
    const { name } = instruction;
    if (name === 'block' || name === 'loop' || name === 'if') this.depth++;
    if (name === 'end') this.depth--;
    writeInstruction(this.code, instruction);
    return this;
  }

  get(local: number): this {
    this.code.u8(0x20).u32(local);
    return this;
  }

  set(local: number): this {
    this.code.u8(0x21).u32(local);
    return this;
  }

  tee(local: number): this {
    this.code.u8(0x22).u32(local);
    return this;
  }

  globalGet(global: number): this {
    this.code.u8(0x23).u32(global);
    return this;
  }

  globalSet(global: number): this {
    this.code.u8(0x24).u32(global);
    return this;
  }

  i32(value: number): this {
    this.code.u8(0x41).s32(value);
    return this;
  }

  i64(value: bigint): this {
    this.code.u8(0x42).s64(value);
    return this;
  }

  drop(): this {
    this.code.u8(0x1a);
    return this;
  }

  select(): this {
    this.code.u8(0x1b);
    return this;
  }

  block(type: BlockType = EMPTY): this {
    return this.#open(0x02, type);
  }

  loop(type: BlockType = EMPTY): this {
    return this.#open(0x03, type);
  }

  if(type: BlockType = EMPTY): this {
    return this.#open(0x04, type);
  }

  /**
   * Says of the `if` or `br_if` that is written next that its condition rarely holds.
   * @see Branch hinting, part of Core Specification 3.0's annotations: custom section `metadata.code.branch_hint`
   */
  rarely(): this {
    this.rareBranches.push(this.code.length);
    return this;
  }

  else(): this {
    this.code.u8(0x05);
    return this;
  }

  end(): this {
    this.code.u8(0x0b);
    this.depth--;
    return this;
  }

  br(label: number): this {
    this.code.u8(0x0c).u32(label);
    return this;
  }

  brIf(label: number): this {
    this.code.u8(0x0d).u32(label);
    return this;
  }

  brTable(labels: ArrayLike<number>, otherwise: number): this {
    this.code.u8(0x0e).u32(labels.length);
    for (let i = 0; i < labels.length; i++) this.code.u32(labels[i]!);
    this.code.u32(otherwise);
    return this;
  }

  return(): this {
    this.code.u8(0x0f);
    return this;
  }

  call(functionIndex: number): this {
    this.code.u8(0x10).u32(functionIndex);
    return this;
  }

  callIndirect(typeIndex: number, table = 0): this {
    this.code.u8(0x11).u32(typeIndex).u32(table);
    return this;
  }

  /** @see Tail call proposal, part of Core Specification 3.0. */
  returnCall(functionIndex: number): this {
    this.code.u8(0x12).u32(functionIndex);
    return this;
  }

  returnCallIndirect(typeIndex: number, table = 0): this {
    this.code.u8(0x13).u32(typeIndex).u32(table);
    return this;
  }

  memorySize(memory = 0): this {
    this.code.u8(0x3f).u32(memory);
    return this;
  }

  memoryGrow(memory = 0): this {
    this.code.u8(0x40).u32(memory);
    return this;
  }

  /** destination, source, size -> */
  memoryCopy(destination = 0, source = 0): this {
    return this.instruction({ name: 'memory.copy', immediates: [destination, source] });
  }

  /** destination, byte, size -> */
  memoryFill(memory = 0): this {
    return this.instruction({ name: 'memory.fill', immediates: [memory] });
  }

  v128Load(offset = 0): this {
    return this.mem('v128.load', offset);
  }

  v128Store(offset = 0): this {
    return this.mem('v128.store', offset);
  }

  v128Load64Splat(offset = 0): this {
    return this.mem('v128.load64_splat', offset);
  }

  /** Picks 16 bytes from the 32 of the two operands. */
  i8x16Shuffle(lanes: readonly number[]): this {
    return this.instruction({ name: 'i8x16.shuffle', immediates: lanes });
  }

  i64x2ExtractLane(lane: number): this {
    return this.lane('i64x2.extract_lane', lane);
  }

  i64x2ReplaceLane(lane: number): this {
    return this.lane('i64x2.replace_lane', lane);
  }

  i64x2Splat(): this {
    return this.op('i64x2.splat');
  }

  #open(opcode: number, type: BlockType): this {
    this.code.u8(opcode);
    if (typeof type === 'number') this.code.u8(type);
    else this.code.s32(type.typeIndex);
    this.depth++;
    return this;
  }

  /** Alignment 2^0; bit 6 of the alignment field says that a memory index follows (multi-memory). */
  #memArg(offset: number, memory: number): this {
    if (memory === 0) this.code.u8(0);
    else this.code.u8(0x40).u32(memory);
    this.code.u32(offset);
    return this;
  }
}
