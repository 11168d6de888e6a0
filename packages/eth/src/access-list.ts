import { compareBytes } from '@polyvisor/bytes/bytes';
import { bytesToLatin1, latin1ToBytes } from '@polyvisor/bytes/latin1';
import { isAtLeast } from '@polyvisor/evm/hardfork';
import { opcodes } from '@polyvisor/evm/opcodes';
import { precompileRanges } from '@polyvisor/evm/precompile-ranges';
import type {
  AccessListEntry,
  FrameStart,
  Step,
  Tracer,
  TransactionMessage,
} from '@polyvisor/evm/world';
import { type CallContext, call, failureOf } from './calls.ts';
import type { Slice, Steps } from '@polyvisor/machine/steps';

export interface AccessListResult {
  readonly accessList: readonly AccessListEntry[];
  readonly gasUsed: bigint;
  readonly error: string | undefined;
}

/** The accounts and slots that a message touches, found by running it until its list no longer grows. */
export function* createAccessList(
  context: CallContext,
  message: TransactionMessage,
  slice: Slice,
): Steps<AccessListResult> {
  let accessList = message.accessList;
  for (;;) {
    const touched = new TouchedTracer(context, message, accessList);
    const outcome = yield* call(context, { ...message, accessList, type: 1 }, slice, touched);
    const next = touched.accessList();
    if (sizeOf(next) === sizeOf(accessList)) {
      const error = outcome.status === 'success' ? undefined : failureOf(outcome).message;
      return { accessList: next, gasUsed: outcome.gasUsed, error };
    }
    accessList = next;
  }
}

function sizeOf(list: readonly AccessListEntry[]): number {
  return list.reduce((size, entry) => size + 1 + entry.storageKeys.length, 0);
}

/** Where each opcode that touches an account or slot has it: depth from the top of the stack. */
const touching: Readonly<Record<string, { kind: 'account' | 'slot'; at: number }>> = {
  SLOAD: { kind: 'slot', at: 0 },
  SSTORE: { kind: 'slot', at: 0 },
  BALANCE: { kind: 'account', at: 0 },
  EXTCODESIZE: { kind: 'account', at: 0 },
  EXTCODECOPY: { kind: 'account', at: 0 },
  EXTCODEHASH: { kind: 'account', at: 0 },
  SELFDESTRUCT: { kind: 'account', at: 0 },
  CALL: { kind: 'account', at: 1 },
  CALLCODE: { kind: 'account', at: 1 },
  DELEGATECALL: { kind: 'account', at: 1 },
  STATICCALL: { kind: 'account', at: 1 },
};

/** Frames that work on the storage of the one that opened them. */
const keepsStorage: ReadonlySet<FrameStart['type']> = new Set([
  'DELEGATECALL',
  'CALLCODE',
  'SELFDESTRUCT',
]);

class TouchedTracer implements Tracer {
  readonly #touched = new Map<string, Set<string>>();
  readonly #implied: ReadonlySet<string>;
  readonly #frames: string[] = [];

  constructor(context: CallContext, message: TransactionMessage, list: readonly AccessListEntry[]) {
    const implied = [message.sender, ...(message.to ? [message.to] : [])].map(bytesToLatin1);
    for (const [first, last] of precompileRanges(context.evm.hardfork)) {
      for (let i = first; i <= last; i++) implied.push(word(BigInt(i), 20));
    }
    if (isAtLeast(context.evm.hardfork, 'shanghai'))
      implied.push(bytesToLatin1(context.block.coinbase));
    this.#implied = new Set(implied);
    for (const entry of list) {
      this.#touched.set(
        bytesToLatin1(entry.address),
        new Set(entry.storageKeys.map(bytesToLatin1)),
      );
    }
  }

  enter(frame: FrameStart): void {
    this.#frames.push(
      keepsStorage.has(frame.type) ? this.#frames.at(-1)! : bytesToLatin1(frame.to),
    );
  }

  exit(): void {
    this.#frames.pop();
  }

  step(step: Step): void {
    const touch = touching[opcodes[step.opcode]?.name ?? ''];
    if (!touch) return;
    const operand = step.stack.at(-1 - touch.at);
    if (operand === undefined) return;
    if (touch.kind === 'slot') {
      this.#slots(this.#frames.at(-1)!).add(word(operand, 32));
      return;
    }
    const address = word(operand, 20);
    if (!this.#implied.has(address)) this.#slots(address);
  }

  accessList(): AccessListEntry[] {
    return Array.from(this.#touched, ([address, keys]) => ({
      address: latin1ToBytes(address),
      storageKeys: Array.from(keys, latin1ToBytes).toSorted(compareBytes),
    })).toSorted((a, b) => compareBytes(a.address, b.address));
  }

  #slots(address: string): Set<string> {
    let slots = this.#touched.get(address);
    if (!slots) this.#touched.set(address, (slots = new Set()));
    return slots;
  }
}

/** The low bytes of a word as a latin1 string. */
function word(value: bigint, size: number): string {
  let text = '';
  for (let rest = value, i = 0; i < size; i++, rest >>= 8n)
    text = String.fromCharCode(Number(rest & 255n)) + text;
  return text;
}
