import { revertText } from './revert-text.ts';
import { knownFunctions } from './known-signatures.ts';
import type { RpcCallFrame } from './rpc-types.ts';

/** A call of a transaction as the page draws it. */
export interface CallNode {
  /** Where it is in the tree, unique: `0`, `0.2`, `0.2.1`. */
  readonly path: string;
  /** `CALL`, `STATICCALL`, `DELEGATECALL`, `CALLCODE`, `CREATE`, `CREATE2`, `SELFDESTRUCT`. */
  readonly type: string;
  readonly from: string;
  /** undefined: a contract that did not come to be. */
  readonly to: string | undefined;
  /** Name of the function when it is known, else its selector; undefined without one. */
  readonly function: string | undefined;
  readonly value: bigint;
  readonly gas: number;
  readonly gasUsed: number;
  /** Of it, what its own code spent: `gasUsed` without the calls below. */
  readonly gasOwn: number;
  readonly input: string;
  readonly output: string | undefined;
  /** Why it failed, in words; undefined: it did not. */
  readonly failure: string | undefined;
  /** Frames in this subtree, itself included. */
  readonly size: number;
  readonly calls: readonly CallNode[];
}

/** Depth is at most 1024, the chain's own limit. */
export function callTree(frame: RpcCallFrame, path = '0'): CallNode {
  const calls = (frame.calls ?? []).map((call, index) => callTree(call, `${path}.${index}`));
  const gasUsed = Number(frame.gasUsed);
  const below = calls.reduce((sum, call) => sum + call.gasUsed, 0);
  return {
    path,
    type: frame.type,
    from: frame.from,
    to: frame.to,
    function: frame.type.startsWith('CREATE') ? undefined : functionName(frame.input),
    value: BigInt(frame.value ?? '0x0'),
    gas: Number(frame.gas),
    gasUsed,
    // What a call pays for its callee can come back to it as a refund or a stipend.
    gasOwn: Math.max(0, gasUsed - below),
    input: frame.input,
    output: frame.output,
    failure: failureOf(frame),
    size: calls.reduce((sum, call) => sum + call.size, 1),
    calls,
  };
}

/** `transfer(address,uint256)` or `0x12345678` for a call's data; undefined: it has no selector. */
export function functionName(input: string): string | undefined {
  if (input.length < 10) return undefined;
  const selector = input.slice(0, 10);
  return knownFunctions[selector] ?? selector;
}

function failureOf({ error, revertReason, output }: RpcCallFrame): string | undefined {
  if (error === undefined) return undefined;
  const reason = revertReason ?? (output === undefined ? undefined : revertText(output));
  return reason === undefined ? error : `${error}: ${reason}`;
}
