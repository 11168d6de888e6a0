import type { SnapshotView } from '@polyvisor/host/control/views';
import { clientOf } from '../client-of.ts';
import { required } from '../command.ts';
import type { CommandCall } from '../command.ts';
import { guestPath } from '../control-client.ts';

export async function run(call: CommandCall): Promise<void> {
  const { terminal, options } = call;
  const guest = required(call, 0);
  const snapshot = encodeURIComponent(required(call, 1));
  const path = guestPath(guest, `snapshots/${snapshot}/restore`);
  const restored = await clientOf(call).call('POST', path);
  const { id, head } = restored as SnapshotView;
  const text = `${guest} is back at ${head} (${id})`;
  terminal.print(options['json'] === true ? JSON.stringify(restored) : text);
}
