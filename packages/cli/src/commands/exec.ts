import { HostError } from '@polyvisor/errors/host-error';
import type { RunView } from '@polyvisor/host/control/views';
import { parseParameters } from '../call-line.ts';
import { clientOf } from '../client-of.ts';
import { remaining, required } from '../command.ts';
import type { CommandCall } from '../command.ts';
import { guestPath } from '../control-client.ts';
import type { ControlClient } from '../control-client.ts';

export async function run(call: CommandCall): Promise<void | number> {
  const { terminal, options } = call;
  const client = clientOf(call);
  const guest = required(call, 0);
  const method = required(call, 1);
  const words = remaining(call);
  if ((await client.guest(guest)).kind === 'linux') {
    return await runInShell(call, client, guest, [method, ...words]);
  }
  const outcome = await client.exec(guest, method, parseParameters(words));
  if (options['json'] === true) terminal.print(JSON.stringify(outcome));
  if (outcome.error !== undefined) {
    const { code, message } = outcome.error;
    throw new HostError('guest-refused', `${guest} answered ${code}: ${message}`);
  }
  if (options['json'] !== true) terminal.print(showValue(outcome.result));
}

/** Runs a program of a guest's shell: what it prints goes to our own two streams, and its exit code is ours. */
async function runInShell(
  { terminal, options, signal }: CommandCall,
  client: ControlClient,
  guest: string,
  words: readonly string[],
): Promise<number> {
  const stdin = options['interactive'] === true ? await terminal.readAll() : undefined;
  const body = { words, ...(stdin === undefined ? {} : { stdin: stdin.toString('base64') }) };
  for await (const line of client.lines(guestPath(guest, 'run'), signal, body)) {
    const said = line as RunView;
    if (options['json'] === true) terminal.print(JSON.stringify(said));
    if ('error' in said) throw new HostError(said.error.code, said.error.message);
    if ('exitCode' in said) return said.exitCode;
    if (options['json'] === true) continue;
    if ('stdout' in said) terminal.write(Buffer.from(said.stdout, 'base64'));
    else terminal.writeError(Buffer.from(said.stderr, 'base64'));
  }
  throw new HostError('guest-stopped', `${guest} ended before the program did`);
}

/** Text as it is, anything else as JSON for people. */
export function showValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null, undefined, 2);
}
