import type { GuestView } from '@polyvisor/host/control/views';
import { clientOf } from '../client-of.ts';
import { remaining } from '../command.ts';
import type { CommandModule } from '../command.ts';
import { guestPath } from '../control-client.ts';
import { printGuests } from '../print-guests.ts';

/** `start`, `stop`, `pause`, `resume`: the same on each guest that is named. */
export function lifeCommand(verb: string): CommandModule {
  return {
    async run(call) {
      const client = clientOf(call);
      const guests: GuestView[] = [];
      for (const name of remaining(call)) {
        guests.push((await client.call('POST', guestPath(name, verb))) as GuestView);
      }
      printGuests(call, guests);
    },
  };
}
