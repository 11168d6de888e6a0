import { HostError } from '@polyvisor/errors/host-error';
import { parseParameters } from '../call-line.ts';
import { clientOf } from '../client-of.ts';
import { remaining, required } from '../command.ts';
import type { CommandCall } from '../command.ts';

export async function run(call: CommandCall): Promise<void | number> {
  const { terminal, options } = call;
  const client = clientOf(call);
  const guest = required(call, 0);
  const method = required(call, 1);
  const isShell = (await client.guest(guest)).kind === 'linux';
  const words = remaining(call);
  const outcome = await client.exec(guest, method, isShell ? words : parseParameters(words));
  if (options['json'] === true) terminal.print(JSON.stringify(outcome));
  if (outcome.error !== undefined) {
    const { code, message } = outcome.error;
    throw new HostError('guest-refused', `${guest} answered ${code}: ${message}`);
  }
  if (isShell) return tellCommand(call, outcome.result as CommandOutcome);
  if (options['json'] !== true) terminal.print(showValue(outcome.result));
}

interface CommandOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command of a guest's shell printed, each stream to ours; its exit code is ours. */
function tellCommand({ terminal, options }: CommandCall, outcome: CommandOutcome): number {
  const { exitCode, stdout, stderr } = outcome;
  if (options['json'] === true) return exitCode;
  if (stdout !== '') terminal.write(Buffer.from(stdout));
  if (stderr !== '') terminal.warn(stderr.replace(/\n$/, ''));
  return exitCode;
}

/** Text as it is, anything else as JSON for people. */
export function showValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null, undefined, 2);
}
