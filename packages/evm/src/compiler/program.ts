import { type Hardfork, isAtLeast } from '../hardfork.ts';
import { type Opcode, opcodes } from '../opcodes.ts';

/** Instructions behind which a trace ends, because another frame runs or this one is over. */
export const lastOfTrace: ReadonlySet<string> = new Set(
  'CREATE CREATE2 CALL CALLCODE DELEGATECALL STATICCALL STOP RETURN REVERT SELFDESTRUCT'.split(' '),
);

/** Jumps are followed this deep to find out whether code is on its way to a failure. */
const COLD_DEPTH_MAX = 3;
const COLD_INSTRUCTIONS_MAX = 100;

/** Code with what is looked up of it. */
export class Program {
  readonly code: Uint8Array;
  readonly fork: Hardfork;
  readonly #rows: readonly (Opcode | undefined)[];
  readonly #jumpdests: Uint8Array;
  readonly #cold = new Map<number, boolean>();

  constructor(code: Uint8Array, fork: Hardfork) {
    this.code = code;
    this.fork = fork;
    this.#rows = opcodes.map((row) => (row && isAtLeast(fork, row.since) ? row : undefined));
    this.#jumpdests = new Uint8Array(code.length);
    for (let pc = 0; pc < code.length; pc++) {
      if (code[pc] === 0x5b) this.#jumpdests[pc] = 1;
      pc += opcodes[code[pc]!]?.immediate ?? 0;
    }
  }

  /** The instruction at a place; undefined where there is none in this fork. */
  rowAt(pc: number): Opcode | undefined {
    return this.#rows[this.code[pc]!];
  }

  isJumpdest(pc: bigint | number): boolean {
    return pc < this.code.length && this.#jumpdests[Number(pc)] === 1;
  }

  /** Places where a frame can be when the interpreter looks for compiled code. */
  entries(): number[] {
    const found = [0];
    for (let pc = 0; pc < this.code.length; pc++) {
      const row = opcodes[this.code[pc]!];
      if (this.#jumpdests[pc] === 1 && pc > 0) found.push(pc);
      pc += row?.immediate ?? 0;
      const isCall = row !== undefined && row.code >= 0xf0 && lastOfTrace.has(row.name);
      if (isCall && pc + 1 < this.code.length && this.#jumpdests[pc + 1] === 0) found.push(pc + 1);
    }
    return found;
  }

  operandOf(pc: number, size: number): bigint {
    let value = 0n;
    for (let i = 1; i <= size; i++) value = (value << 8n) | BigInt(this.code[pc + i] ?? 0);
    return value;
  }

  /** Whether code seems to be on its way to REVERT or INVALID. */
  isCold(pc: number, depth = 0): boolean {
    const known = this.#cold.get(pc);
    if (known !== undefined) return known;
    const isCold = this.#looksCold(pc, depth);
    this.#cold.set(pc, isCold);
    return isCold;
  }

  #looksCold(start: number, depth: number): boolean {
    let pushed: bigint | undefined;
    let pc = start;
    for (let i = 0; i < COLD_INSTRUCTIONS_MAX && pc < this.code.length; i++) {
      const row = this.rowAt(pc);
      if (!row || row.name === 'REVERT') return true;
      if (row.name === 'JUMP') {
        const isKnown = pushed !== undefined && this.isJumpdest(pushed);
        return isKnown && depth < COLD_DEPTH_MAX && this.isCold(Number(pushed), depth + 1);
      }
      if (row.name === 'JUMPI' || lastOfTrace.has(row.name)) return false;
      pushed = row.shape === 'push' ? this.operandOf(pc, row.immediate) : undefined;
      pc += 1 + row.immediate;
    }
    return false;
  }
}
