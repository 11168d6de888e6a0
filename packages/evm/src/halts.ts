import type { HaltReason } from './world.ts';

/**
 * How a frame ends, by the number that the engine's code uses: 0 success, 1 revert, above that an exceptional
 * halt, which takes all the frame's gas. @see Yellow Paper, section 9.4.2 "Exceptional Halting".
 */
export const endings = [
  'success',
  'revert',
  'out-of-gas',
  'stack-underflow',
  'stack-overflow',
  'invalid-jump',
  'invalid-opcode',
  'static-state-change',
  'return-data-out-of-bounds',
  'create-collision',
  'create-code-too-large',
  'create-code-starts-with-ef',
  'initcode-too-large',
  'nonce-overflow',
  'precompile-failure',
  'call-depth',
  'insufficient-balance',
] as const satisfies readonly ('success' | 'revert' | HaltReason)[];

export type Ending = (typeof endings)[number];

/** The number of an ending. */
export function endingCode(ending: Ending): number {
  return endings.indexOf(ending);
}
