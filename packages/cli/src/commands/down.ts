import { clientOf } from '../client-of.ts';
import type { CommandCall } from '../command.ts';

export async function run(call: CommandCall): Promise<void> {
  const { terminal, options } = call;
  await clientOf(call).call('POST', '/v1/host/shutdown');
  terminal.print(options['json'] === true ? JSON.stringify({ stopping: true }) : 'stopping');
}
