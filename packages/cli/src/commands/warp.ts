import { HostError } from '@polyvisor/errors/host-error';
import { clientOf } from '../client-of.ts';
import { required } from '../command.ts';
import type { CommandCall } from '../command.ts';
import { guestPath } from '../control-client.ts';

export async function run(call: CommandCall): Promise<void> {
  const { terminal, options } = call;
  const seconds = Number(required(call, 1));
  if (!Number.isSafeInteger(seconds) || seconds < 0) {
    throw new HostError('bad-option', `'${required(call, 1)}' is not a whole number of seconds`);
  }
  const path = guestPath(required(call, 0), 'warp');
  const warped = await clientOf(call).call('POST', path, { seconds });
  const { time } = warped as { readonly time: number };
  const text = new Date(time * 1000).toISOString();
  terminal.print(options['json'] === true ? JSON.stringify(warped) : text);
}
