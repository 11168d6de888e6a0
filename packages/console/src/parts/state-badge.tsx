import type { GuestView } from '@polyvisor/host/control/views';
import type { JSX } from 'preact';

/** A guest's state as a dot and a word; why, when it failed. */
export function StateBadge({ guest }: { guest: GuestView }): JSX.Element {
  return (
    <span class={`state state-${guest.state}`} title={guest.reason?.message}>
      {guest.state}
    </span>
  );
}
