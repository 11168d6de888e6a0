import { HostError } from '@polyvisor/errors/host-error';
import { parseParameters } from '../call-line.ts';
import { clientOf } from '../client-of.ts';
import { remaining, required } from '../command.ts';
import type { CommandCall } from '../command.ts';

export async function run(call: CommandCall): Promise<void> {
  const { terminal, options } = call;
  const guest = required(call, 0);
  const method = required(call, 1);
  const outcome = await clientOf(call).exec(guest, method, parseParameters(remaining(call)));
  if (options['json'] === true) terminal.print(JSON.stringify(outcome));
  if (outcome.error !== undefined) {
    const { code, message } = outcome.error;
    throw new HostError('guest-refused', `${guest} answered ${code}: ${message}`);
  }
  if (options['json'] !== true) terminal.print(showValue(outcome.result));
}

/** Text as it is, anything else as JSON for people. */
export function showValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null, undefined, 2);
}
