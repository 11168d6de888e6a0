import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { HostError } from '@polyvisor/errors/host-error';
import { parseCallLine } from '../call-line.ts';
import { clientOf } from '../client-of.ts';
import { required } from '../command.ts';
import { joinConsole } from '../console-session.ts';
import type { ControlClient } from '../control-client.ts';
import { RemoteConsole } from '../remote-console.ts';
import type { CommandCall } from '../command.ts';
import { reportFailure } from '../failure.ts';
import { homeDirectory } from '@polyvisor/host/home-directory';
import type { Terminal } from '../terminal.ts';
import { showValue } from './exec.ts';

/** A line in, an answer out, until the end of the input. Lines may come from a pipe, too. */
export async function run(call: CommandCall): Promise<void> {
  const { terminal } = call;
  const client = clientOf(call);
  const guest = await client.guest(required(call, 0));
  if (guest.kind === 'linux') return await attachToTerminal(call, client, guest.name);
  const historyFile = join(homeDirectory(), 'history');
  const lines = createInterface({
    input: process.stdin,
    ...(terminal.isInteractive ? { output: process.stdout } : {}),
    prompt: `${guest.name}> `,
    historySize: HISTORY_LINES,
    history: readHistory(historyFile),
    removeHistoryDuplicates: true,
  });
  lines.on('history', (history: string[]) => writeHistory(historyFile, history));
  // The last lines of a pipe are answered after its end.
  let isOpen = true;
  lines.on('close', () => (isOpen = false));
  if (terminal.isInteractive) terminal.print(GREETING);
  lines.prompt();
  for await (const line of lines) {
    const typed = parseCallLine(line);
    if (typed?.method === 'exit') break;
    if (typed !== undefined) {
      const outcome = await client
        .exec(guest.name, typed.method, typed.parameters)
        .catch((error: unknown) => tell(terminal, error));
      if (outcome?.error !== undefined) {
        terminal.warn(`${outcome.error.code}: ${outcome.error.message}`);
      } else if (outcome !== undefined) {
        terminal.print(showValue(outcome.result));
      }
    }
    if (isOpen) lines.prompt();
  }
  lines.close();
}

/** Until the person leaves, or the guest ends. */
export async function attachToTerminal(
  { terminal, signal }: CommandCall,
  client: ControlClient,
  name: string,
): Promise<void> {
  const ended = new AbortController();
  let failure: unknown;
  const fail = (error: unknown): void => {
    failure = error;
    ended.abort();
  };
  const console = new RemoteConsole(client, name, fail);
  const signals = signal === undefined ? [ended.signal] : [ended.signal, signal];
  const leaving = new AbortController();
  const following = console.follow(AbortSignal.any([...signals, leaving.signal]));
  void following.then(() => ended.abort(), fail);
  await joinConsole(terminal, console, AbortSignal.any(signals));
  leaving.abort();
  await following.catch(() => {});
  if (failure !== undefined) throw failure;
}

const GREETING = '  a method and its parameters: eth_getBalance 0xf39f… latest  ·  leave: ctrl-d';
const HISTORY_LINES = 1000;

/** The host's refusals are told, and the prompt goes on. */
function tell(terminal: Terminal, error: unknown): undefined {
  if (!(error instanceof HostError) || error.code === 'no-host') throw error;
  reportFailure(terminal, error, false);
}

function readHistory(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    // The first time there is none.
    return [];
  }
}

function writeHistory(file: string, history: readonly string[]): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, history.join('\n'), { mode: 0o600 });
}
