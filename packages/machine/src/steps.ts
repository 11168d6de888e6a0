/** What is left of the present time slice, in the machine's units of work. */
export interface Slice {
  left: number;
}

/** Work that stops (yields) where its slice is spent, and goes on when it is asked for its next step. */
export type Steps<T> = Generator<void, T, void>;

/** Runs steps to their end without a pause. */
export function runToEnd<T>(start: (slice: Slice) => Steps<T>): T {
  const steps = start({ left: Number.MAX_SAFE_INTEGER });
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
