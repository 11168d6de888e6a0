import type { Decoder } from './decoder.ts';
import type { InstructionSet } from './instruction-set.ts';

/** What a step came to. `access`: to memory that is not there. After a fault nothing has changed. */
export type Step =
  | { readonly kind: 'done' }
  | { readonly kind: 'illegal'; readonly low: number; readonly high: number }
  | { readonly kind: 'access'; readonly address: bigint };

/**
 * The reference interpreter: what instructions mean, one at a time. Registers are numbers in [0, 2^registerBits), the
 * memory begins at address 0. Not made for speed.
 */
export class ReferenceMachine {
  readonly registers: bigint[];
  readonly memory: Uint8Array;
  /** Address of the present instruction. */
  pc = 0;
  readonly #set: InstructionSet;
  readonly #decode: Decoder;
  #next = 0n;

  constructor(set: InstructionSet, decode: Decoder, memory: Uint8Array) {
    this.#set = set;
    this.#decode = decode;
    this.memory = memory;
    this.registers = Array.from({ length: set.registerCount }, () => 0n);
  }

  /** Runs the instruction, which the caller has fetched. */
  step(low: number, high = 0): Step {
    const decoded = this.#decode(low, high);
    if (!decoded) return { kind: 'illegal', low, high };
    this.#next = BigInt(this.pc + this.#set.wordBytes);
    try {
      decoded.row.evaluate(this, decoded.operands);
    } catch (error) {
      if (error instanceof AccessFault) return { kind: 'access', address: error.address };
      throw error;
    }
    this.pc = Number(this.#wrapped(this.#next));
    return { kind: 'done' };
  }

  read(register: number): bigint {
    return this.registers[register]!;
  }

  /** Writes the low bits; nothing to the register that is always zero. */
  write(register: number, value: bigint): void {
    if (register !== this.#set.zeroRegister) this.registers[register] = this.#wrapped(value);
  }

  /** A register as a number in two's complement. */
  signed(register: number): bigint {
    return BigInt.asIntN(this.#set.registerBits, this.read(register));
  }

  /** The instruction after this one stands there. */
  jump(address: bigint): void {
    this.#next = address;
  }

  /** A little-endian number of 1, 2, 4 or 8 bytes. */
  load(address: bigint, size: number): bigint {
    const start = this.#checked(address, size);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.memory[start + i]!);
    return value;
  }

  /** The low bytes of the value. It must be an instruction's last effect that can fail. */
  store(address: bigint, size: number, value: bigint): void {
    const start = this.#checked(address, size);
    for (let i = 0; i < size; i++) {
      this.memory[start + i] = Number((value >> BigInt(8 * i)) & 0xffn);
    }
  }

  #checked(address: bigint, size: number): number {
    const start = this.#wrapped(address);
    if (start + BigInt(size) > BigInt(this.memory.length)) throw new AccessFault(start);
    return Number(start);
  }

  #wrapped(value: bigint): bigint {
    return BigInt.asUintN(this.#set.registerBits, value);
  }
}

/** Never leaves `step`. */
class AccessFault extends Error {
  readonly address: bigint;

  constructor(address: bigint) {
    super('access');
    this.address = address;
  }
}
