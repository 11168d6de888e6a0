import { assert } from '@polyvisor/errors/assert';
import type { Operands } from '@polyvisor/riscv/table/row';
import { encode } from '@polyvisor/riscv/testing/words';

/** Registers by the names of the calling convention. @see RISC-V ELF psABI 1.0, section 1.1 */
export const zero = 0;
export const t0 = 5;
export const t1 = 6;
export const t2 = 7;
export const a0 = 10;
export const a1 = 11;
export const a2 = 12;
export const a6 = 16;
export const a7 = 17;

/** Builds small programs out of the engine's instruction table. */
export class Assembler {
  readonly base: number;
  readonly #words: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #jumps: { at: number; name: string; operands: Partial<Operands>; label: string }[] = [];

  /** @param base address of the first instruction */
  constructor(base: number) {
    this.base = base;
  }

  op(name: string, operands: Partial<Operands> = {}): this {
    this.#words.push(encode(name, operands));
    return this;
  }

  /** A branch or jump to a label. */
  jump(name: string, operands: Partial<Operands>, label: string): this {
    this.#jumps.push({ at: this.#words.length, name, operands, label });
    this.#words.push(0);
    return this;
  }

  label(name: string): this {
    this.#labels.set(name, 4 * this.#words.length);
    return this;
  }

  /** rd = value, a number of 32 bits, zero-extended. */
  li(rd: number, value: number): this {
    const low = ((value & 0xfff) << 20) >> 20;
    this.op('lui', { rd, imm: (value - low) | 0 }).op('addi', { rd, rs1: rd, imm: low });
    return this.op('slli', { rd, rs1: rd, imm: 32 }).op('srli', { rd, rs1: rd, imm: 32 });
  }

  /** rd = the address of a label. */
  la(rd: number, label: string): this {
    // auipc of 0 gives its own address; the label is less than 2 KiB from there.
    this.op('auipc', { rd, imm: 0 });
    this.#jumps.push({ at: this.#words.length, name: 'addi', operands: { rd, rs1: rd }, label });
    this.#words.push(0);
    return this;
  }

  /** Function `id` of an SBI extension; arguments are in a0 and up. */
  sbi(extension: number, id: number): this {
    return this.li(a7, extension).li(a6, id).op('ecall');
  }

  finish(): Uint8Array {
    for (const { at, name, operands, label } of this.#jumps) {
      const target = this.#labels.get(label);
      assert(target !== undefined, `there is no label '${label}'`);
      const from = name === 'addi' ? 4 * (at - 1) : 4 * at;
      this.#words[at] = encode(name, { ...operands, imm: target - from });
    }
    return new Uint8Array(Int32Array.from(this.#words).buffer);
  }

  /** The program as a file for the loader. */
  elf(): Uint8Array {
    return elfOf(this.base, this.finish());
  }
}

/** An executable of one segment. */
export function elfOf(base: number, code: Uint8Array): Uint8Array {
  const headerBytes = 64 + 56;
  const file = new Uint8Array(headerBytes + code.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(base), true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true);
  view.setUint32(68, 7, true);
  const numbers = [headerBytes, base, base, code.length, code.length, 4096];
  numbers.forEach((value, i) => view.setBigUint64(72 + 8 * i, BigInt(value), true));
  file.set(code, headerBytes);
  return file;
}
