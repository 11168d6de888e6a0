import type { Evm, ExecuteInput, Outcome } from '@polyvisor/evm/world';
import { EthError } from './errors.ts';

/** What is left of the present time slice, in gas. */
export interface Slice {
  left: number;
}

/** Work that stops (yields) where its slice is spent, and goes on when it is asked for its next step. */
export type Steps<T> = Generator<void, T, void>;

/** Work around an execution, in gas: reading its state, journaling, hashing. Measured at about 10 µs. */
const EXECUTION_OVERHEAD = 5_000;

/** Executes a message in slices. @throws EthError when the engine's own limits end it */
export function* execute(
  evm: Evm,
  input: ExecuteInput,
  slice: Slice,
): Steps<Exclude<Outcome, { kind: 'fault' }>> {
  const execution = evm.execute(input);
  try {
    for (let spent = 0; ;) {
      const isEnded = execution.run(slice.left);
      slice.left -= execution.gasSpent - spent;
      if (isEnded) break;
      spent = execution.gasSpent;
      while (slice.left <= 0) yield;
    }
  } finally {
    execution.cancel();
  }
  slice.left -= EXECUTION_OVERHEAD;
  const outcome = execution.outcome!;
  if (outcome.kind === 'fault') throw new EthError(outcome.message);
  return outcome;
}

/** Runs steps to their end without a pause. */
export function runToEnd<T>(start: (slice: Slice) => Steps<T>): T {
  const steps = start({ left: Number.MAX_SAFE_INTEGER });
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
