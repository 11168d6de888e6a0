import type { Host } from '../host.ts';
import type { Stream } from './route.ts';
import type { EventView } from './views.ts';
import { viewUsage } from './views.ts';

/** What happens in the host from now on, and what every guest uses: now, and once a second. */
export function streamEvents(host: Host): Stream {
  return (send) => {
    const sendUsage = (): void => send(sampleUsage(host));
    sendUsage();
    const timer = setInterval(sendUsage, USAGE_INTERVAL_MS);
    const endEvents = host.on(send);
    return () => {
      clearInterval(timer);
      endEvents();
    };
  };
}

const USAGE_INTERVAL_MS = 1000;

function sampleUsage(host: Host): EventView {
  const guests = [...host.guests.values()].map((guest) => [guest.id, viewUsage(guest)] as const);
  return { kind: 'usage', time: Date.now(), guests: Object.fromEntries(guests) };
}
