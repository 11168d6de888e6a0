import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { type InstructionRow, rowAt, rowOf } from './instruction-rows.ts';
import type { InstructionName } from './instructions.ts';
import { WasmError } from './wasm-error.ts';

/** An instruction as it stands in a module. */
export interface Instruction {
  readonly name: InstructionName;
  /**
   * Numbers in the order of the binary format: indexes; labels, the default last; alignment, memory and offset of a
   * memory argument; the bits of a floating-point constant; the bytes of a vector. A block type or heap type is an
   * index, or a negative number for a type of one byte: the byte less 128.
   */
  readonly immediates: readonly (number | bigint)[];
}

type Kind = InstructionRow['immediates'][number];
type Numbers = (number | bigint)[];

/** Bit 6 of the alignment says that a memory index follows. @see Core Specification 3.0, section 5.4.7 */
const HAS_MEMORY = 0x40;
const PREFIXES = [0xfc, 0xfd, 0xfe];

/** @throws WasmError */
export function readInstruction(reader: ByteReader): Instruction {
  const start = reader.at;
  const first = reader.u8();
  const number = PREFIXES.includes(first) ? reader.u32() : undefined;
  const row = rowAt(number === undefined ? first : number > 0xff ? -1 : (first << 8) | number);
  if (!row) {
    const opcode = `0x${first.toString(16)}${number === undefined ? '' : ` ${number}`}`;
    throw new WasmError('not-supported', `instruction ${opcode} is not supported`, start);
  }
  const immediates: Numbers = [];
  for (const kind of row.immediates) readImmediate(reader, kind, immediates);
  return { name: row.name, immediates };
}

/** The inverse of `readInstruction`. The immediates are the caller's responsibility. */
export function writeInstruction(out: ByteWriter, { name, immediates }: Instruction): void {
  const row = rowOf(name);
  writeOpcode(out, row.opcode);
  let next = 0;
  for (const kind of row.immediates) next += writeImmediate(out, kind, immediates, next);
}

export function writeOpcode(out: ByteWriter, opcode: number): void {
  if (opcode <= 0xff) out.u8(opcode);
  else out.u8(opcode >>> 8).u32(opcode & 0xff);
}

function readImmediate(reader: ByteReader, kind: Kind, into: Numbers): void {
  switch (kind) {
    case 'block':
    case 'heap-type':
      into.push(reader.s33());
      break;
    case 'i32':
      into.push(reader.s32());
      break;
    case 'i64':
      into.push(reader.s64());
      break;
    case 'float':
      into.push(littleEndian(reader.take(4)));
      break;
    case 'double':
      into.push(littleEndian(reader.take(8)));
      break;
    case 'lane':
      into.push(reader.u8());
      break;
    case 'bytes':
    case 'lanes':
      into.push(...reader.take(16));
      break;
    case 'memory-argument': {
      const flags = reader.u32();
      const memory = flags & HAS_MEMORY ? reader.u32() : 0;
      into.push((flags & ~HAS_MEMORY) >>> 0, memory, reader.u32());
      break;
    }
    case 'labels':
    case 'value-types': {
      const count = reader.u32() + (kind === 'labels' ? 1 : 0);
      // Each takes a byte at least, so a count beyond the bytes is found out before it costs memory.
      if (count > reader.end - reader.at) throw reader.malformed('bytes end too early');
      for (let i = 0; i < count; i++) into.push(kind === 'labels' ? reader.u32() : reader.u8());
      break;
    }
    default:
      into.push(reader.u32());
  }
}

/** @returns how many of the immediates it took */
function writeImmediate(
  out: ByteWriter,
  kind: Kind,
  immediates: Instruction['immediates'],
  at: number,
): number {
  const number = Number(immediates[at] ?? 0);
  switch (kind) {
    case 'block':
    case 'heap-type':
    case 'i32':
      out.s32(number);
      return 1;
    case 'i64':
      out.s64(immediates[at] as bigint);
      return 1;
    case 'float':
    case 'double':
      for (let i = 0; i < (kind === 'float' ? 4 : 8); i++) {
        out.u8(Number((BigInt(immediates[at]!) >> BigInt(8 * i)) & 0xffn));
      }
      return 1;
    case 'lane':
      out.u8(number);
      return 1;
    case 'bytes':
    case 'lanes':
      out.bytes(immediates.slice(at, at + 16).map(Number));
      return 16;
    case 'memory-argument': {
      const [alignment, memory, offset] = immediates.slice(at, at + 3).map(Number);
      if (memory === 0) out.u32(alignment!);
      else out.u32(alignment! | HAS_MEMORY).u32(memory!);
      out.u32(offset!);
      return 3;
    }
    case 'labels':
    case 'value-types': {
      const numbers = immediates.slice(at).map(Number);
      out.u32(kind === 'labels' ? numbers.length - 1 : numbers.length);
      for (const entry of numbers) out.u32(entry);
      return numbers.length;
    }
    default:
      out.u32(number);
      return 1;
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
