import * as at from './layout.ts';
import type { Privilege } from './status.ts';

/** The engine's memory and RAM, as JavaScript looks at them. */
export class HartMemory {
  readonly engine: WebAssembly.Memory;
  readonly i32: Int32Array;
  readonly u16: Uint16Array;
  readonly u8: Uint8Array;
  readonly i64: BigInt64Array;
  readonly f64: Float64Array;
  readonly ramU8: Uint8Array;
  readonly ramWords: Int32Array;
  readonly ramBase: number;
  readonly ramBytes: number;

  constructor(memory: WebAssembly.Memory, base: number, byteLength: number, codePages: number) {
    const bytes = at.CODE + codePages * at.CODE_PAGE_BYTES;
    this.engine = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65_536) });
    const { buffer } = this.engine;
    this.i32 = new Int32Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.i64 = new BigInt64Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.ramU8 = new Uint8Array(memory.buffer);
    this.ramWords = new Int32Array(memory.buffer);
    this.ramBase = base;
    this.ramBytes = byteLength;
  }

  /** An i32 or i64 at a place of the engine's memory. */
  word(place: number): number {
    return this.i32[place >> 2]!;
  }

  setWord(place: number, value: number): void {
    this.i32[place >> 2] = value;
  }

  long(place: number): bigint {
    return this.i64[place >> 3]!;
  }

  setLong(place: number, value: bigint): void {
    this.i64[place >> 3] = value;
  }

  x(register: number): bigint {
    return BigInt.asUintN(64, this.long(at.X + 8 * register));
  }

  setX(register: number, value: bigint): void {
    if (register !== 0) this.setLong(at.X + 8 * register, value);
  }

  /** Patterns of the registers of floating point. */
  f(register: number): bigint {
    return BigInt.asUintN(64, this.long(at.F + 8 * register));
  }

  setF(register: number, value: bigint): void {
    this.setLong(at.F + 8 * register, value);
  }

  get privilege(): Privilege {
    return this.word(at.PRIVILEGE) as Privilege;
  }

  /** Offset of a physical address in RAM; -1 where `size` bytes are not all there. */
  ramOffset(address: number, size: number): number {
    const offset = address - this.ramBase;
    return offset >= 0 && offset + size <= this.ramBytes ? offset : -1;
  }
}
