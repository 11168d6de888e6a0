import type { SnapshotView } from '@polyvisor/host/control/views';
import { clientOf } from '../client-of.ts';
import { required } from '../command.ts';
import type { CommandCall } from '../command.ts';
import { guestPath } from '../control-client.ts';

export async function run(call: CommandCall): Promise<void> {
  const { terminal, options } = call;
  const path = guestPath(required(call, 0), 'snapshots');
  const taken = await clientOf(call).call('POST', path, { name: options['name'] });
  const { id, head } = taken as SnapshotView;
  terminal.print(options['json'] === true ? JSON.stringify(taken) : `${id} at ${head}`);
}
