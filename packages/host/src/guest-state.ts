import { HostError } from '@polyvisor/errors/host-error';
import type { Fault } from '@polyvisor/machine/machine';

/** Where a guest is in its life. */
export type GuestState =
  | { readonly name: 'created' | 'running' | 'paused' | 'stopped' }
  | { readonly name: 'failed'; readonly reason: GuestFailure };

export type GuestStateName = GuestState['name'];

/** Why a guest failed: its machine's own fault, or the host could not keep its state. */
export interface GuestFailure {
  readonly code: Fault['code'];
  readonly message: string;
}

/** The verbs that move a guest from state to state, from where, and to where. */
export const transitions = {
  start: { from: ['created', 'stopped'], to: 'running' },
  pause: { from: ['running'], to: 'paused' },
  resume: { from: ['paused'], to: 'running' },
  stop: { from: ['created', 'running', 'paused', 'failed'], to: 'stopped' },
} as const satisfies Record<
  string,
  { from: readonly GuestStateName[]; to: Exclude<GuestStateName, 'failed'> }
>;

export type LifeVerb = keyof typeof transitions;

/** @throws HostError `wrong-state` when the verb does not apply */
export function checkTransition(guest: string, state: GuestState, verb: LifeVerb): void {
  const allowed: readonly GuestStateName[] = transitions[verb].from;
  if (allowed.includes(state.name)) return;
  throw new HostError(
    'wrong-state',
    `can't ${verb} guest '${guest}': it is ${describeState(state)}`,
    `it would have to be ${allowed.join(' or ')}`,
  );
}

/** `running`, or `failed (memory-limit: …)`. */
export function describeState(state: GuestState): string {
  if (state.name !== 'failed') return state.name;
  return `failed (${state.reason.code}: ${state.reason.message})`;
}
