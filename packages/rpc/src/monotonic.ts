/**
 * Milliseconds since some point, never going back. What `performance.now()` says too, but its first call loads Node's
 * performance hooks, which takes a start a millisecond.
 */
export const monotonicMs: () => number =
  globalThis.process?.hrtime === undefined ? () => performance.now() : hrtimeMs;

function hrtimeMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
