/** Fails on a bug of ours. Nobody catches it: a wrong assumption must not become a wrong state. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}
