/** Between two numbers near today's time in seconds. */
const STEP_SECONDS = 2 ** -22;

/**
 * A time as Node takes it, exact to the microsecond: a number has no room for all nanoseconds, and what is cut off
 * must not take it into the microsecond before.
 * @param timeNs nanoseconds since 1970
 */
export function preciseSeconds(timeNs: bigint): number {
  const microseconds = BigInt.asIntN(64, timeNs - (((timeNs % 1000n) + 1000n) % 1000n)) / 1000n;
  const seconds = Number(microseconds) / 1e6;
  const nanoseconds = BigInt(Math.trunc((seconds - Math.trunc(seconds)) * 1e9));
  const stored = BigInt(Math.trunc(seconds)) * 1_000_000_000n + nanoseconds;
  return stored < microseconds * 1000n ? seconds + STEP_SECONDS : seconds;
}
