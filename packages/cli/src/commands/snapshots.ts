import { clientOf } from '../client-of.ts';
import { required } from '../command.ts';
import type { CommandCall } from '../command.ts';
import { table } from '../table.ts';

export async function run(call: CommandCall): Promise<void> {
  const { terminal, options } = call;
  const snapshots = await clientOf(call).snapshots(required(call, 0));
  if (options['json'] === true) return terminal.print(JSON.stringify(snapshots));
  const rows = snapshots.map(({ id, name, parent, head, takenAt, isCurrent }) => [
    isCurrent ? `${id} *` : id,
    name ?? '-',
    parent ?? '-',
    head,
    takenAt,
  ]);
  terminal.print(table(['SNAPSHOT', 'NAME', 'PARENT', 'HEAD', 'TAKEN'], rows));
}
