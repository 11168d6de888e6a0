import { formatSize } from '@polyvisor/host/sizes';
import type { GuestView } from '@polyvisor/host/control/views';
import type { CommandCall } from './command.ts';
import { table } from './table.ts';

/** Prints guests as a table, or `value` as JSON. */
export function printGuests(
  { terminal, options }: CommandCall,
  guests: readonly GuestView[],
  value: unknown = guests,
): void {
  if (options['json'] === true) return terminal.print(JSON.stringify(value));
  terminal.print(table(HEADINGS, guests.map(row)));
}

const HEADINGS = ['NAME', 'KIND', 'STATE', 'HEAD', 'ENDPOINT', 'CPU', 'MEMORY', 'REQUESTS'];

function row(guest: GuestView): string[] {
  const { usage, reason } = guest;
  return [
    guest.name,
    guest.kind,
    reason === undefined ? guest.state : `${guest.state} (${reason.code})`,
    guest.head,
    guest.endpoints[0]?.url ?? '-',
    `${(usage.cpuMs / 1000).toFixed(2)} s`,
    formatSize(usage.memoryBytes),
    String(usage.requests),
  ];
}
