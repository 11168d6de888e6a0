import { bytesToHex } from '@polyvisor/bytes/hex';
import { opcodes } from '@polyvisor/evm/opcodes';
import type { FrameEnd, FrameStart, Step, Tracer } from '@polyvisor/evm/world';
import { EthError } from '../errors.ts';

/** One instruction. @see go-ethereum, eth/tracers/logger/logger.go */
export interface StructLog {
  readonly pc: number;
  readonly op: string;
  readonly gas: number;
  gasCost: number;
  readonly depth: number;
  readonly refund?: number;
  error?: string;
  readonly stack?: readonly string[];
  readonly memory?: readonly string[];
  readonly storage?: Readonly<Record<string, string>>;
}

export interface StructLogOptions {
  readonly disableStack?: boolean;
  readonly enableMemory?: boolean;
  readonly disableStorage?: boolean;
  /** Most steps kept; 0: as many as may be. */
  readonly limit?: number;
}

/** More steps than this would not fit an answer. */
export const STRUCT_LOGS_MAX = 500_000;

/** Records every instruction with what was on the stack. A step's cost is known when the next one starts. */
export class StructLogTracer implements Tracer {
  readonly logs: StructLog[] = [];
  readonly #options: StructLogOptions;
  readonly #max: number;
  /** Slots that each open frame has touched so far. */
  readonly #slots: Record<string, string>[] = [];
  /** The last step of the frame at work, whose cost is not known yet, and the gas it had. */
  #last: { readonly log: StructLog; readonly gas: bigint } | undefined;
  /** The steps that opened the open frames; `given`: gas that is not part of their cost. */
  readonly #calls: ({ log: StructLog; gas: bigint; given: bigint } | undefined)[] = [];
  /** The slot that the last step loads: its value is on the stack when the next one starts. */
  #loading: { readonly key: string; readonly into: readonly Record<string, string>[] } | undefined;

  constructor(options: StructLogOptions = {}) {
    this.#options = options;
    this.#max = options.limit ? Math.min(options.limit, STRUCT_LOGS_MAX) : STRUCT_LOGS_MAX;
  }

  enter(start: FrameStart): void {
    // What a call costs is known when it has ended; a creation's price does not have the gas that it gives.
    const isCreation = start.type.startsWith('CREATE');
    this.#calls.push(this.#last && { ...this.#last, given: isCreation ? start.gas : 0n });
    this.#last = undefined;
    this.#slots.push({});
  }

  exit(end: FrameEnd): void {
    this.#price(end.gasLeft);
    const call = this.#calls.pop();
    if (call) this.#last = { log: call.log, gas: call.gas + end.gasLeft - call.given };
    this.#slots.pop();
    this.#loading = undefined;
    if (end.status !== 'success' && end.status !== 'revert') {
      const last = this.logs.at(-1);
      if (last) last.error = end.status;
    }
  }

  step(step: Step): void {
    this.#price(step.gas);
    if (this.logs.length >= this.#max) {
      if (this.#options.limit) return;
      throw new EthError(
        `the trace has more than ${STRUCT_LOGS_MAX} steps; ask for a part with 'limit'`,
      );
    }
    const op = opcodes[step.opcode]?.name ?? `opcode 0x${step.opcode.toString(16)} not defined`;
    const storage = this.#storage(op, step);
    const { disableStack, enableMemory } = this.#options;
    const log: StructLog = {
      pc: step.pc,
      op,
      gas: Number(step.gas),
      gasCost: 0,
      depth: step.depth + 1,
      ...(step.refund > 0n ? { refund: Number(step.refund) } : {}),
      ...(disableStack ? {} : { stack: step.stack.map((entry) => `0x${entry.toString(16)}`) }),
      ...(enableMemory && step.memory.length > 0 ? { memory: words(step.memory) } : {}),
      ...(storage ? { storage } : {}),
    };
    this.logs.push(log);
    this.#last = { log, gas: step.gas };
  }

  /** What the last step cost is what its frame has less now. */
  #price(gasNow: bigint): void {
    if (this.#last) this.#last.log.gasCost = Number(this.#last.gas - gasNow);
    this.#last = undefined;
  }

  /** The slots a frame has touched, at a step that touches one, with that one. */
  #storage(op: string, step: Step): Record<string, string> | undefined {
    if (this.#loading) {
      const { key, into } = this.#loading;
      for (const slots of into) slots[key] = word(step.stack.at(-1) ?? 0n);
      this.#loading = undefined;
    }
    const slots = this.#slots.at(-1);
    const top = step.stack.at(-1);
    if (this.#options.disableStorage || !slots || top === undefined) return undefined;
    if (op === 'SSTORE') {
      slots[word(top)] = word(step.stack.at(-2) ?? 0n);
      return { ...slots };
    }
    if (op !== 'SLOAD') return undefined;
    const shown = { ...slots };
    this.#loading = { key: word(top), into: [slots, shown] };
    return shown;
  }
}

function word(value: bigint): string {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

function words(memory: Uint8Array): string[] {
  return Array.from({ length: Math.ceil(memory.length / 32) }, (_, i) =>
    bytesToHex(memory.subarray(32 * i, 32 * i + 32)),
  );
}
