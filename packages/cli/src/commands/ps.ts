import { clientOf } from '../client-of.ts';
import type { CommandCall } from '../command.ts';
import { printGuests } from '../print-guests.ts';

export async function run(call: CommandCall): Promise<void> {
  printGuests(call, await clientOf(call).guests());
}
