import { bytesToHex } from '@polyvisor/bytes/hex';
import type { FrameEnd, FrameStart, Log, Tracer } from '@polyvisor/evm/world';
import { haltTexts, revertReason } from '../calls.ts';

/** A call and what it called, as `debug_traceTransaction` shows it. @see go-ethereum, eth/tracers/native/call.go */
export interface CallFrame {
  readonly type: string;
  readonly from: string;
  to?: string;
  readonly gas: string;
  gasUsed: string;
  readonly input: string;
  output?: string;
  error?: string;
  revertReason?: string;
  calls?: CallFrame[];
  logs?: CallLog[];
  readonly value?: string;
}

export interface CallLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly index: string;
  /** How many calls the frame had made before. */
  readonly position: string;
}

export interface CallTracerOptions {
  /** The outermost frame only. */
  readonly onlyTopCall?: boolean;
  readonly withLog?: boolean;
}

/** Records the tree of calls. The outermost frame's gas is the transaction's. */
export class CallTracer implements Tracer {
  readonly #options: CallTracerOptions;
  readonly #open: { readonly frame: CallFrame; readonly gas: bigint }[] = [];
  #root: CallFrame | undefined;
  #logCount = 0;

  constructor(options: CallTracerOptions = {}) {
    this.#options = options;
  }

  enter(start: FrameStart): void {
    const frame = frameOf(start);
    const parent = this.#open.at(-1)?.frame;
    this.#open.push({ frame, gas: start.gas });
    if (!parent) this.#root = frame;
    else if (!this.#options.onlyTopCall) (parent.calls ??= []).push(frame);
  }

  exit(end: FrameEnd): void {
    const { frame, gas } = this.#open.pop()!;
    frame.gasUsed = quantity(gas - end.gasLeft);
    if (end.output.length > 0) frame.output = bytesToHex(end.output);
    if (end.status === 'success') return;
    dropLogs(frame);
    if (end.status === 'revert') {
      frame.error = 'execution reverted';
      const reason = revertReason(end.output);
      if (reason !== undefined) frame.revertReason = reason;
      return;
    }
    frame.error = haltTexts[end.status];
    if (frame.type.startsWith('CREATE')) delete frame.to;
  }

  log(log: Log): void {
    const frame = this.#open.at(-1)?.frame;
    const index = this.#logCount++;
    if (!this.#options.withLog || !frame) return;
    if (this.#options.onlyTopCall && this.#open.length > 1) return;
    (frame.logs ??= []).push({
      address: bytesToHex(log.address),
      topics: log.topics.map(bytesToHex),
      data: bytesToHex(log.data),
      index: `0x${index.toString(16)}`,
      position: `0x${(frame.calls?.length ?? 0).toString(16)}`,
    });
  }

  /** The tree, its root with the whole transaction's gas. */
  result(gasLimit: bigint, gasUsed: bigint): CallFrame | undefined {
    return this.#root && { ...this.#root, gas: quantity(gasLimit), gasUsed: quantity(gasUsed) };
  }
}

/** What a failed frame logged did not happen, nor what frames in it did. */
function dropLogs(frame: CallFrame): void {
  delete frame.logs;
  frame.calls?.forEach(dropLogs);
}

function frameOf(start: FrameStart): CallFrame {
  const hasValue = start.type !== 'STATICCALL' && start.type !== 'DELEGATECALL';
  return {
    from: bytesToHex(start.from),
    gas: quantity(start.gas),
    gasUsed: '0x0',
    to: bytesToHex(start.to),
    input: bytesToHex(start.input),
    ...(hasValue ? { value: quantity(start.value) } : {}),
    type: start.type,
  };
}

function quantity(value: bigint): string {
  return `0x${value.toString(16)}`;
}
