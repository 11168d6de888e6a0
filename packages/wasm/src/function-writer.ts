import { ByteWriter } from './byte-writer.ts';
import {
  type MemoryInstruction,
  type PlainInstruction,
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
    for (const name of names) this.code.u8(plainInstructions[name][0]);
    return this;
  }

  /** A load or store at `offset` bytes behind the address on the stack, without an alignment promise. */
  mem(name: MemoryInstruction, offset = 0, memory = 0): this {
    this.code.u8(memoryInstructions[name][0]);
    return this.#memArg(offset, memory);
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
  memoryCopy(): this {
    this.code.u8(0xfc).u32(10).u8(0).u8(0);
    return this;
  }

  /** destination, byte, size -> */
  memoryFill(): this {
    this.code.u8(0xfc).u32(11).u8(0);
    return this;
  }

  v128Load(offset = 0): this {
    this.code.u8(0xfd).u32(0);
    return this.#memArg(offset, 0);
  }

  v128Store(offset = 0): this {
    this.code.u8(0xfd).u32(11);
    return this.#memArg(offset, 0);
  }

  v128Load64Splat(offset = 0): this {
    this.code.u8(0xfd).u32(10);
    return this.#memArg(offset, 0);
  }

  /** Picks 16 bytes from the 32 of the two operands. */
  i8x16Shuffle(lanes: readonly number[]): this {
    this.code.u8(0xfd).u32(13).bytes(lanes);
    return this;
  }

  i64x2ExtractLane(lane: number): this {
    this.code.u8(0xfd).u32(29).u8(lane);
    return this;
  }

  i64x2ReplaceLane(lane: number): this {
    this.code.u8(0xfd).u32(30).u8(lane);
    return this;
  }

  i64x2Splat(): this {
    this.code.u8(0xfd).u32(18);
    return this;
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
