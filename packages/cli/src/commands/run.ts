import { HostError } from '@polyvisor/errors/host-error';
import { guestKinds } from '@polyvisor/host/kinds/registry';
import { required } from '../command.ts';
import type { CommandCall } from '../command.ts';
import { clientOf } from '../client-of.ts';
import { evmOptionsOf } from '../evm-flags.ts';
import { printGuests } from '../print-guests.ts';
import type { GuestView } from '@polyvisor/host/control/views';

export async function run(call: CommandCall): Promise<void> {
  const kind = required(call, 0);
  if (kind !== 'evm') {
    const kinds = Object.keys(guestKinds).join(', ');
    throw new HostError('no-kind', `there is no kind of guest '${kind}'`, `kinds are ${kinds}`);
  }
  const name = call.options['name'] as string | undefined;
  // A guest without a port could be reached by nobody: any free one, unless the user names it.
  const options = { port: 0, ...evmOptionsOf(call.options) };
  const spec = { kind, ...(name === undefined ? {} : { name }), options };
  const made = (await clientOf(call).call('POST', '/v1/guests', spec)) as GuestView;
  printGuests(call, [made], made);
}
