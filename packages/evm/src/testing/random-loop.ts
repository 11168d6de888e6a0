import { type Opcode, opcodes } from '../opcodes.ts';
import { type Hardfork, isAtLeast } from '../hardfork.ts';

/**
 * Code as compilers write it, at random: some words on the stack, a loop over them with branches, calls of functions
 * of its own and memory, and at its end all words returned.
 */
export function randomLoop(random: () => number, fork: Hardfork, roundsMax: number): Uint8Array {
  return new LoopWriter(random, fork).write(roundsMax);
}

class LoopWriter {
  readonly #random: () => number;
  readonly #pure: readonly Opcode[];
  readonly #code: number[] = [];
  /** Places that hold a label's number until all labels are known. */
  readonly #uses: (readonly [at: number, label: number])[] = [];
  readonly #labels: number[] = [];
  #words = 0;

  constructor(random: () => number, fork: Hardfork) {
    this.#random = random;
    const isPure = (row: Opcode | undefined): row is Opcode =>
      row?.evaluate !== undefined && isAtLeast(fork, row.since);
    this.#pure = opcodes.filter(isPure);
  }

  write(roundsMax: number): Uint8Array {
    this.#words = 2 + this.#below(7);
    for (let i = 0; i < this.#words; i++) this.#push(this.#word());
    this.#push(BigInt(1 + this.#below(roundsMax)));
    const [head, exit, callee] = [this.#label(), this.#label(), this.#label()];
    this.#place(head);
    for (let left = 1 + this.#below(10); left > 0; left--) this.#statement(exit, callee);
    // counter - 1, again unless it is zero
    this.#push(1n);
    this.#emit('SWAP1', 'SUB', 'DUP1');
    this.#pushLabel(head);
    this.#emit('JUMPI');
    this.#place(exit);
    for (let i = 0; i <= this.#words; i++) {
      this.#push(BigInt(32 * i));
      this.#emit('MSTORE');
    }
    this.#push(BigInt(32 * (this.#words + 1)));
    this.#push(0n);
    this.#emit('RETURN');
    // A function of one word below its return address.
    this.#place(callee);
    this.#emit('SWAP1', 'DUP1', this.#pick(['ADD', 'MUL', 'SUB', 'AND']), 'SWAP1', 'JUMP');
    for (const [at, label] of this.#uses) {
      this.#code[at] = this.#labels[label]! >> 8;
      this.#code[at + 1] = this.#labels[label]! & 255;
    }
    return Uint8Array.from(this.#code);
  }

  /** Something that leaves the stack as high as it was. */
  #statement(exit: number, callee: number): void {
    switch (this.#below(10)) {
      case 0:
        this.#emit(`SWAP${1 + this.#below(this.#words)}`);
        break;
      case 1: {
        const [value, at] = [1 + this.#below(this.#words), this.#below(200)];
        this.#emit(`DUP${value}`);
        this.#push(BigInt(at));
        this.#emit(this.#pick(['MSTORE', 'MSTORE', 'MSTORE8', 'SSTORE']));
        break;
      }
      case 2:
        this.#push(BigInt(this.#below(200)));
        this.#emit(this.#pick(['MLOAD', 'CALLDATALOAD', 'SLOAD', 'BALANCE']));
        this.#assign();
        break;
      case 3:
        this.#emit(`DUP${1 + this.#below(this.#words + 1)}`);
        this.#pushLabel(exit);
        this.#emit('JUMPI');
        break;
      case 4: {
        const skip = this.#label();
        this.#emit(`DUP${1 + this.#below(this.#words + 1)}`);
        if (this.#random() < 0.5) this.#emit('ISZERO');
        this.#pushLabel(skip);
        this.#emit('JUMPI');
        this.#compute();
        this.#place(skip);
        break;
      }
      case 5: {
        const back = this.#label();
        this.#emit(`DUP${1 + this.#below(this.#words)}`);
        this.#pushLabel(back);
        this.#pushLabel(callee);
        this.#emit('JUMP');
        this.#place(back);
        this.#compute(1);
        this.#assign();
        break;
      }
      case 6:
        this.#push(BigInt(this.#below(70)));
        this.#push(BigInt(this.#below(70)));
        this.#emit('KECCAK256');
        this.#assign();
        break;
      case 7:
        this.#emit(this.#pick(['GAS', 'MSIZE', 'PC', 'CALLVALUE', 'ADDRESS', 'CODESIZE']));
        this.#assign();
        break;
      default:
        this.#compute();
    }
  }

  /** A pure instruction over words of the stack and constants; one of them gets the result. */
  #compute(extra = 0): void {
    const row = this.#pick(this.#pure);
    for (let i = 0; i < row.pops; i++) {
      if (this.#random() < 0.3) this.#push(this.#word());
      else this.#emit(`DUP${1 + this.#below(Math.min(16, this.#words + 1 + extra + i))}`);
    }
    this.#code.push(row.code);
    if (extra === 0) this.#assign();
    else this.#emit('ADD');
  }

  /** Moves the word on top into one below. The counter is the first of them, and mostly left alone. */
  #assign(): void {
    const to = this.#random() < 0.02 ? 1 : 2 + this.#below(this.#words);
    this.#emit(`SWAP${to}`, 'POP');
  }

  #word(): bigint {
    const bits = this.#below(257);
    const choice = this.#random();
    if (choice < 0.4) return BigInt(this.#below(300));
    if (choice < 0.6) return BigInt.asUintN(256, 1n << BigInt(bits));
    if (choice < 0.8) return BigInt.asUintN(256, (1n << BigInt(bits)) - 1n);
    let value = 0n;
    for (let i = 0; i < 8; i++) value = (value << 32n) | BigInt(this.#below(2 ** 32));
    return value >> BigInt(this.#below(256));
  }

  #push(value: bigint): void {
    const digits = value.toString(16);
    const bytes = Buffer.from(digits.length % 2 === 1 ? `0${digits}` : digits, 'hex');
    this.#code.push(0x5f + bytes.length, ...bytes);
  }

  #emit(...names: string[]): void {
    for (const name of names) this.#code.push(codes.get(name)!);
  }

  #label(): number {
    return this.#labels.push(0) - 1;
  }

  #place(label: number): void {
    this.#labels[label] = this.#code.length;
    this.#emit('JUMPDEST');
  }

  #pushLabel(label: number): void {
    this.#code.push(0x61);
    this.#uses.push([this.#code.length, label]);
    this.#code.push(0, 0);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!;
  }

  #below(end: number): number {
    return Math.floor(this.#random() * end);
  }
}

const codes = new Map(opcodes.flatMap((row) => (row ? [[row.name, row.code] as const] : [])));
