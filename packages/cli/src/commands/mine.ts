import { clientOf } from '../client-of.ts';
import { required } from '../command.ts';
import type { CommandCall } from '../command.ts';
import { guestPath } from '../control-client.ts';

export async function run(call: CommandCall): Promise<void> {
  const { terminal, options } = call;
  const { count, interval: intervalSeconds } = options;
  const path = guestPath(required(call, 0), 'mine');
  const mined = await clientOf(call).call('POST', path, { count, intervalSeconds });
  const { head } = mined as { readonly head: string };
  terminal.print(options['json'] === true ? JSON.stringify(mined) : head);
}
