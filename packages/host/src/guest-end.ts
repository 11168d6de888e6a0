import type { Guest } from './guest.ts';
import type { Host } from './host.ts';

/**
 * Calls once a guest does not go on by itself any more: it stopped, failed or was removed.
 * @returns a function that ends it
 */
export function onGuestEnd(host: Host, guest: Guest, ended: () => void): () => void {
  return host.on((event) => {
    if (!('guest' in event) || event.guest !== guest.id) return;
    const isEnd = event.kind === 'guest-state' && ENDS.has(event.state);
    if (isEnd || event.kind === 'guest-removed') ended();
  });
}

const ENDS: ReadonlySet<string> = new Set(['stopped', 'failed']);
