import { removeImage } from '@polyvisor/images/image-store';
import { remaining } from '../command.ts';
import type { CommandCall } from '../command.ts';
import { homeDirectory } from '@polyvisor/host/home-directory';

export async function run(call: CommandCall): Promise<void> {
  const removed = remaining(call);
  for (const name of removed) removeImage(homeDirectory(), name);
  const { terminal, options } = call;
  terminal.print(options['json'] === true ? JSON.stringify({ removed }) : removed.join('\n'));
}
