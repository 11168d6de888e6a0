import { assert } from '@polyvisor/errors/assert';
import type { FloatContext } from '../float/soft-float.ts';
import type { HartView } from '../hart-view.ts';
import { decode, isCompressed } from '../table/decoder.ts';

/**
 * The obvious hart: one instruction after another by `evaluate`, in user mode over flat memory. An exception is an
 * error: what traps do is for other tests.
 */
export class ReferenceHart implements HartView {
  pc: bigint;
  nextPc = 0n;
  reservation: HartView['reservation'];
  fcsr = 0n;
  isEnded = false;
  readonly #memory: Uint8Array;
  readonly #base: bigint;
  readonly #x: bigint[] = Array.from({ length: 32 }, () => 0n);
  readonly #f: bigint[] = Array.from({ length: 32 }, () => 0n);
  #target = 0n;

  constructor(memory: Uint8Array, base: number) {
    this.#memory = memory;
    this.#base = BigInt(base);
    this.pc = this.#base;
  }

  /** Runs up to an environment call. */
  run(): void {
    while (!this.isEnded) this.step();
  }

  step(): void {
    const half = Number(this.load(this.pc, 2));
    const word = isCompressed(half) ? half : Number(this.load(this.pc, 4)) | 0;
    const instruction = decode(word);
    if (!instruction) this.illegal();
    this.nextPc = this.pc + BigInt(instruction.length);
    this.#target = this.nextPc;
    instruction.row.evaluate(this, instruction);
    this.pc = BigInt.asUintN(64, this.#target);
  }

  x(register: number): bigint {
    return this.#x[register]!;
  }

  setX(register: number, value: bigint): void {
    if (register !== 0) this.#x[register] = BigInt.asUintN(64, value);
  }

  f(register: number): bigint {
    return this.#f[register]!;
  }

  setF(register: number, value: bigint): void {
    this.#f[register] = BigInt.asUintN(64, value);
  }

  jump(target: bigint): void {
    this.#target = target;
  }

  load(address: bigint, size: number): bigint {
    const start = this.#offset(address, size);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#memory[start + i]!);
    return value;
  }

  store(address: bigint, size: number, value: bigint): void {
    const start = this.#offset(address, size);
    for (let i = 0; i < size; i++) {
      this.#memory[start + i] = Number((value >> BigInt(8 * i)) & 0xffn);
    }
  }

  checkAligned(address: bigint, size: number): void {
    assert(address % BigInt(size) === 0n, 'atomic accesses are aligned');
  }

  raise(cause: number, value: bigint): never {
    throw new Error(`exception ${cause} at ${this.pc.toString(16)}: ${value.toString(16)}`);
  }

  illegal(): never {
    return this.raise(2, 0n);
  }

  float(rm: number): FloatContext {
    const mode = rm === 7 ? Number(this.fcsr >> 5n) : rm;
    if (mode > 4) this.illegal();
    return { mode, flags: 0 };
  }

  finishFloat({ flags }: FloatContext): void {
    this.fcsr |= BigInt(flags);
  }

  readCsr(number: number): bigint {
    const values = [this.fcsr & 0x1fn, this.fcsr >> 5n, this.fcsr];
    return values[number - 1] ?? this.illegal();
  }

  keptCsr(number: number): bigint {
    return this.readCsr(number);
  }

  writeCsr(number: number, value: bigint): void {
    if (number === 1) this.fcsr = (this.fcsr & ~0x1fn) | (value & 0x1fn);
    else if (number === 2) this.fcsr = (this.fcsr & 0x1fn) | ((value & 7n) << 5n);
    else if (number === 3) this.fcsr = value & 0xffn;
    else this.illegal();
  }

  environmentCall(): void {
    this.isEnded = true;
  }

  returnFromTrap(): void {
    this.illegal();
  }

  waitForInterrupt(): void {
    this.illegal();
  }

  fenceTranslations(): void {
    this.illegal();
  }

  cacheBlock(): void {
    this.illegal();
  }

  #offset(address: bigint, size: number): number {
    const offset = Number(BigInt.asUintN(64, address) - this.#base);
    assert(offset >= 0 && offset + size <= this.#memory.length, 'accesses are to the memory');
    return offset;
  }
}
