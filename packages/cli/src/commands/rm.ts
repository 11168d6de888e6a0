import { clientOf } from '../client-of.ts';
import { remaining } from '../command.ts';
import type { CommandCall } from '../command.ts';
import { guestPath } from '../control-client.ts';

export async function run(call: CommandCall): Promise<void> {
  const client = clientOf(call);
  const removed = remaining(call);
  for (const name of removed) await client.call('DELETE', guestPath(name));
  const { terminal, options } = call;
  terminal.print(options['json'] === true ? JSON.stringify({ removed }) : removed.join('\n'));
}
