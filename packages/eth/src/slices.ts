import type { Evm, ExecuteInput, Outcome } from '@polyvisor/evm/world';
import type { Slice, Steps } from '@polyvisor/machine/steps';
import { EthError } from './errors.ts';

/** Work around an execution, in gas: reading its state, journaling, hashing. Measured at about 10 µs. */
const EXECUTION_OVERHEAD = 5_000;

/** Executes a message in slices. @throws EthError when the engine's own limits end it */
export function* execute(
  evm: Evm,
  input: ExecuteInput,
  slice: Slice,
): Steps<Exclude<Outcome, { kind: 'fault' }>> {
  const outcome = yield* executeOrFault(evm, input, slice);
  if (outcome.kind === 'fault') throw new EthError(outcome.message);
  return outcome;
}

/** Executes a message in slices. */
export function* executeOrFault(evm: Evm, input: ExecuteInput, slice: Slice): Steps<Outcome> {
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
  return execution.outcome!;
}
