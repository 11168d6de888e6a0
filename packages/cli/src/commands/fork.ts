import type { GuestView } from '@polyvisor/host/control/views';
import { clientOf } from '../client-of.ts';
import { required } from '../command.ts';
import type { CommandCall } from '../command.ts';
import { guestPath } from '../control-client.ts';
import { printGuests } from '../print-guests.ts';

export async function run(call: CommandCall): Promise<void> {
  const { name, snapshot, count } = call.options;
  const path = guestPath(required(call, 0), 'fork');
  const forks = await clientOf(call).call('POST', path, { name, snapshot, count });
  printGuests(call, forks as GuestView[]);
}
