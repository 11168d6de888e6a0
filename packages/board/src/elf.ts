import { HostError } from '@polyvisor/errors/host-error';

/** @see System V ABI, "Object Files", figures 4-3 and 5-1; RISC-V ELF psABI 1.0, chapter 8 */
const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const MAGIC = 0x464c_457f; // "\x7fELF"
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const EXECUTABLE = 2;
const RISCV = 243;
const LOAD = 1;

export interface ElfProgram {
  /** Where to begin. */
  readonly entry: bigint;
  readonly segments: readonly ElfSegment[];
}

export interface ElfSegment {
  /** Physical. */
  readonly address: number;
  readonly bytes: Uint8Array;
  /** Bytes in memory; what `bytes` doesn't fill is zero. */
  readonly byteLength: number;
}

/**
 * Reads a statically linked RISC-V program.
 * @throws HostError `elf-file` if it is none, or is damaged
 */
export function readElf(file: Uint8Array): ElfProgram {
  if (file.length < HEADER_BYTES) throw bad('is too short for a header');
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  if (view.getUint32(0, true) !== MAGIC) throw bad('is no ELF file');
  if (file[4] !== CLASS_64 || file[5] !== LITTLE_ENDIAN) throw bad('is not 64-bit little-endian');
  if (view.getUint16(18, true) !== RISCV) throw bad('is for another processor');
  if (view.getUint16(16, true) !== EXECUTABLE) throw bad('is not an executable at fixed addresses');
  const headersAt = number(view.getBigUint64(32, true));
  const count = view.getUint16(56, true);
  if (view.getUint16(54, true) !== PROGRAM_HEADER_BYTES) throw bad('has odd program headers');
  if (headersAt + count * PROGRAM_HEADER_BYTES > file.length) throw bad('ends in its headers');
  const segments: ElfSegment[] = [];
  for (let i = 0; i < count; i++) {
    const at = headersAt + i * PROGRAM_HEADER_BYTES;
    if (view.getUint32(at, true) === LOAD) segments.push(segment(file, view, at));
  }
  return { entry: view.getBigUint64(24, true), segments };
}

function segment(file: Uint8Array, view: DataView, at: number): ElfSegment {
  const offset = number(view.getBigUint64(at + 8, true));
  const address = number(view.getBigUint64(at + 24, true));
  const fileBytes = number(view.getBigUint64(at + 32, true));
  const byteLength = number(view.getBigUint64(at + 40, true));
  if (offset + fileBytes > file.length) throw bad('ends in a segment');
  if (fileBytes > byteLength) throw bad('has a segment that is longer than its memory');
  return { address, bytes: file.subarray(offset, offset + fileBytes), byteLength };
}

function number(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw bad('has an impossible offset');
  return Number(value);
}

function bad(why: string): HostError {
  return new HostError('elf-file', `the program ${why}`, 'give a static riscv64 executable');
}
